// Adds the splits of gm_forward in a fixed order and takes the rectified moments.
// partial [splits,R,B+1,K,L+2], params [R,P] → sums [R,B+1,K,L+2] (c_l for a row of the minibatch, r_l = ⟨u_l, μ⟩ + v_l in
// row B; columns 0 and 1 hold m and s²) and moments [R,B,K] vec4 (A, F, q, w). One thread a sum.
//!include common/grid.wgsl
//!include common/normal.wgsl
//!include common/gm.wgsl
@group(0) @binding(1) var<storage, read> partial_sums: array<f32>;
@group(0) @binding(2) var<storage, read> params: array<f32>;
@group(0) @binding(3) var<storage, read_write> sums: array<f32>;
@group(0) @binding(4) var<storage, read_write> moments: array<vec4<f32>>;

fn total(at: u32, step: u32) -> f32 {
    var sum = 0.0;
    for (var split = 0u; split < p.splits; split++) { sum += partial_sums[split * step + at]; }
    return sum;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    let step = p.runs * (p.batch + 1u) * p.comps * columns();
    if (id >= step) { return; }
    let column = id % columns();
    let k = (id / columns()) % p.comps;
    let row = (id / (columns() * p.comps)) % (p.batch + 1u);
    let run = id / (columns() * p.comps * (p.batch + 1u));
    var sum = total(id, step);
    if (row == p.batch && column >= 2u) { sum += params[4u * (v_at(run) + k * out_quads()) + column - 2u]; }
    sums[id] = sum;
    if (row < p.batch && column == 0u) {
        moments[(run * p.batch + row) * p.comps + k] = relu_moments(sum, total(id + 1u, step));
    }
}
