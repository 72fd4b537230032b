// What root_k adds to the gradient with respect to Z_k = [X; U_k]: D_k root_k, added to `to` in place. MODE 0: to that of every
// component's u, `to` being the gradients [R,P]; MODE 1: to that of x, summed over the components in order, `to` being dx [R,B,Q].
// params [R,P] vec4, gradients D [R,K,B+L,Rp] → to, vec4. A thread takes one vec4 of four rows (`blocks` a component, or a run).
//!include common/grid.wgsl
//!include common/gm.wgsl
//!include common/gm_root.wgsl
@group(0) @binding(1) var<storage, read> params: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> gradients: array<f32>;
@group(0) @binding(3) var<storage, read_write> to: array<vec4<f32>>;

// D_k root_k in four rows of the gradients, those at the places `d`.
fn product(d: vec4<u32>, root: u32) -> mat4x4<f32> {
    var sum = mat4x4<f32>();
    for (var r = 0u; r < p.rank; r++) {
        let weight = params[root + r * p.quads];
        sum[0] += gradients[d.x + r] * weight;
        sum[1] += gradients[d.y + r] * weight;
        sum[2] += gradients[d.z + r] * weight;
        sum[3] += gradients[d.w + r] * weight;
    }
    return sum;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    var rest = thread_number(group, groups, LANES, lane);
    let quad = rest % p.quads; rest /= p.quads;
    let row = 4u * (rest % p.blocks); rest /= p.blocks;
    let of_u = MODE == 0u;
    let comps = select(1u, p.comps, of_u);
    let own = rest % comps;
    let run = rest / comps;
    if (run >= p.runs) { return; }
    let count = select(p.batch, p.outs, of_u);
    let places = min(vec4<u32>(row, row + 1u, row + 2u, row + 3u), vec4<u32>(count - 1u)) + vec4<u32>(select(0u, p.batch, of_u));
    var sum = mat4x4<f32>();
    for (var k = own; k < select(p.comps, own + 1u, of_u); k++) {
        let d = vec4<u32>(4u * projection_at(run, k, 0u)) + places * (4u * rank_quads());
        sum += product(d, root_at(run, k) + quad);
    }
    let first = select(run * p.batch * p.quads, u_at(run) + own * p.outs * p.quads, of_u) + row * p.quads + quad;
    for (var i = 0u; i < 4u; i++) {
        if (row + i < count) { to[first + i * p.quads] += sum[i]; }
    }
}
