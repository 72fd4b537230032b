// Squared 2-Wasserstein distances of Gaussians with diagonal covariances, all pairs: Σ (m₁ − m₂)² + (√s₁ − √s₂)².
// means and variances [B,p,Q] vec4 and [B,q,Q] vec4 → out [B,p,q]. One thread a pair. Error of a plain sum; no cancellation.
//!include common/grid.wgsl
struct Params { pairs: u32, left: u32, right: u32, quads: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> left_means: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> left_variances: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> right_means: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> right_variances: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    if (id >= p.pairs) { return; }
    let i = id / p.right * p.quads;
    let j = (id / (p.left * p.right) * p.right + id % p.right) * p.quads;
    var sum = vec4<f32>();
    for (var quad = 0u; quad < p.quads; quad++) {
        let apart = left_means[i + quad] - right_means[j + quad];
        let roots = sqrt(left_variances[i + quad]) - sqrt(right_variances[j + quad]);
        sum += apart * apart + roots * roots;
    }
    out[id] = (sum.x + sum.y) + (sum.z + sum.w);
}
