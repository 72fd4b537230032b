// A step of SGD or Adam (MODE, see common/optimizer.wgsl) on flat parameters [R,P], in vec4; up to four groups of ranges,
// the same in every run. One thread a vec4; elements in no group stay as they are.
//!include common/grid.wgsl
//!include common/optimizer.wgsl
struct Params {
    starts: vec4<u32>,
    ends: vec4<u32>,
    per_run: u32, len: u32, pad0: u32, pad1: u32,
    rates: vec4<f32>, l2: vec4<f32>, settings: vec4<f32>,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> gradients: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> params: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> first: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> second: array<vec4<f32>>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    if (id >= p.len) { return; }
    let place = vec4<u32>(id % p.per_run);
    let inside = (place >= p.starts) & (place < p.ends);
    if (!any(inside)) { return; }
    let kind = select(select(select(3u, 2u, inside.z), 1u, inside.y), 0u, inside.x);
    params[id] = stepped(id, params[id], gradients[id], kind);
}
