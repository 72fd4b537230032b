// Products of the GM layer, one split of the inputs: m = ⟨x, μ⟩, s² = ⟨x², σ²⟩, c_l = ⟨x, u_l ⊙ σ²⟩ for every row and
// component, and r_l = ⟨u_l, μ⟩ as one more row, number B. Derivation: docs, gm_layer.md.
// x [slots,R,B,Q] and params [R,P] vec4 → partial [splits,R,B+1,K,L+2]; gm_reduce adds the splits in order.
// A thread owns ROWS rows × one component × COLS columns in registers, loads four inputs at a time and forms the
// effective weights on the fly, so that they cost no memory; no shared memory. Any finite input; error of a plain dot product.
//!include common/grid.wgsl
//!include common/gm.wgsl
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> params: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> partial_sums: array<f32>;

// Four rows side by side: weights * rows is then one dot product a row.
fn load_rows(run: u32, row: u32, quad: u32) -> mat4x4<f32> {
    let last = p.batch - 1u;
    return mat4x4<f32>(x[x_at(run, min(row, last)) + quad], x[x_at(run, min(row + 1u, last)) + quad],
                       x[x_at(run, min(row + 2u, last)) + quad], x[x_at(run, min(row + 3u, last)) + quad]);
}

fn add_rows(acc: ptr<function, array<vec4<f32>, COLS>>, e: ptr<function, array<vec4<f32>, COLS>>, rows: mat4x4<f32>, square: bool) {
    let one = vec4<f32>(1.0);
    (*acc)[0] += (*e)[0] * rows;
    // Column 1 of the first tile is s², over squared inputs.
    (*acc)[1] += (*e)[1] * mat4x4<f32>(rows[0] * select(one, rows[0], square), rows[1] * select(one, rows[1], square),
                                       rows[2] * select(one, rows[2], square), rows[3] * select(one, rows[3], square));
    for (var c = 2u; c < COLS; c++) { (*acc)[c] += (*e)[c] * rows; }
}

fn store_rows(acc: ptr<function, array<vec4<f32>, COLS>>, at: u32, row: u32, column: u32) {
    let step = p.comps * columns();
    for (var c = 0u; c < COLS; c++) {
        let sums = (*acc)[c];
        let to = at + row * step + c;
        let inside = column + c < columns();
        if (inside && row < p.batch) { partial_sums[to] = sums.x; }
        if (inside && row + 1u < p.batch) { partial_sums[to + step] = sums.y; }
        if (inside && row + 2u < p.batch) { partial_sums[to + 2u * step] = sums.z; }
        if (inside && row + 3u < p.batch) { partial_sums[to + 3u * step] = sums.w; }
    }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    var rest = thread_number(group, groups, LANES, lane);
    var split = 0u;
    // On a GPU neighbours take neighbouring inputs (coalesced); a software adapter wants neighbours on the same weights.
    if (SPLITS_FIRST == 1u) { split = rest % p.splits; rest /= p.splits; }
    let row = (rest % p.blocks) * ROWS; rest /= p.blocks;
    let k = rest % p.comps; rest /= p.comps;
    if (SPLITS_FIRST == 0u) { split = rest % p.splits; rest /= p.splits; }
    let column = (rest % p.tiles) * COLS;
    let run = rest / p.tiles;
    if (run >= p.runs) { return; }

    var a0: array<vec4<f32>, COLS>;
    var a1: array<vec4<f32>, COLS>;
    var a2: array<vec4<f32>, COLS>;
    var a3: array<vec4<f32>, COLS>;
    var r: array<f32, COLS>;
    let mu_row = mu_at(run) + k * p.quads;
    let sigma_row = sigma_at(run) + k * p.quads;
    let u_rows = u_at(run) + k * p.outs * p.quads;
    let first_tile = column == 0u;
    var quad = split * p.split_first;
    for (var n = 0u; n < p.split_quads && quad < p.quads; n++) {
        let mu = params[mu_row + quad];
        let sigma = params[sigma_row + quad];
        let s2 = sigma * sigma;
        var e: array<vec4<f32>, COLS>;
        for (var c = 0u; c < COLS; c++) {
            // Columns 0 and 1 of the first tile are replaced below; columns past the last are computed and not stored.
            let u = params[u_rows + min(max(column + c, 2u) - 2u, p.outs - 1u) * p.quads + quad];
            if (row == 0u) { r[c] += dot(u, mu); }
            e[c] = u * s2;
        }
        if (first_tile) { e[0] = mu; e[1] = s2; }
        add_rows(&a0, &e, load_rows(run, row, quad), first_tile);
        if (ROWS > 4u) {
            add_rows(&a1, &e, load_rows(run, row + 4u, quad), first_tile);
            add_rows(&a2, &e, load_rows(run, row + 8u, quad), first_tile);
            add_rows(&a3, &e, load_rows(run, row + 12u, quad), first_tile);
        }
        quad += p.split_step;
    }

    let at = (split * p.runs + run) * (p.batch + 1u) * p.comps * columns() + k * columns() + column;
    store_rows(&a0, at, row, column);
    if (ROWS > 4u) {
        store_rows(&a1, at, row + 4u, column);
        store_rows(&a2, at, row + 8u, column);
        store_rows(&a3, at, row + 12u, column);
    }
    if (row == 0u) {
        let to = at + p.batch * p.comps * columns();
        for (var c = 0u; c < COLS; c++) {
            if (column + c < columns()) { partial_sums[to + c] = r[c]; }
        }
    }
}
