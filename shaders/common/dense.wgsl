// Sizes and offsets of the dense layer; offsets in vec4.
struct Params { runs: u32, batch: u32, quads: u32, outs: u32, blocks: u32, slot: u32, pad0: u32, pad1: u32 }
@group(0) @binding(0) var<uniform> p: Params;

fn out_quads() -> u32 { return (p.outs + 3u) / 4u; }
fn params_at(run: u32) -> u32 { return run * (p.outs * p.quads + out_quads()); }
fn x_at(run: u32, row: u32) -> u32 { return ((p.slot * p.runs + run) * p.batch + row) * p.quads; }
