// Gradients of the GM layer's parameters from the contraction, written (MODE 0) or applied at once (see common/optimizer.wgsl):
// ∂u_l = ρ_l μ + σ² T_l, ∂μ = Xᵀgm + Σ ρ_l u_l, ∂σ = 2σ [(X²)ᵀgs² + Σ u_l T_l], ∂v = ρ. Groups: 0 μ, 1 σ, 2 U, 3 v.
// contraction [R,K,L+2,Q+1] vec4, params [R,P] → gradients in `first` (MODE 0), or params, first and second in place.
// One thread four inputs of one component; the last Lq threads of a component take v.
//!include common/grid.wgsl
//!include common/gm.wgsl
//!include common/optimizer.wgsl
@group(0) @binding(1) var<storage, read> contraction: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> params: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> first: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> second: array<vec4<f32>>;

fn finish(at: u32, gradient: vec4<f32>, kind: u32) {
    if (MODE == 0u) {
        first[at] = gradient;
    } else {
        params[at] = stepped(at, params[at], gradient, kind);
    }
}

// ρ_l of a component, 0 for a pad.
fn rho_of(at: u32, l: u32) -> f32 {
    return select(0.0, contraction[at + min(l, p.outs - 1u) * (p.quads + 1u)].x, l < p.outs);
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    let width = p.quads + out_quads();
    if (id >= p.runs * p.comps * width) { return; }
    let quad = id % width;
    let k = (id / width) % p.comps;
    let run = id / (width * p.comps);
    let row = p.quads + 1u;
    let sums = (run * p.comps + k) * columns() * row;
    let rho = sums + 2u * row + p.quads;
    if (quad >= p.quads) {
        let l = 4u * (quad - p.quads);
        let gradient = vec4<f32>(rho_of(rho, l), rho_of(rho, l + 1u), rho_of(rho, l + 2u), rho_of(rho, l + 3u));
        finish(v_at(run) + k * out_quads() + quad - p.quads, gradient, 3u);
        return;
    }
    let mu_place = mu_at(run) + k * p.quads + quad;
    let sigma_place = sigma_at(run) + k * p.quads + quad;
    let mu = params[mu_place];
    let sigma = params[sigma_place];
    var d_mu = contraction[sums + quad];
    var d_s2 = contraction[sums + row + quad];
    for (var l = 0u; l < p.outs; l++) {
        let u_place = u_at(run) + (k * p.outs + l) * p.quads + quad;
        let u = params[u_place];
        let t = contraction[sums + (2u + l) * row + quad];
        let rho_l = contraction[rho + l * row].x;
        d_mu += rho_l * u;
        d_s2 += u * t;
        finish(u_place, rho_l * mu + sigma * sigma * t, 2u);
    }
    finish(mu_place, d_mu, 0u);
    finish(sigma_place, 2.0 * sigma * d_s2, 1u);
}
