// Philox 4×32-10 (Salmon, Moraes, Dror, Shaw, 2011), the same bits as on the host.

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

// Block `first + index` of a stream: the seed is the key, (number, stream) the counter, low words first.
fn philox(seed: vec2<u32>, stream: vec2<u32>, first: vec2<u32>, index: u32) -> vec4<u32> {
    let low = first.x + index;
    var counter = vec4<u32>(low, first.y + select(0u, 1u, low < index), stream);
    var key = seed;
    for (var round = 0u; round < 10u; round++) {
        if (round > 0u) { key += vec2<u32>(0x9E3779B9u, 0xBB67AE85u); }
        let a = wide_product(0xD2511F53u, counter.x);
        let b = wide_product(0xCD9E8D57u, counter.z);
        counter = vec4<u32>(b.y ^ counter.y ^ key.x, b.x, a.y ^ counter.w ^ key.y, a.x);
    }
    return counter;
}
