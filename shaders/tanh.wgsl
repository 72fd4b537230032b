// z = tanh h, in vec4. One thread a vec4.
// With e = exp(−2|h|), which cannot overflow: z = sign(h) (1 − e)/(1 + e). The error is that of exp, absolute: 1e-6.
//!include common/activation.wgsl
//!include common/grid.wgsl

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    if (id < p.len) {
        let e = exp(-2.0 * abs(h[id]));
        z[id] = sign(h[id]) * (1.0 - e) / (1.0 + e);
    }
}
