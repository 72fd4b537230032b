// Gradient with respect to the weights: with u' = K w u and v' = K w v, ∂w_k = K (⟨u_k, ∂u'_k⟩ + ⟨v_k, ∂v'_k⟩).
// params of the weighted layer [R, …] vec4, gradients of the plain layer [R, …] vec4 → grads of the weighted layer, its part `weights`;
// pads become 0. A workgroup a component: its lanes take every LANES-th vec4, the first one adds their sums in order. The grid has one
// workgroup a component folded over (x, y); one past the end repeats the last and writes nothing, so that control flow is uniform.
//!include common/grid.wgsl
//!include common/gm_weights.wgsl
@group(0) @binding(1) var<storage, read> params: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> gradients: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> grads: array<f32>;

var<workgroup> sums: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let number = group.y * groups.x + group.x;
    let padded = (p.comps + 3u) / 4u * 4u;
    let id = min(number, p.runs * padded - 1u);
    let k = min(id % padded, p.comps - 1u);
    let run = id / padded;
    let of_params = run * weighted_stride();
    let of_gradients = run * plain_len();
    var sum = 0.0;
    let of_u = u_start() + k * p.outs * p.quads;
    for (var i = lane; i < p.outs * p.quads; i += LANES) { sum += dot(params[of_params + of_u + i], gradients[of_gradients + of_u + i]); }
    let of_v = v_start() + k * out_quads();
    for (var i = lane; i < out_quads(); i += LANES) { sum += dot(params[of_params + of_v + i], gradients[of_gradients + of_v + i]); }
    sums[lane] = sum;
    workgroupBarrier();
    if (lane != 0u || number >= p.runs * padded) { return; }
    var total = 0.0;
    for (var i = 0u; i < LANES; i++) { total += sums[i]; }
    grads[4u * (run * weighted_stride() + plain_len()) + id % padded] = select(0.0, f32(p.comps) * total, id % padded < p.comps);
}
