// A vec4 of a row of Z_k = [X; U_k]. Needs bindings `x` and `params`.
fn row_of(run: u32, k: u32, row: u32, quad: u32) -> vec4<f32> {
    if (row < p.batch) { return x[x_at(run, row) + quad]; }
    return params[u_at(run) + (k * p.outs + row - p.batch) * p.quads + quad];
}
