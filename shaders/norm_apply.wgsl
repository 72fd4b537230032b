// Batch normalisation by given statistics, h = γ (x − m)/√(v + ε) + β: x [R,B,C·H·W], params, statistics [R,C] vec4 → h, pads 0.
// One thread a value.
//!include common/grid.wgsl
//!include common/batch_norm.wgsl
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> params: array<f32>;
@group(0) @binding(3) var<storage, read> statistics: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> h: array<f32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    if (id >= p.runs * p.batch * p.stride) { return; }
    let channel = channel_of(id);
    let s = statistics[channel];
    let normalized = (x[id] - s.x) * (s.y * params[param_at(channel, 0u)]) + params[param_at(channel, 1u)];
    h[id] = select(0.0, normalized, is_live(id));
}
