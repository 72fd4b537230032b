// Sums of the backward pass over the minibatch: Xᵀ gm, (X²)ᵀ gs², T_l = Xᵀ (F G_l) and ρ_l = Σ A G_l, G = dh/K.
// x [slots,R,B,Q] vec4, coef [R,B,K] vec4 (gm, gs², F/K, A/K), dh [R,B,Lp] → out [R,K,L+2,Q+1] vec4; the last vec4 of a row
// holds ρ_l in its first place. A thread owns QUADS × 4 inputs × one component × one tile of columns in registers and walks the
// rows in order: no partial sums, no shared memory. Error of a plain sum over B.
//!include common/grid.wgsl
//!include common/gm.wgsl
//!include common/gm_tiles.wgsl
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> coef: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> dh: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> contraction: array<vec4<f32>>;

fn add_quad(acc: ptr<function, array<vec4<f32>, COLS>>, w: ptr<function, array<f32, COLS>>, inputs: vec4<f32>, first_tile: bool) {
    if (TILED == 0u || first_tile) {
        (*acc)[0] += (*w)[0] * inputs;
        (*acc)[1] += (*w)[1] * (inputs * inputs);
    }
    for (var c = 2u; c < COLS; c++) { (*acc)[c] += (*w)[c] * inputs; }
}

fn store_quad(acc: ptr<function, array<vec4<f32>, COLS>>, at: u32, quad: u32, tile: u32) {
    if (quad >= p.quads) { return; }
    for (var c = 0u; c < COLS; c++) {
        if (stored(tile, c)) { contraction[at + column_of(tile, c) * (p.quads + 1u) + quad] = (*acc)[c]; }
    }
}

// dh of one row for this tile's outputs times `factor`, behind the two first columns.
fn load_weights(w: ptr<function, array<f32, COLS>>, run: u32, row: u32, tile: u32, factor: f32) {
    let dh_row = (run * p.batch + row) * out_quads() + tile * ((COLS - 2u) / 4u);
    for (var i = 0u; i < (COLS + 1u) / 4u; i++) {
        let g = factor * dh[dh_row + i];
        (*w)[4u * i + 2u] = g.x;
        if (4u * i + 3u < COLS) { (*w)[4u * i + 3u] = g.y; }
        if (4u * i + 4u < COLS) { (*w)[4u * i + 4u] = g.z; }
        if (4u * i + 5u < COLS) { (*w)[4u * i + 5u] = g.w; }
    }
}

fn contract(id: u32) {
    let quad = id % p.blocks * QUADS;
    var rest = id / p.blocks;
    let k = rest % p.comps; rest /= p.comps;
    let tile = rest % p.tiles;
    let run = rest / p.tiles;
    var a0: array<vec4<f32>, COLS>;
    var a1: array<vec4<f32>, COLS>;
    var a2: array<vec4<f32>, COLS>;
    var a3: array<vec4<f32>, COLS>;
    let last = p.quads - 1u;
    for (var row = 0u; row < p.batch; row++) {
        let factors = coef[(run * p.batch + row) * p.comps + k];
        var w: array<f32, COLS>;
        w[0] = factors.x;
        w[1] = factors.y;
        load_weights(&w, run, row, tile, factors.z);
        let at = x_at(run, row);
        add_quad(&a0, &w, x[at + quad], tile == 0u);
        if (QUADS > 1u) {
            add_quad(&a1, &w, x[at + min(quad + 1u, last)], tile == 0u);
            add_quad(&a2, &w, x[at + min(quad + 2u, last)], tile == 0u);
            add_quad(&a3, &w, x[at + min(quad + 3u, last)], tile == 0u);
        }
    }
    let at = (run * p.comps + k) * columns() * (p.quads + 1u);
    store_quad(&a0, at, quad, tile);
    if (QUADS > 1u) {
        store_quad(&a1, at, quad + 1u, tile);
        store_quad(&a2, at, quad + 2u, tile);
        store_quad(&a3, at, quad + 3u, tile);
    }
}

fn sum_rho(id: u32) {
    let k = id % p.comps;
    let tile = id / p.comps % p.tiles;
    let run = id / (p.comps * p.tiles);
    if (run >= p.runs) { return; }
    var rho: array<f32, COLS>;
    for (var row = 0u; row < p.batch; row++) {
        var w: array<f32, COLS>;
        load_weights(&w, run, row, tile, coef[(run * p.batch + row) * p.comps + k].w);
        for (var c = 2u; c < COLS; c++) { rho[c] += w[c]; }
    }
    let at = (run * p.comps + k) * columns() * (p.quads + 1u) + p.quads;
    for (var c = 2u; c < COLS; c++) {
        if (stored(tile, c)) { contraction[at + column_of(tile, c) * (p.quads + 1u)] = vec4<f32>(rho[c], 0.0, 0.0, 0.0); }
    }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    // Threads past those of the contraction sum ρ, one a component and tile.
    let threads = p.runs * p.tiles * p.comps * p.blocks;
    if (id < threads) { contract(id); } else { sum_rho(id - threads); }
}
