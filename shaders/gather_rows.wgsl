// Minibatches from a resident data set, x ← scale · x + shift on the way. AFFINE: 0 one scale and shift, 1 per row of the
// data set (table [n,2]), 2 per column (table [2,dp], scales then shifts). BYTES: 1 for u8 rows, four a word; 0 for f32.
// source [n,Q] words or vec4 of bits, indices [M], table → x [M,Q] vec4, pads 0. One thread a vec4; indices are clamped.
//!include common/grid.wgsl
struct Params { rows: u32, quads: u32, inputs: u32, source_rows: u32, scale: f32, shift: f32, pad0: u32, pad1: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> source: array<u32>;
@group(0) @binding(2) var<storage, read> indices: array<u32>;
@group(0) @binding(3) var<storage, read> table: array<f32>;
@group(0) @binding(4) var<storage, read_write> x: array<vec4<f32>>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    if (id >= p.rows * p.quads) { return; }
    let quad = id % p.quads;
    let row = min(indices[id / p.quads], p.source_rows - 1u);
    let at = row * p.quads + quad;
    var value: vec4<f32>;
    if (BYTES == 1u) {
        let word = source[at];
        value = vec4<f32>(vec4<u32>(word & 255u, (word >> 8u) & 255u, (word >> 16u) & 255u, word >> 24u));
    } else {
        value = bitcast<vec4<f32>>(vec4<u32>(source[4u * at], source[4u * at + 1u], source[4u * at + 2u], source[4u * at + 3u]));
    }
    var scale = vec4<f32>(p.scale);
    var shift = vec4<f32>(p.shift);
    if (AFFINE == 1u) {
        scale = vec4<f32>(table[2u * row]);
        shift = vec4<f32>(table[2u * row + 1u]);
    }
    if (AFFINE == 2u) {
        let c = 4u * quad;
        scale = vec4<f32>(table[c], table[c + 1u], table[c + 2u], table[c + 3u]);
        let s = c + 4u * p.quads;
        shift = vec4<f32>(table[s], table[s + 1u], table[s + 2u], table[s + 3u]);
    }
    let live = vec4<u32>(4u * quad) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(p.inputs);
    x[id] = select(vec4<f32>(), value * scale + shift, live);
}
