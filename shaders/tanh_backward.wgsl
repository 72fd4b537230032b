// Gradient of tanh: dh = dz (1 − tanh² h), in vec4. One thread a vec4.
// With e = exp(−2|h|), which cannot overflow: 1 − tanh² h = 4e/(1 + e)².
//!include common/grid.wgsl
struct Params { len: u32, width: u32, pad0: u32, pad1: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> h: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> dz: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> dh: array<vec4<f32>>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    if (id < p.len) {
        let e = exp(-2.0 * abs(h[id]));
        dh[id] = dz[id] * 4.0 * e / ((1.0 + e) * (1.0 + e));
    }
}
