// Gradient of the unit norm: dh = (dz − z ⟨z, dz⟩)/‖h‖ with z = h/‖h‖; 0 for a zero row. One thread a row of p.width vec4.
//!include common/activation_backward.wgsl
//!include common/grid.wgsl
//!include common/unit_norm.wgsl

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    if (id >= p.len) { return; }
    let at = id * p.width;
    let scale = inverse_norm(at);
    var along = 0.0;
    for (var i = 0u; i < p.width; i++) { along += dot(h[at + i] * scale, dz[at + i]); }
    for (var i = 0u; i < p.width; i++) { dh[at + i] = (dz[at + i] - h[at + i] * scale * along) * scale; }
}
