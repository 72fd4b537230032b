// One step of a tile of common/conv.wgsl: what its rows and its columns are multiplied by, term by term, and the products that a thread adds.
var<workgroup> factors: array<vec4<f32>, 128>;
var<workgroup> columns: array<vec4<f32>, 256>;

fn add_products(lane: u32, sums: ptr<function, array<vec4<f32>, 8>>) {
    for (var i = 0u; i < STEP; i++) {
        let column = columns[i * 16u + lane % 16u];
        let low = factors[i * 8u + lane / 16u * 2u];
        let high = factors[i * 8u + lane / 16u * 2u + 1u];
        (*sums)[0] += low.x * column;
        (*sums)[1] += low.y * column;
        (*sums)[2] += low.z * column;
        (*sums)[3] += low.w * column;
        (*sums)[4] += high.x * column;
        (*sums)[5] += high.y * column;
        (*sums)[6] += high.z * column;
        (*sums)[7] += high.w * column;
    }
}
