// Rows with `lead` columns of 0 put before them, or without their first `skip` columns: to[b, j] = from[b, j − lead + skip].
// from [slots,rows,stride(columns)], block `slot` of it → to [rows,stride(to_columns)]; what `from` does not have is 0, pads included.
// One thread an element.
//!include common/grid.wgsl
struct Params { len: u32, columns: u32, to_columns: u32, first: u32, lead: u32, skip: u32, pad0: u32, pad1: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read_write> shifted: array<f32>;

fn stride(columns: u32) -> u32 { return (columns + 3u) / 4u * 4u; }

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    if (id >= p.len) { return; }
    let column = id % stride(p.to_columns);
    let row = id / stride(p.to_columns);
    let wanted = column + p.skip - min(column, p.lead);
    let there = column >= p.lead && column < p.to_columns && wanted < p.columns;
    shifted[id] = select(0.0, source[p.first + row * stride(p.columns) + min(wanted, p.columns - 1u)], there);
}
