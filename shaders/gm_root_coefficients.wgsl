// Gradient with respect to the projections E_k = [a; e]: D_k = [2 gs² a + Σ_l H_l e_l; Σ_b H_l a] with H_l = F/K dh_l.
// projections [R,K,B+L,Rq] vec4, coef [R,B,K] vec4 (gm, gs², F/K, A/K), dh [R,B,Lp] → gradients [R,K,B+L,Rq] vec4.
// One thread a vec4; outputs and rows of the minibatch are added in order.
//!include common/grid.wgsl
//!include common/gm.wgsl
//!include common/gm_root.wgsl
@group(0) @binding(1) var<storage, read> projections: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> coef: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> dh: array<f32>;
@group(0) @binding(4) var<storage, read_write> gradients: array<vec4<f32>>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    if (id >= p.runs * p.comps * rows() * rank_quads()) { return; }
    let quad = id % rank_quads();
    let row = (id / rank_quads()) % rows();
    let k = (id / (rank_quads() * rows())) % p.comps;
    let run = id / (rank_quads() * rows() * p.comps);
    let width = 4u * out_quads();
    let first = projection_at(run, k, 0u) + quad;
    var sum = vec4<f32>();
    if (row < p.batch) {
        let factors = coef[(run * p.batch + row) * p.comps + k];
        for (var l = 0u; l < p.outs; l++) {
            sum += dh[(run * p.batch + row) * width + l] * projections[first + (p.batch + l) * rank_quads()];
        }
        sum = 2.0 * factors.y * projections[id] + factors.z * sum;
    } else {
        for (var b = 0u; b < p.batch; b++) {
            let h = coef[(run * p.batch + b) * p.comps + k].z * dh[(run * p.batch + b) * width + row - p.batch];
            sum += h * projections[first + b * rank_quads()];
        }
    }
    gradients[id] = sum;
}
