// Mean, 1/√(variance + ε) and unbiased variance of every channel over the minibatch: x [R,B,C·H·W] → statistics [R,C] vec4. The
// variance is the mean square of deviations from the mean, in a second walk: nothing cancels.
// A workgroup a channel: lanes take every LANES-th value, then lane 0 adds the lanes in order.
//!include common/batch_norm.wgsl
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> statistics: array<vec4<f32>>;

var<workgroup> lanes: array<f32, LANES>;

fn total() -> f32 {
    var sum = 0.0;
    for (var i = 0u; i < LANES; i++) { sum += lanes[i]; }
    return sum;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let number = group.y * groups.x + group.x;
    let channel = min(number, p.runs * p.channels - 1u);
    var sum = 0.0;
    for (var n = lane; n < values(); n += LANES) { sum += x[value_at(channel, n)]; }
    lanes[lane] = sum;
    workgroupBarrier();
    let mean = total() / f32(values());
    workgroupBarrier();
    var squares = 0.0;
    for (var n = lane; n < values(); n += LANES) {
        let off = x[value_at(channel, n)] - mean;
        squares += off * off;
    }
    lanes[lane] = squares;
    workgroupBarrier();
    if (lane != 0u || number != channel) { return; }
    let all = total();
    let unbiased = all / max(f32(values()) - 1.0, 1.0);
    statistics[channel] = vec4<f32>(mean, 1.0 / sqrt(all / f32(values()) + p.epsilon), unbiased, 0.0);
}
