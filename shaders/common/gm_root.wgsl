// Arrays of what root_k adds to the covariances, Σ_k = diag(σ_k²) + root_kᵀ root_k. Rows of a component's arrays are those of
// Z_k = [X; U_k], the minibatch and then its u. Needs common/gm.wgsl; offsets in vec4.
fn rank_quads() -> u32 { return (p.rank + 3u) / 4u; }
fn rows() -> u32 { return p.batch + p.outs; }
fn root_at(run: u32, k: u32) -> u32 { return v_at(run) + p.comps * out_quads() + k * p.rank * p.quads; }
// First vec4 of row `row` of E_k = Z_k root_kᵀ, or of D_k = ∂loss/∂E_k.
fn projection_at(run: u32, k: u32, row: u32) -> u32 { return ((run * p.comps + k) * rows() + row) * rank_quads(); }
