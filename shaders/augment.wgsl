// Crops with a margin of 4 zeros and mirror images: pixel (y, x) comes from (y + down − 4, x + right − 4), or from x counted from the
// right. x [rows, stride], a word of moves for each row (right in 8 bits, down in 8, mirrored in 1) → out, pads 0. One thread a value.
//!include common/grid.wgsl
struct Params { rows: u32, channels: u32, height: u32, width: u32, stride: u32, pad0: u32, pad1: u32, pad2: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> moves: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    if (id >= p.rows * p.stride) { return; }
    let word = moves[id / p.stride];
    let at = id % p.stride;
    let pixel = at % p.width;
    // Less than the margin wraps around and is too large as well.
    let y = at / p.width % p.height + ((word >> 8u) & 255u) - 4u;
    let column = select(pixel, p.width - 1u - pixel, ((word >> 16u) & 1u) == 1u) + (word & 255u) - 4u;
    let inside = y < p.height && column < p.width && at < p.channels * p.height * p.width;
    let source = id / p.stride * p.stride + (at / (p.height * p.width) * p.height + y) * p.width + column;
    out[id] = select(0.0, x[select(id, source, inside)], inside);
}
