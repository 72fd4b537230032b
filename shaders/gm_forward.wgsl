// Products of the GM layer, one split of the inputs: m = ⟨x, μ⟩, s² = ⟨x², σ²⟩, c_l = ⟨x, u_l ⊙ σ²⟩ for every row and
// component, and r_l = ⟨u_l, μ⟩ as one more row, number B. Derivation: docs, gm_layer.md.
// x [slots,R,B,Q] and params [R,P] vec4 → partial [splits,R,B+1,K,L+2]; gm_reduce adds the splits in order.
// A thread owns ROWS rows × one component × one tile of columns in registers, loads four inputs at a time and forms the
// effective weights on the fly, so that they cost no memory; no shared memory. Any finite input; error of a plain dot product.
//!include common/grid.wgsl
//!include common/gm.wgsl
//!include common/gm_tiles.wgsl
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> params: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> partial_sums: array<f32>;

// Four rows side by side: weights * rows is then one dot product a row.
fn load_rows(run: u32, row: u32, quad: u32) -> mat4x4<f32> {
    let last = p.batch - 1u;
    return mat4x4<f32>(x[x_at(run, min(row, last)) + quad], x[x_at(run, min(row + 1u, last)) + quad],
                       x[x_at(run, min(row + 2u, last)) + quad], x[x_at(run, min(row + 3u, last)) + quad]);
}

fn squared(rows: mat4x4<f32>) -> mat4x4<f32> {
    return mat4x4<f32>(rows[0] * rows[0], rows[1] * rows[1], rows[2] * rows[2], rows[3] * rows[3]);
}

fn add_rows(acc: ptr<function, array<vec4<f32>, COLS>>, e: ptr<function, array<vec4<f32>, COLS>>, rows: mat4x4<f32>, first_tile: bool) {
    if (TILED == 0u || first_tile) {
        (*acc)[0] += (*e)[0] * rows;
        (*acc)[1] += (*e)[1] * squared(rows);
    }
    for (var c = 2u; c < COLS; c++) { (*acc)[c] += (*e)[c] * rows; }
}

fn store_rows(acc: ptr<function, array<vec4<f32>, COLS>>, at: u32, row: u32, tile: u32) {
    let step = p.comps * columns();
    for (var c = 0u; c < COLS; c++) {
        if (!stored(tile, c)) { continue; }
        let sums = (*acc)[c];
        let to = at + row * step + column_of(tile, c);
        if (row < p.batch) { partial_sums[to] = sums.x; }
        if (row + 1u < p.batch) { partial_sums[to + step] = sums.y; }
        if (row + 2u < p.batch) { partial_sums[to + 2u * step] = sums.z; }
        if (row + 3u < p.batch) { partial_sums[to + 3u * step] = sums.w; }
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
    let tile = rest % p.tiles;
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
    let first = split * p.split_first;
    let last = min(first + p.split_span, p.quads);
    for (var quad = first; quad < last; quad += p.split_step) {
        let mu = params[mu_row + quad];
        let sigma = params[sigma_row + quad];
        let s2 = sigma * sigma;
        var e: array<vec4<f32>, COLS>;
        e[0] = mu;
        e[1] = s2;
        for (var c = 2u; c < COLS; c++) {
            let u = params[u_rows + output_of_column(tile, c) * p.quads + quad];
            r[c] += dot(u, mu);
            e[c] = u * s2;
        }
        add_rows(&a0, &e, load_rows(run, row, quad), tile == 0u);
        if (ROWS > 4u) {
            add_rows(&a1, &e, load_rows(run, row + 4u, quad), tile == 0u);
            add_rows(&a2, &e, load_rows(run, row + 8u, quad), tile == 0u);
            add_rows(&a3, &e, load_rows(run, row + 12u, quad), tile == 0u);
        }
    }

    let at = (split * p.runs + run) * (p.batch + 1u) * p.comps * columns() + k * columns();
    store_rows(&a0, at, row, tile);
    if (ROWS > 4u) {
        store_rows(&a1, at, row + 4u, tile);
        store_rows(&a2, at, row + 8u, tile);
        store_rows(&a3, at, row + 12u, tile);
    }
    if (row == 0u) {
        let to = at + p.batch * p.comps * columns();
        for (var c = 0u; c < COLS; c++) {
            if (stored(tile, c)) { partial_sums[to + column_of(tile, c)] = r[c]; }
        }
    }
}
