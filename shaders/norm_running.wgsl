// The running statistics of a batch normalisation. MODE 0 takes them out of the parameters, params → statistics [R,C] vec4 (mean, 1/√(v + ε),
// v, 0); otherwise the minibatch's go into them, r ← r + momentum (s − r). One thread a channel.
//!include common/grid.wgsl
//!include common/batch_norm.wgsl
@group(0) @binding(1) var<storage, read_write> params: array<f32>;
@group(0) @binding(2) var<storage, read_write> statistics: array<vec4<f32>>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let channel = thread_number(group, groups, LANES, lane);
    if (channel >= p.runs * p.channels) { return; }
    let mean = params[param_at(channel, 2u)];
    let variance = params[param_at(channel, 3u)];
    if (MODE == 0u) {
        statistics[channel] = vec4<f32>(mean, 1.0 / sqrt(variance + p.epsilon), variance, 0.0);
    } else {
        let latest = statistics[channel];
        params[param_at(channel, 2u)] = mean + p.momentum * (latest.x - mean);
        params[param_at(channel, 3u)] = variance + p.momentum * (latest.z - variance);
    }
}
