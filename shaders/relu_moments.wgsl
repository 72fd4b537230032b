// Rectified moments of many normal variables: mean [n], variance [n] → moments [n] vec4 (A, F, q, w). One thread each.
// Formulas, stable form and error: common/normal.wgsl.
//!include common/grid.wgsl
//!include common/normal.wgsl
struct Params { len: u32, pad0: u32, pad1: u32, pad2: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> mean: array<f32>;
@group(0) @binding(2) var<storage, read> variance: array<f32>;
@group(0) @binding(3) var<storage, read_write> moments: array<vec4<f32>>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    if (id < p.len) { moments[id] = relu_moments(mean[id], variance[id]); }
}
