// Rounds of a sweep of one-sided Jacobi over the rows of matrices whose singular values are wanted: rows [G,n,n], worst [G,2]. The lengths of the
// rows become the singular values; singular vectors are not kept. common/hestenes.wgsl.
@group(0) @binding(1) var<storage, read_write> rows: array<f32>;
@group(0) @binding(2) var<storage, read_write> worst: array<f32>;
//!include common/hestenes.wgsl

fn rotate_too(first: u32, second: u32, c: f32, s: f32) {}
