// Coefficients of the backward contraction for every row and component.
// sums [R,B+1,K,L+2], moments [R,B,K], dh [R,B,Lp] → coef [R,B,K] vec4 (gm, gs², F/K, A/K).
//!include common/grid.wgsl
//!include common/gm.wgsl
//!include common/gm_output.wgsl
//!include common/gm_coefficients.wgsl
@group(0) @binding(1) var<storage, read> sums: array<f32>;
@group(0) @binding(2) var<storage, read> moments: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> dh: array<f32>;
@group(0) @binding(4) var<storage, read_write> coef: array<vec4<f32>>;

fn dh_of(run: u32, row: u32, l: u32) -> f32 { return dh[(run * p.batch + row) * 4u * out_quads() + l]; }

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    if (id >= p.runs * p.batch * p.comps) { return; }
    let k = id % p.comps;
    let row = (id / p.comps) % p.batch;
    coef[id] = coefficients_of(id / (p.comps * p.batch), row, k);
}
