// Weights and means of clusters: labels and weights [B,C], means [B,C,Q] vec4 → merged weights [B,k], merged means [B,k,Q] vec4 =
// Σ π_i m_i/π, members in order. One thread a vec4 of a merged mean. A cluster without components is 0.
//!include common/grid.wgsl
//!include common/clusters.wgsl
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> means: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> merged_weights: array<f32>;
@group(0) @binding(5) var<storage, read_write> merged_means: array<vec4<f32>>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    let quad = id % p.quads;
    let cluster = id / p.quads;
    let problem = cluster / p.clusters;
    let label = cluster % p.clusters;
    if (problem >= p.batch) { return; }
    let weight = weight_of(problem, label);
    let first = first_of(problem, label);
    var sum = vec4<f32>();
    for (var c = problem * p.components; c < (problem + 1u) * p.components; c++) {
        if (labels[c] == label) { sum += share_of(c, weight, first) * means[c * p.quads + quad]; }
    }
    merged_means[id] = sum;
    if (quad == 0u) { merged_weights[cluster] = weight; }
}
