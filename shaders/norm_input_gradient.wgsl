// Gradient of a batch normalisation with respect to its input, through the minibatch's mean and variance:
// ∂x = γ/√(v + ε) (∂h − ∂β/n − x̂ ∂γ/n). x, dh [R,B,C·H·W], params, statistics [R,C] vec4, gradients of the parameters → dx, pads 0.
// One thread a value.
//!include common/grid.wgsl
//!include common/batch_norm.wgsl
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> params: array<f32>;
@group(0) @binding(3) var<storage, read> statistics: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> dh: array<f32>;
@group(0) @binding(5) var<storage, read> gradients: array<f32>;
@group(0) @binding(6) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    if (id >= p.runs * p.batch * p.stride) { return; }
    let channel = channel_of(id);
    let s = statistics[channel];
    let n = f32(values());
    let along = (x[id] - s.x) * s.y * (gradients[param_at(channel, 0u)] / n);
    let gradient = params[param_at(channel, 0u)] * s.y * (dh[id] - gradients[param_at(channel, 1u)] / n - along);
    dx[id] = select(0.0, gradient, is_live(id));
}
