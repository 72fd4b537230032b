// Sizes and offsets of the GM layer, shared by its kernels. Offsets of parameters are in vec4; a run's parameters are
// mu [K,Q] | sigma [K,Q] | u [K,L,Q] | v [K,Lq] | root [K,R,Q] with Q = dp/4 and Lq = Lp/4; the rank R of root is 0 where
// covariances are diagonal. Columns of products: m, s², c_1 … c_L.
struct Params {
    batch: u32, quads: u32, comps: u32, outs: u32,
    runs: u32, slot: u32, splits: u32, split_first: u32,
    split_step: u32, split_span: u32, blocks: u32, tiles: u32,
    reference: u32, inv_comps: f32, rank: u32, pad: u32,
    rates: vec4<f32>, l2: vec4<f32>, settings: vec4<f32>,   // of gm_update: see common/optimizer.wgsl
}
@group(0) @binding(0) var<uniform> p: Params;

fn out_quads() -> u32 { return (p.outs + 3u) / 4u; }
fn columns() -> u32 { return p.outs + 2u; }
fn mu_at(run: u32) -> u32 { return run * p.comps * (p.quads * (columns() + p.rank) + out_quads()); }
fn sigma_at(run: u32) -> u32 { return mu_at(run) + p.comps * p.quads; }
fn u_at(run: u32) -> u32 { return mu_at(run) + 2u * p.comps * p.quads; }
fn v_at(run: u32) -> u32 { return mu_at(run) + columns() * p.comps * p.quads; }
// First vec4 of row `row` of the minibatch that the slot holds for `run`.
fn x_at(run: u32, row: u32) -> u32 { return ((p.slot * p.runs + run) * p.batch + row) * p.quads; }
