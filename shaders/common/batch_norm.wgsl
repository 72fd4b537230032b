// Sizes of a batch normalisation over pictures [R,B,stride], and its parameters [R, gamma | beta | mean | variance], each [padded].
struct Params { runs: u32, batch: u32, channels: u32, pixels: u32, stride: u32, padded: u32, momentum: f32, epsilon: f32 }
@group(0) @binding(0) var<uniform> p: Params;

fn values() -> u32 { return p.batch * p.pixels; }
// Value n of channel `channel`, counted over runs.
fn value_at(channel: u32, n: u32) -> u32 {
    let row = channel / p.channels * p.batch + n / p.pixels;
    return row * p.stride + channel % p.channels * p.pixels + n % p.pixels;
}
// The channel of value `id` of [R,B,stride], counted over runs; in a pad the last one.
fn channel_of(id: u32) -> u32 {
    return id / (p.stride * p.batch) * p.channels + min(id % p.stride / p.pixels, p.channels - 1u);
}
// Whether value `id` is none of a pad.
fn is_live(id: u32) -> bool { return id % p.stride < p.channels * p.pixels; }
// Where gamma (0), beta (1), the mean (2) or the variance (3) of a channel lies.
fn param_at(channel: u32, which: u32) -> u32 {
    return (channel / p.channels * 4u + which) * p.padded + channel % p.channels;
}
