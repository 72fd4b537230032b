// Gradient of the GM layer with respect to its input:
// ∂x_b = Σ_k gm μ + 2 gs² (x ⊙ σ²) + F/K Σ_l dh_l (u_l ⊙ σ²), components and outputs added in order.
// x [slots,R,B,Q], params [R,P], coef [R,B,K], dh [R,B,Lp] → dx [R,B,Q]. A thread takes one vec4 of four rows.
//!include common/grid.wgsl
//!include common/gm.wgsl
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> params: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> coef: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> dh: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<vec4<f32>>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    let quad = id % p.quads;
    let row = (id / p.quads) % p.blocks * 4u;
    let run = id / (p.quads * p.blocks);
    if (run >= p.runs) { return; }
    let last = p.batch - 1u;
    let rows = min(vec4<u32>(row, row + 1u, row + 2u, row + 3u), vec4<u32>(last));
    let numbers = vec4<u32>(run * p.batch) + rows;
    let dh_rows = numbers * (4u * out_quads());
    let inputs = mat4x4<f32>(x[x_at(run, rows.x) + quad], x[x_at(run, rows.y) + quad], x[x_at(run, rows.z) + quad], x[x_at(run, rows.w) + quad]);
    var sum = mat4x4<f32>();
    for (var k = 0u; k < p.comps; k++) {
        let place = k * p.quads + quad;
        let mu = params[mu_at(run) + place];
        let sigma = params[sigma_at(run) + place];
        let s2 = sigma * sigma;
        let c0 = coef[numbers.x * p.comps + k];
        let c1 = coef[numbers.y * p.comps + k];
        let c2 = coef[numbers.z * p.comps + k];
        let c3 = coef[numbers.w * p.comps + k];
        var weighted = mat4x4<f32>();
        for (var l = 0u; l < p.outs; l++) {
            let u = params[u_at(run) + (k * p.outs + l) * p.quads + quad];
            weighted[0] += dh[dh_rows.x + l] * u;
            weighted[1] += dh[dh_rows.y + l] * u;
            weighted[2] += dh[dh_rows.z + l] * u;
            weighted[3] += dh[dh_rows.w + l] * u;
        }
        sum[0] += c0.x * mu + s2 * (2.0 * c0.y * inputs[0] + c0.z * weighted[0]);
        sum[1] += c1.x * mu + s2 * (2.0 * c1.y * inputs[1] + c1.z * weighted[1]);
        sum[2] += c2.x * mu + s2 * (2.0 * c2.y * inputs[2] + c2.z * weighted[2]);
        sum[3] += c3.x * mu + s2 * (2.0 * c3.y * inputs[3] + c3.z * weighted[3]);
    }
    let to = (run * p.batch + row) * p.quads + quad;
    if (row < p.batch) { dx[to] = sum[0]; }
    if (row + 1u < p.batch) { dx[to + p.quads] = sum[1]; }
    if (row + 2u < p.batch) { dx[to + 2u * p.quads] = sum[2]; }
    if (row + 3u < p.batch) { dx[to + 3u * p.quads] = sum[3]; }
}
