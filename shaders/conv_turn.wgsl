// The kernels of a convolution's way back: turned by half a turn, channels exchanged. params [R, weight [O, weights] | bias] →
// turned [R, C, inner stride], pads 0. `h_stride` is the stride of a row of turned. One thread an entry.
//!include common/grid.wgsl
//!include common/conv.wgsl
@group(0) @binding(1) var<storage, read> params: array<f32>;
@group(0) @binding(2) var<storage, read_write> turned: array<f32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    if (id >= p.runs * p.channels * p.h_stride) { return; }
    let k = id % p.h_stride;
    let channel = id / p.h_stride % p.channels;
    let run = id / (p.h_stride * p.channels);
    let out = min(k / 9u, p.outs - 1u);
    let weight = params[run * p.params + out * p.weights + channel * 9u + 8u - k % 9u];
    turned[id] = select(0.0, weight, k < 9u * p.outs);
}
