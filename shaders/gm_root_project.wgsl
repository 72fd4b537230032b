// Projections of the minibatch and of every component's u on the rows of its root: E_k = Z_k root_kᵀ, Z_k = [X; U_k].
// x [slots,R,B,Q] vec4, params [R,P] vec4 → projections [R,K,B+L,Rq] vec4; pads become 0. Formulas: reference/gm_layer/root.rs.
// A thread owns 4 rows × 4 rows of the root in registers and walks the inputs in order. Error of a plain dot product.
//!include common/grid.wgsl
//!include common/gm.wgsl
//!include common/gm_root.wgsl
//!include common/gm_root_rows.wgsl
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> params: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> projections: array<vec4<f32>>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    var rest = thread_number(group, groups, LANES, lane);
    let row = 4u * (rest % p.blocks); rest /= p.blocks;
    let rank_quad = rest % rank_quads(); rest /= rank_quads();
    let k = rest % p.comps;
    let run = rest / p.comps;
    if (run >= p.runs) { return; }
    let last = rows() - 1u;
    let places = vec4<u32>(4u * rank_quad) + vec4<u32>(0u, 1u, 2u, 3u);
    let root = vec4<u32>(root_at(run, k)) + min(places, vec4<u32>(p.rank - 1u)) * p.quads;
    var sum = mat4x4<f32>();
    for (var quad = 0u; quad < p.quads; quad++) {
        let weights = mat4x4<f32>(params[root.x + quad], params[root.y + quad], params[root.z + quad], params[root.w + quad]);
        sum[0] += row_of(run, k, row, quad) * weights;
        sum[1] += row_of(run, k, min(row + 1u, last), quad) * weights;
        sum[2] += row_of(run, k, min(row + 2u, last), quad) * weights;
        sum[3] += row_of(run, k, min(row + 3u, last), quad) * weights;
    }
    let to = projection_at(run, k, row) + rank_quad;
    for (var i = 0u; i < 4u; i++) {
        if (row + i < rows()) { projections[to + i * rank_quads()] = select(vec4<f32>(), sum[i], places < vec4<u32>(p.rank)); }
    }
}
