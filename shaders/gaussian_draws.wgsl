// Independent normal numbers: mean and variance [given,Q] vec4 → out [rows,Q] vec4 = mean + √variance ∘ ξ, row r from their row
// r mod given. Vec4 q of row r takes block first + r Q + q of the random stream. One thread a vec4. Variances are not negative.
//!include common/grid.wgsl
//!include common/philox.wgsl
//!include common/normals.wgsl
struct Params { seed: vec2<u32>, stream: vec2<u32>, first_block: vec2<u32>, len: u32, given: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> mean: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> variance: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    if (id >= p.len) { return; }
    // Rows repeat after p.given vec4.
    let at = id % p.given;
    out[id] = mean[at] + sqrt(variance[at]) * normals(philox(p.seed, p.stream, p.first_block, id));
}
