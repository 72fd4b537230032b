// ReLU, z = max(h, 0), in vec4. One thread a vec4.
//!include common/activation.wgsl
//!include common/grid.wgsl

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    if (id < p.len) { z[id] = max(h[id], vec4<f32>()); }
}
