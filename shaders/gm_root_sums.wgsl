// What root_k adds to s² and c: ‖a‖² and ⟨e_l, a⟩ with the projections E_k = [a; e]. It is written as one split more of the
// forward product (number `splits`), which gm_reduce adds to the others: columns m and row B get 0.
// projections [R,K,B+L,Rq] vec4 → partial [splits+1,R,B+1,K,L+2]. One thread a sum.
//!include common/grid.wgsl
//!include common/gm.wgsl
//!include common/gm_root.wgsl
@group(0) @binding(1) var<storage, read> projections: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> partial_sums: array<f32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    let step = p.runs * (p.batch + 1u) * p.comps * columns();
    if (id >= step) { return; }
    let column = id % columns();
    let k = (id / columns()) % p.comps;
    let row = (id / (columns() * p.comps)) % (p.batch + 1u);
    let run = id / (columns() * p.comps * (p.batch + 1u));
    var sum = 0.0;
    if (row < p.batch && column > 0u) {
        let a = projection_at(run, k, row);
        // Column 1 is s², the product of a with itself.
        let other = projection_at(run, k, select(p.batch + column - 2u, row, column == 1u));
        for (var quad = 0u; quad < rank_quads(); quad++) { sum += dot(projections[a + quad], projections[other + quad]); }
    }
    partial_sums[p.splits * step + id] = sum;
}
