// End of the eigenpairs: matrices [G,n,Np] and turned [G,n,n], whose column j is v_j → values [G,n], λ_j = v_j · S v_j, in no order, and quality
// [G,n,2]: ‖S v_j − λ_j v_j‖ as part of the largest entry of S, and the largest |v_i · v_j − δ_ij|, i ≤ j. One thread a pair.
//!include common/grid.wgsl
struct Params { n: u32, stride: u32, count: u32, pad: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> matrices: array<f32>;
@group(0) @binding(2) var<storage, read> turned: array<f32>;
@group(0) @binding(3) var<storage, read_write> images: array<f32>;
@group(0) @binding(4) var<storage, read_write> values: array<f32>;
@group(0) @binding(5) var<storage, read_write> quality: array<f32>;
//!include common/eigen_scale.wgsl

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    let j = id % p.n;
    let g = id / p.n;
    if (g >= p.count) { return; }
    let at = g * p.n * p.n;
    let inverse = inverse_scale(g);
    var norm = 0.0;
    var value = 0.0;
    // S v_j anew from S itself, kept in column j of the scratch.
    for (var e = 0u; e < p.n; e++) {
        var image = 0.0;
        for (var f = 0u; f < p.n; f++) { image += inverse * matrices[(g * p.n + e) * p.stride + f] * turned[at + f * p.n + j]; }
        images[at + e * p.n + j] = image;
        let v = turned[at + e * p.n + j];
        value += image * v;
        norm += v * v;
    }
    value /= norm;
    var residual = 0.0;
    for (var e = 0u; e < p.n; e++) {
        let off = images[at + e * p.n + j] - value * turned[at + e * p.n + j];
        residual += off * off;
    }
    var defect = abs(norm - 1.0);
    for (var i = 0u; i < j; i++) {
        var cosine = 0.0;
        for (var e = 0u; e < p.n; e++) { cosine += turned[at + e * p.n + i] * turned[at + e * p.n + j]; }
        defect = max(defect, abs(cosine));
    }
    values[id] = value / inverse;
    quality[2u * id] = sqrt(residual);
    quality[2u * id + 1u] = defect;
}
