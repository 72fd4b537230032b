// Gradient of the dense layer with respect to its input: ∂x = dh W, outputs added in order.
// params [R, weight [L,Q] | bias] vec4, dh [R,B,Lp] → dx [R,B,Q] vec4. A thread takes one vec4 of four rows.
//!include common/grid.wgsl
//!include common/dense.wgsl
@group(0) @binding(1) var<storage, read> params: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> dh: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<vec4<f32>>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    let quad = id % p.quads;
    let row = (id / p.quads) % p.blocks * 4u;
    let run = id / (p.quads * p.blocks);
    if (run >= p.runs) { return; }
    let rows = min(vec4<u32>(row, row + 1u, row + 2u, row + 3u), vec4<u32>(p.batch - 1u));
    let dh_rows = (vec4<u32>(run * p.batch) + rows) * (4u * out_quads());
    var sum = mat4x4<f32>();
    for (var l = 0u; l < p.outs; l++) {
        let weight = params[params_at(run) + l * p.quads + quad];
        sum[0] += dh[dh_rows.x + l] * weight;
        sum[1] += dh[dh_rows.y + l] * weight;
        sum[2] += dh[dh_rows.z + l] * weight;
        sum[3] += dh[dh_rows.w + l] * weight;
    }
    let to = (run * p.batch + row) * p.quads + quad;
    for (var i = 0u; i < 4u; i++) {
        if (row + i < p.batch) { dx[to + i * p.quads] = sum[i]; }
    }
}
