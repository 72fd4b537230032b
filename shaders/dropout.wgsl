// Inverted dropout: x [rows,Q] vec4 → out = x·scale where a random word is at least the threshold, else 0; scale = 1/(1 − p),
// threshold = p 2³². Vec4 i takes block first + i of the random stream, a word an entry; `len` vec4 from `offset` on. One thread a vec4.
//!include common/grid.wgsl
//!include common/philox.wgsl
struct Params { seed: vec2<u32>, stream: vec2<u32>, first_block: vec2<u32>, len: u32, threshold: u32, scale: f32, offset: u32, pad0: u32, pad1: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4<f32>>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    if (id >= p.len) { return; }
    let words = philox(p.seed, p.stream, p.first_block, id);
    out[p.offset + id] = select(vec4<f32>(), x[p.offset + id] * p.scale, words >= vec4<u32>(p.threshold));
}
