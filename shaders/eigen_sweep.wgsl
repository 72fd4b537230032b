// Rounds of a sweep of one-sided Jacobi over the rows of J S; J, whose rows become the eigenvectors of S, takes the same rotations.
// rows, turned [G,n,n], worst [G,2]: common/hestenes.wgsl.
@group(0) @binding(1) var<storage, read_write> rows: array<f32>;
@group(0) @binding(2) var<storage, read_write> turned: array<f32>;
@group(0) @binding(3) var<storage, read_write> worst: array<f32>;
//!include common/hestenes.wgsl

fn rotate_too(first: u32, second: u32, c: f32, s: f32) {
    let pair = vec2<f32>(turned[first], turned[second]);
    turned[first] = c * pair.x - s * pair.y;
    turned[second] = s * pair.x + c * pair.y;
}
