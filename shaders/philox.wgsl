// Philox 4×32-10: counter-based random words, the same bits as on the host: common/philox.wgsl. out [4·blocks].
// One thread a block.
//!include common/grid.wgsl
//!include common/philox.wgsl
struct Params { seed: vec2<u32>, stream: vec2<u32>, first_block: vec2<u32>, len: u32, pad: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> words: array<u32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    if (4u * id >= p.len) { return; }
    let block = philox(p.seed, p.stream, p.first_block, id);
    for (var i = 0u; i < 4u; i++) {
        if (4u * id + i < p.len) { words[4u * id + i] = block[i]; }
    }
}
