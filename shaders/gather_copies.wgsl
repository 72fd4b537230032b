// Copies of the rows of source [n,W] that indices [M] name, into out [M,W]; words of 32 bits (labels or targets).
// One thread a word; indices are clamped.
//!include common/grid.wgsl
struct Params { rows: u32, width: u32, source_rows: u32, pad: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> source: array<u32>;
@group(0) @binding(2) var<storage, read> indices: array<u32>;
@group(0) @binding(3) var<storage, read_write> copies: array<u32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    if (id >= p.rows * p.width) { return; }
    let row = min(indices[id / p.width], p.source_rows - 1u);
    copies[id] = source[row * p.width + id % p.width];
}
