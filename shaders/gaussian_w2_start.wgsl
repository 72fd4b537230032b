// Start of the distances of Gaussians with full covariances S = V diag(λ) Vᵀ: rows [pairs,n,n] = Λ₂^½ V₂ᵀ V₁ Λ₁^½ for every pair, each list
// divided by its largest λ; entry c of row r at c·n + r. worst [pairs,2] = 1. One thread an entry. Sweeps of singular_sweep follow, then
// gaussian_w2_finish.
//!include common/grid.wgsl
@group(0) @binding(1) var<storage, read> left_vectors: array<f32>;
@group(0) @binding(2) var<storage, read> right_vectors: array<f32>;
@group(0) @binding(3) var<storage, read> left_values: array<f32>;
@group(0) @binding(4) var<storage, read> right_values: array<f32>;
@group(0) @binding(5) var<storage, read_write> rows: array<f32>;
@group(0) @binding(6) var<storage, read_write> worst: array<f32>;
//!include common/pairs.wgsl

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    let r = id % p.n;
    let c = id / p.n % p.n;
    let pair = id / (p.n * p.n);
    if (pair >= p.count) { return; }
    let i = left_of(pair) * p.n;
    let j = right_of(pair) * p.n;
    let scales = scales_of(pair);
    var sum = 0.0;
    for (var e = 0u; e < p.n; e++) { sum += right_vectors[(j + e) * p.n + r] * left_vectors[(i + e) * p.n + c]; }
    rows[id] = sum * sqrt(kept(right_values[j + r], scales.y) / scales.y) * sqrt(kept(left_values[i + c], scales.x) / scales.x);
    if (r == 0u && c == 0u) {
        worst[2u * pair] = 1.0;
        worst[2u * pair + 1u] = 1.0;
    }
}
