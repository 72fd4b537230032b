// Gradient of tanh: dh = dz (1 − tanh² h), in vec4. One thread a vec4.
// With e = exp(−2|h|), which cannot overflow: 1 − tanh² h = 4e/(1 + e)².
//!include common/activation_backward.wgsl
//!include common/grid.wgsl

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    if (id < p.len) {
        let e = exp(-2.0 * abs(h[id]));
        dh[id] = dz[id] * 4.0 * e / ((1.0 + e) * (1.0 + e));
    }
}
