// Covariances of clusters: Σ π_i (S_i + (m_i − m)(m_i − m)ᵀ)/π, members in order. labels, weights [B,C]; means [B,C,Q] vec4;
// covariances MODE 0 variances [B,C,Q] vec4, else [B,C,n,Q] vec4; merged means [B,k,Q] vec4 and weights [B,k] from merge_means → merged
// covariances [B,k,n,Q] vec4. One thread a vec4 of a row.
//!include common/grid.wgsl
//!include common/clusters.wgsl
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> means: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> covariances: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> merged_weights: array<f32>;
@group(0) @binding(6) var<storage, read> merged_means: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> merged_covariances: array<vec4<f32>>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    let quad = id % p.quads;
    let row = id / p.quads % p.width;
    let cluster = id / (p.quads * p.width);
    let problem = cluster / p.clusters;
    let label = cluster % p.clusters;
    if (problem >= p.batch) { return; }
    let weight = merged_weights[cluster];
    let first = first_of(problem, label);
    let center = merged_means[cluster * p.quads + quad];
    let center_row = merged_means[cluster * p.quads + row / 4u][row % 4u];
    let on_diagonal = vec4<f32>(vec4<u32>(4u * quad) + vec4<u32>(0u, 1u, 2u, 3u) == vec4<u32>(row));
    var sum = vec4<f32>();
    for (var c = problem * p.components; c < (problem + 1u) * p.components; c++) {
        if (labels[c] != label) { continue; }
        let apart = means[c * p.quads + row / 4u][row % 4u] - center_row;
        var own = apart * (means[c * p.quads + quad] - center);
        if (MODE == 0u) {
            own += covariances[c * p.quads + quad] * on_diagonal;
        } else {
            own += covariances[(c * p.width + row) * p.quads + quad];
        }
        sum += share_of(c, weight, first) * own;
    }
    merged_covariances[id] = sum;
}
