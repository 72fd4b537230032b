// Gradient with respect to root: ∂root_k = D_kᵀ Z_k, Z_k = [X; U_k].
// x [slots,R,B,Q] vec4, params [R,P] vec4, gradients D [R,K,B+L,Rq] vec4 → grads [R,P] vec4, its part `root`.
// A thread owns 4 rows of the root × 4 inputs in registers and walks the rows of Z in order.
//!include common/grid.wgsl
//!include common/gm.wgsl
//!include common/gm_root.wgsl
//!include common/gm_root_rows.wgsl
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> params: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> gradients: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> grads: array<vec4<f32>>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    var rest = thread_number(group, groups, LANES, lane);
    let quad = rest % p.quads; rest /= p.quads;
    let rank_quad = rest % rank_quads(); rest /= rank_quads();
    let k = rest % p.comps;
    let run = rest / p.comps;
    if (run >= p.runs) { return; }
    var sum = mat4x4<f32>();
    for (var row = 0u; row < rows(); row++) {
        let d = gradients[projection_at(run, k, row) + rank_quad];
        let z = row_of(run, k, row, quad);
        sum[0] += d.x * z;
        sum[1] += d.y * z;
        sum[2] += d.z * z;
        sum[3] += d.w * z;
    }
    let to = root_at(run, k) + 4u * rank_quad * p.quads + quad;
    for (var i = 0u; i < 4u; i++) {
        if (4u * rank_quad + i < p.rank) { grads[to + i * p.quads] = sum[i]; }
    }
}
