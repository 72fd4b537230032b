// A GM layer with component weights: h = Σ w_k f_k = 1/K Σ (K w_k) f_k is the plain layer whose u and v are K w_k times as large.
// Parameters of the plain layer are as in common/gm.wgsl; those of the weighted one have weights [Kp] behind them.
struct Params { runs: u32, comps: u32, quads: u32, outs: u32, rank: u32, source_stride: u32, target_stride: u32, pad: u32 }
@group(0) @binding(0) var<uniform> p: Params;

fn out_quads() -> u32 { return (p.outs + 3u) / 4u; }
// Parameters of the plain layer in vec4: mu and sigma, u, v, root.
fn u_start() -> u32 { return 2u * p.comps * p.quads; }
fn v_start() -> u32 { return (2u + p.outs) * p.comps * p.quads; }
fn v_end() -> u32 { return v_start() + p.comps * out_quads(); }
fn plain_len() -> u32 { return v_end() + p.comps * p.rank * p.quads; }
fn weighted_stride() -> u32 { return plain_len() + (p.comps + 3u) / 4u; }
