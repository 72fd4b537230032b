// End of the distances of Gaussians with full covariances: ‖m₁ − m₂‖² + Σ λ₁ + Σ λ₂ − 2 Σ σ, where σ are the lengths of the orthogonal
// rows [pairs,n,n]. means [B,p,Np], [B,q,Np], values [..,n] → out [pairs]. One thread a pair, sums in order.
// Where the covariances are nearly equal, the difference cancels to about n ε of their traces.
//!include common/grid.wgsl
@group(0) @binding(1) var<storage, read> left_means: array<f32>;
@group(0) @binding(2) var<storage, read> right_means: array<f32>;
@group(0) @binding(3) var<storage, read> left_values: array<f32>;
@group(0) @binding(4) var<storage, read> right_values: array<f32>;
@group(0) @binding(5) var<storage, read> rows: array<f32>;
@group(0) @binding(6) var<storage, read_write> out: array<f32>;
//!include common/pairs.wgsl

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let pair = thread_number(group, groups, LANES, lane);
    if (pair >= p.count) { return; }
    let i = left_of(pair);
    let j = right_of(pair);
    let scales = scales_of(pair);
    let scale = 2.0 * sqrt(scales.x) * sqrt(scales.y);
    var sum = 0.0;
    var apart = 0.0;
    for (var r = 0u; r < p.n; r++) {
        var square = 0.0;
        for (var e = 0u; e < p.n; e++) {
            let entry = rows[(pair * p.n + e) * p.n + r];
            square += entry * entry;
        }
        sum += kept(left_values[i * p.n + r], scales.x) + kept(right_values[j * p.n + r], scales.y) - scale * sqrt(square);
        let off = left_means[i * p.stride + r] - right_means[j * p.stride + r];
        apart += off * off;
    }
    out[pair] = apart + max(sum, 0.0);
}
