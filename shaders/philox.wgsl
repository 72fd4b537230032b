// Philox 4×32-10: counter-based random words (Salmon, Moraes, Dror, Shaw, 2011), the same bits as on the host.
// Block i of a stream has the seed as its key and (i, stream) as its counter, low words first; out [4·blocks].
// One thread a block.
//!include common/grid.wgsl
struct Params { seed: vec2<u32>, stream: vec2<u32>, first_block: vec2<u32>, len: u32, pad: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> words: array<u32>;

// (low, high) of the 64-bit product, by halves of 16 bits.
fn wide_product(a: u32, b: u32) -> vec2<u32> {
    let al = a & 0xffffu;
    let ah = a >> 16u;
    let bl = b & 0xffffu;
    let bh = b >> 16u;
    let middle = ah * bl + ((al * bl) >> 16u);
    let carry = (middle & 0xffffu) + al * bh;
    return vec2<u32>(a * b, ah * bh + (middle >> 16u) + (carry >> 16u));
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    if (4u * id >= p.len) { return; }
    let low = p.first_block.x + id;
    var counter = vec4<u32>(low, p.first_block.y + select(0u, 1u, low < id), p.stream);
    var key = p.seed;
    for (var round = 0u; round < 10u; round++) {
        if (round > 0u) { key += vec2<u32>(0x9E3779B9u, 0xBB67AE85u); }
        let a = wide_product(0xD2511F53u, counter.x);
        let b = wide_product(0xCD9E8D57u, counter.z);
        counter = vec4<u32>(b.y ^ counter.y ^ key.x, b.x, a.y ^ counter.w ^ key.y, a.x);
    }
    for (var i = 0u; i < 4u; i++) {
        if (4u * id + i < p.len) { words[4u * id + i] = counter[i]; }
    }
}
