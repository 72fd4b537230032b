// Law of a stochastic dense layer's outputs given its inputs: x [B,Q] vec4 → mean = M x + b̄ and variance = V x² + B, both [B,Lq] vec4,
// pads 0. means [weight [L,Q] | bias [Lq]] vec4, variances alike. A thread owns 4 rows × 4 outputs of both products in registers.
//!include common/grid.wgsl
//!include common/dense.wgsl
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> means: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> variances: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> mean: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> variance: array<vec4<f32>>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    let row = 4u * (id % p.blocks);
    let out = id / p.blocks;
    if (out >= out_quads()) { return; }
    let rows = min(vec4<u32>(row, row + 1u, row + 2u, row + 3u), vec4<u32>(p.batch - 1u));
    let outs = p.quads * min(vec4<u32>(4u * out, 4u * out + 1u, 4u * out + 2u, 4u * out + 3u), vec4<u32>(p.outs - 1u));
    var first = mat4x4<f32>();
    var second = mat4x4<f32>();
    for (var quad = 0u; quad < p.quads; quad++) {
        let m = mat4x4<f32>(means[outs.x + quad], means[outs.y + quad], means[outs.z + quad], means[outs.w + quad]);
        let v = mat4x4<f32>(variances[outs.x + quad], variances[outs.y + quad], variances[outs.z + quad], variances[outs.w + quad]);
        for (var i = 0u; i < 4u; i++) {
            let inputs = x[rows[i] * p.quads + quad];
            first[i] += inputs * m;
            second[i] += (inputs * inputs) * v;
        }
    }
    let bias = p.outs * p.quads + out;
    let live = vec4<u32>(4u * out) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(p.outs);
    for (var i = 0u; i < 4u; i++) {
        if (row + i >= p.batch) { return; }
        let to = (row + i) * out_quads() + out;
        mean[to] = select(vec4<f32>(), first[i] + means[bias], live);
        variance[to] = select(vec4<f32>(), second[i] + variances[bias], live);
    }
}
