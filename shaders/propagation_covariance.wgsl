// Covariance after a linearised dense layer: out [B,L,4Lq] = H Mᵀ + diag(noise), exactly symmetric, pads 0. MODE 1: H [B,L,Q] vec4 is
// given by propagation_half; MODE 0: H = M diag(F² σ²) with σ² = entries [B,Q] vec4. moments (planes) vec4, noise [B,4Lq].
// A thread owns a 4 × 4 block of one Gaussian's lower triangle in registers and writes it twice.
//!include common/grid.wgsl
//!include common/propagation.wgsl
@group(0) @binding(1) var<storage, read> means: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> moments: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> entries: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> noise: array<f32>;
@group(0) @binding(5) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    let column = id % out_quads() * 4u;
    let row = id / out_quads() % out_quads() * 4u;
    let b = id / (out_quads() * out_quads());
    if (b >= p.batch || column > row) { return; }
    let left = four_rows(row, p.outs);
    let right = four_rows(column, p.outs);
    var sum = mat4x4<f32>();
    for (var quad = 0u; quad < p.quads; quad++) {
        let block = mat4x4<f32>(means[right.x + quad], means[right.y + quad], means[right.z + quad], means[right.w + quad]);
        if (MODE == 1u) {
            let at = b * p.outs * p.quads + quad;
            sum[0] += entries[at + left.x] * block;
            sum[1] += entries[at + left.y] * block;
            sum[2] += entries[at + left.z] * block;
            sum[3] += entries[at + left.w] * block;
        } else {
            let f = moments[slope_at(b) + quad];
            let w = f * f * entries[b * p.quads + quad];
            sum[0] += (means[left.x + quad] * w) * block;
            sum[1] += (means[left.y + quad] * w) * block;
            sum[2] += (means[left.z + quad] * w) * block;
            sum[3] += (means[left.w + quad] * w) * block;
        }
    }
    let width = 4u * out_quads();
    for (var i = row; i < row + 4u; i++) {
        for (var j = column; j < column + 4u; j++) {
            if (j > i) { break; }
            var value = sum[i - row][j - column];
            if (i == j) { value += noise[b * width + i]; }
            if (i >= p.outs || j >= p.outs) { value = 0.0; }
            if (i < p.outs) { out[(b * p.outs + i) * width + j] = value; }
            if (j < p.outs) { out[(b * p.outs + j) * width + i] = value; }
        }
    }
}
