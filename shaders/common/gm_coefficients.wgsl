// Gradients with respect to m and s² of one row and component, with the factors of the contraction.
// Needs bindings `sums`, `moments` and a function `dh_of(run, row, l)`. G = dh/K:
// gA = Σ G r, gF = Σ G c, gm = gA F + gF q, gs² = q/2 (gA − gF w). Result (gm, gs², F/K, A/K).
fn coefficients_of(run: u32, row: u32, k: u32) -> vec4<f32> {
    let here = moments[(run * p.batch + row) * p.comps + k];
    let r_row = products_at(run, p.batch, k);
    let c_row = products_at(run, row, k);
    var ga = 0.0;
    var gf = 0.0;
    for (var l = 0u; l < p.outs; l++) {
        let g = dh_of(run, row, l) * p.inv_comps;
        ga += g * sums[r_row + l];
        gf += g * sums[c_row + l];
    }
    let result = vec4<f32>(ga * here.y + gf * here.z, 0.5 * here.z * (ga - gf * here.w), here.y * p.inv_comps, here.x * p.inv_comps);
    // Products with what vanishes beside f32's rounding would be subnormal, which is ten times slower on a CPU.
    return select(vec4<f32>(), result, abs(result) > vec4<f32>(1e-30, 1e-30, 1e-18, 1e-25));
}
