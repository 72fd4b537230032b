// u and v of every component times K w_k, everything else as it is: parameters of the weighted layer → those of the plain one, and
// gradients of the plain layer → those of the weighted one. Weights of the target, if it has any, are left alone.
// source [R, source_stride] vec4, params of the weighted layer [R, …] → scaled [R, target_stride] vec4. One thread a vec4.
//!include common/grid.wgsl
//!include common/gm_weights.wgsl
@group(0) @binding(1) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> params: array<f32>;
@group(0) @binding(3) var<storage, read_write> scaled: array<vec4<f32>>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    if (id >= p.runs * plain_len()) { return; }
    let at = id % plain_len();
    let run = id / plain_len();
    var scale = 1.0;
    if (at >= u_start() && at < v_end()) {
        let k = select((at - v_start()) / out_quads(), (at - u_start()) / (p.outs * p.quads), at < v_start());
        scale = f32(p.comps) * params[4u * (run * weighted_stride() + plain_len()) + k];
    }
    scaled[run * p.target_stride + at] = scale * source[run * p.source_stride + at];
}
