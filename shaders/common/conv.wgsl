// Sizes of a 3×3 convolution with a margin of one zero, as a matrix product: W [O, K] times columns [K, N], K = 9C taps of all
// channels, N = B H W places of a run. A column's entries are pixels next to its place, never written down.
// `rows` weights have a stride of `weights`, pictures strides of `x_stride` and `h_stride`; a run has `params` parameters.
struct Params {
    runs: u32, batch: u32, channels: u32, outs: u32,
    height: u32, width: u32, x_stride: u32, h_stride: u32,
    weights: u32, params: u32, slot: u32, per_split: u32,
}
@group(0) @binding(0) var<uniform> p: Params;

// A workgroup of 64 threads makes a tile of 32 × 64, a thread 8 × 4 of it, in steps of 16 terms.
const TILE_ROWS = 32u;
const TILE_COLS = 64u;
const STEP = 16u;

fn inner() -> u32 { return 9u * p.channels; }
fn pixels() -> u32 { return p.height * p.width; }
fn places() -> u32 { return p.batch * pixels(); }

// Where a place lies: the picture's start in x, then its row and column.
fn place_of(run: u32, n: u32) -> vec3<u32> {
    let pixel = n % pixels();
    let picture = (p.slot * p.runs + run) * p.batch + n / pixels();
    return vec3<u32>(picture * p.x_stride, pixel / p.width, pixel % p.width);
}
// Where channel `row` of place n lies in pictures [R,B,O·H·W].
fn made_at(run: u32, row: u32, n: u32) -> u32 {
    return (run * p.batch + n / pixels()) * p.h_stride + row * pixels() + n % pixels();
}
// The place in x of tap k next to a place, or the largest number where it is in the margin.
fn tap_at(place: vec3<u32>, k: u32) -> u32 {
    let tap = k % 9u;
    // One less than the margin's row or column wraps around and is too large as well.
    let y = place.y + tap / 3u - 1u;
    let x = place.z + tap % 3u - 1u;
    let inside = k < inner() && y < p.height && x < p.width;
    return select(0xffffffffu, place.x + (k / 9u * p.height + y) * p.width + x, inside);
}
