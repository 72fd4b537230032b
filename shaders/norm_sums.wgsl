// Gradients of a batch normalisation's parameters: ∂γ = Σ ∂h x̂, ∂β = Σ ∂h over the minibatch, x̂ = (x − m)/√(v + ε); running values have
// none. x, dh [R,B,C·H·W], statistics [R,C] vec4 → gradients [R, gamma | beta | 0 | 0].
// A workgroup a channel: lanes take every LANES-th value, then lane 0 adds the lanes in order.
//!include common/batch_norm.wgsl
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> dh: array<f32>;
@group(0) @binding(3) var<storage, read> statistics: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> gradients: array<f32>;

var<workgroup> lanes: array<vec2<f32>, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let number = group.y * groups.x + group.x;
    let channel = min(number, p.runs * p.channels - 1u);
    let s = statistics[channel];
    var sums = vec2<f32>();
    for (var n = lane; n < values(); n += LANES) {
        let at = value_at(channel, n);
        sums += dh[at] * vec2<f32>((x[at] - s.x) * s.y, 1.0);
    }
    lanes[lane] = sums;
    workgroupBarrier();
    if (lane != 0u || number != channel) { return; }
    sums = vec2<f32>();
    for (var i = 0u; i < LANES; i++) { sums += lanes[i]; }
    gradients[param_at(channel, 0u)] = sums.x;
    gradients[param_at(channel, 1u)] = sums.y;
    // The last channel of a run also clears what lies behind it.
    let behind = select(1u, 1u + p.padded - p.channels, channel % p.channels == p.channels - 1u);
    for (var i = 0u; i < behind; i++) {
        if (i > 0u) {
            gradients[param_at(channel, 0u) + i] = 0.0;
            gradients[param_at(channel, 1u) + i] = 0.0;
        }
        gradients[param_at(channel, 2u) + i] = 0.0;
        gradients[param_at(channel, 3u) + i] = 0.0;
    }
}
