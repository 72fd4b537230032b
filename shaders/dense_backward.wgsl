// Gradients of the dense layer's parameters: ∂W = dhᵀ x, ∂b = Σ_b dh, rows added in order.
// x [slots,R,B,Q] vec4, dh [R,B,Lq] vec4 → gradients [R, weight [L,Q] | bias [Lq]] vec4.
// A thread owns 4 outputs × 4 inputs; the thread past the inputs takes the bias.
//!include common/grid.wgsl
//!include common/dense.wgsl
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> dh: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> gradients: array<vec4<f32>>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    let quad = id % (p.quads + 1u);
    let out = (id / (p.quads + 1u)) % out_quads();
    let run = id / ((p.quads + 1u) * out_quads());
    if (run >= p.runs) { return; }
    let of_bias = quad == p.quads;
    var sum = mat4x4<f32>();
    for (var row = 0u; row < p.batch; row++) {
        let g = dh[(run * p.batch + row) * out_quads() + out];
        let inputs = select(x[x_at(run, row) + min(quad, p.quads - 1u)], vec4<f32>(1.0), of_bias);
        sum[0] += g.x * inputs;
        sum[1] += g.y * inputs;
        sum[2] += g.z * inputs;
        sum[3] += g.w * inputs;
    }
    if (of_bias) {
        gradients[params_at(run) + p.outs * p.quads + out] = vec4<f32>(sum[0].x, sum[1].x, sum[2].x, sum[3].x);
        return;
    }
    for (var i = 0u; i < 4u; i++) {
        if (4u * out + i < p.outs) { gradients[params_at(run) + (4u * out + i) * p.quads + quad] = sum[i]; }
    }
}
