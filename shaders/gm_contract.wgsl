// Sums of the backward pass over the minibatch: Xᵀ gm, (X²)ᵀ gs², T_l = Xᵀ (F G_l) and ρ_l = Σ A G_l, G = dh/K.
// x [slots,R,B,Q] vec4, coef [R,B,K] vec4 (gm, gs², F/K, A/K), dh [R,B,Lp] → out [R,K,L+2,Q+1] vec4; the last vec4 of a row
// holds ρ_l in its first place. A thread owns QUADS × 4 inputs × one component × COLS columns in registers and walks the
// rows in order: no partial sums, no shared memory. Error of a plain sum over B.
//!include common/grid.wgsl
//!include common/gm.wgsl
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> coef: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> dh: array<f32>;
@group(0) @binding(4) var<storage, read_write> contraction: array<vec4<f32>>;

fn add_quad(acc: ptr<function, array<vec4<f32>, COLS>>, w: ptr<function, array<f32, COLS>>, inputs: vec4<f32>, square: bool) {
    (*acc)[0] += (*w)[0] * inputs;
    (*acc)[1] += (*w)[1] * (inputs * select(vec4<f32>(1.0), inputs, square));
    for (var c = 2u; c < COLS; c++) { (*acc)[c] += (*w)[c] * inputs; }
}

fn store_quad(acc: ptr<function, array<vec4<f32>, COLS>>, at: u32, quad: u32, column: u32) {
    for (var c = 0u; c < COLS; c++) {
        if (quad <= p.quads && column + c < columns()) { contraction[at + c * (p.quads + 1u) + quad] = (*acc)[c]; }
    }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    var rest = thread_number(group, groups, LANES, lane);
    let block = rest % (p.blocks + 1u); rest /= p.blocks + 1u;
    let k = rest % p.comps; rest /= p.comps;
    let column = (rest % p.tiles) * COLS;
    let run = rest / p.tiles;
    if (run >= p.runs) { return; }

    var a0: array<vec4<f32>, COLS>;
    var a1: array<vec4<f32>, COLS>;
    var a2: array<vec4<f32>, COLS>;
    var a3: array<vec4<f32>, COLS>;
    let first_tile = column == 0u;
    let last = p.quads - 1u;
    // One block more than the inputs need: with input 1 and factor A in place of F it sums ρ.
    let of_rho = block == p.blocks;
    let quad = select(block * QUADS, 0u, of_rho);
    for (var row = 0u; row < p.batch; row++) {
        let factors = coef[(run * p.batch + row) * p.comps + k];
        let factor = select(factors.z, factors.w, of_rho);
        let dh_row = (run * p.batch + row) * 4u * out_quads();
        var w: array<f32, COLS>;
        for (var c = 0u; c < COLS; c++) {
            w[c] = factor * dh[dh_row + min(max(column + c, 2u) - 2u, p.outs - 1u)];
        }
        if (first_tile) { w[0] = factors.x; w[1] = factors.y; }
        let at = x_at(run, row);
        add_quad(&a0, &w, select(x[at + quad], vec4<f32>(1.0), of_rho), first_tile);
        if (QUADS > 1u) {
            add_quad(&a1, &w, x[at + min(quad + 1u, last)], first_tile);
            add_quad(&a2, &w, x[at + min(quad + 2u, last)], first_tile);
            add_quad(&a3, &w, x[at + min(quad + 3u, last)], first_tile);
        }
    }

    let at = ((run * p.comps + k) * columns() + column) * (p.quads + 1u);
    if (of_rho) {
        store_quad(&a0, at, p.quads, column);
        return;
    }
    store_quad(&a0, at, quad, column);
    if (QUADS > 1u) {
        // Past the last input: p.quads is ρ's place, so step over it.
        store_quad(&a1, at, select(p.quads + 1u, quad + 1u, quad + 1u < p.quads), column);
        store_quad(&a2, at, select(p.quads + 1u, quad + 2u, quad + 2u < p.quads), column);
        store_quad(&a3, at, select(p.quads + 1u, quad + 3u, quad + 3u < p.quads), column);
    }
}
