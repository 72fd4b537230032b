// Sizes of a 2×2 pooling of `rows` pictures of `channels · height · width` values, strides `big` before and `small` after it.
struct Params { rows: u32, channels: u32, height: u32, width: u32, big: u32, small: u32, pad0: u32, pad1: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;

// Where the largest of four pixels lies, from the first of them on; the first among equal ones.
fn largest(first: u32) -> u32 {
    var best = first;
    if (x[first + 1u] > x[best]) { best = first + 1u; }
    if (x[first + p.width] > x[best]) { best = first + p.width; }
    if (x[first + p.width + 1u] > x[best]) { best = first + p.width + 1u; }
    return best;
}
