// Sizes of a propagation; offsets in vec4. The planes of activation_moments are [8,B,Q] vec4, plane 1 the slopes.
struct Params { batch: u32, quads: u32, outs: u32, inputs: u32 }
@group(0) @binding(0) var<uniform> p: Params;

fn out_quads() -> u32 { return (p.outs + 3u) / 4u; }
fn slope_at(b: u32) -> u32 { return (p.batch + b) * p.quads; }
// Offsets of the four rows from `row` on of a matrix of `count` rows of Q vec4; rows past the end repeat the last.
fn four_rows(row: u32, count: u32) -> vec4<u32> {
    return p.quads * min(vec4<u32>(row, row + 1u, row + 2u, row + 3u), vec4<u32>(count - 1u));
}
