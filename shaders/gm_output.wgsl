// Outputs of the GM layer: h_l = 1/K Σ_k (A_k r_kl + F_k c_kl), components added in order.
// sums [R,B+1,K,L+2], moments [R,B,K] → h [R,B,Lp]. One thread an output; pads become 0.
//!include common/grid.wgsl
//!include common/gm.wgsl
//!include common/gm_output.wgsl
@group(0) @binding(1) var<storage, read> sums: array<f32>;
@group(0) @binding(2) var<storage, read> moments: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> h: array<f32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    let width = 4u * out_quads();
    if (id >= p.runs * p.batch * width) { return; }
    let l = id % width;
    let row = (id / width) % p.batch;
    let run = id / (width * p.batch);
    h[id] = select(0.0, output_of(run, row, min(l, p.outs - 1u)), l < p.outs);
}
