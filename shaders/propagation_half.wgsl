// First half of a full covariance through a linearised layer: product [B,L,Q] vec4 = M diag(F) Σ diag(F). means [weight [L,Q] | …] vec4,
// moments (planes) vec4, covariance [B,d,Q] vec4, symmetric. A thread owns 4 outputs × 4 inputs of one Gaussian in registers.
//!include common/grid.wgsl
//!include common/propagation.wgsl
@group(0) @binding(1) var<storage, read> means: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> moments: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> covariance: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> product: array<vec4<f32>>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    let column = id % p.quads;
    let row = id / p.quads % out_quads() * 4u;
    let b = id / (p.quads * out_quads());
    if (b >= p.batch) { return; }
    let slope = slope_at(b);
    let weights = four_rows(row, p.outs);
    let columns = vec4<u32>(b * p.inputs * p.quads) + four_rows(4u * column, p.inputs);
    var sum = mat4x4<f32>();
    for (var quad = 0u; quad < p.quads; quad++) {
        // Symmetric: column j of Σ is its row j.
        let block = mat4x4<f32>(covariance[columns.x + quad], covariance[columns.y + quad],
                                covariance[columns.z + quad], covariance[columns.w + quad]);
        let f = moments[slope + quad];
        sum[0] += (means[weights.x + quad] * f) * block;
        sum[1] += (means[weights.y + quad] * f) * block;
        sum[2] += (means[weights.z + quad] * f) * block;
        sum[3] += (means[weights.w + quad] * f) * block;
    }
    let f = moments[slope + column];
    let live = vec4<u32>(4u * column) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(p.inputs);
    for (var i = 0u; i < 4u; i++) {
        if (row + i < p.outs) { product[(b * p.outs + row + i) * p.quads + column] = select(vec4<f32>(), sum[i] * f, live); }
    }
}
