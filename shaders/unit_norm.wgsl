// z = h/‖h‖ for every row of p.width vec4; a zero row stays zero. One thread a row.
//!include common/activation.wgsl
//!include common/grid.wgsl
//!include common/unit_norm.wgsl

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    if (id >= p.len) { return; }
    let at = id * p.width;
    let scale = inverse_norm(at);
    for (var i = 0u; i < p.width; i++) { z[at + i] = h[at + i] * scale; }
}
