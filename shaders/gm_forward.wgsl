struct Params {
    batch: u32, quads: u32, comps: u32, outs: u32,
    runs: u32, slot: u32, splits: u32, split_quads: u32,
    quad_step: u32, tiles: u32, row_blocks: u32, comp_blocks: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> params: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> partial: array<f32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) nwg: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = (wid.y * nwg.x + wid.x) * LANES + lane;
    var rest = id;
    var row_block = 0u; var comp_block = 0u; var split = 0u;
    if (ORDER == 0u) {
        comp_block = rest % p.comp_blocks; rest /= p.comp_blocks;
        row_block = rest % p.row_blocks; rest /= p.row_blocks;
        split = rest % p.splits; rest /= p.splits;
    } else if (ORDER == 1u) {
        row_block = rest % p.row_blocks; rest /= p.row_blocks;
        comp_block = rest % p.comp_blocks; rest /= p.comp_blocks;
        split = rest % p.splits; rest /= p.splits;
    } else {
        split = rest % p.splits; rest /= p.splits;
        comp_block = rest % p.comp_blocks; rest /= p.comp_blocks;
        row_block = rest % p.row_blocks; rest /= p.row_blocks;
    }
    let tile = rest % p.tiles;
    let run = rest / p.tiles;
    if (run >= p.runs) { return; }
    let row0 = row_block * ROWS;
    let k0 = comp_block * COMPS;
    let stride = p.comps * p.quads * (p.outs + 2u) + p.comps * ((p.outs + 3u) / 4u);
    let base = run * stride;
    let sigma_at = base + p.comps * p.quads;
    let u_at = sigma_at + p.comps * p.quads;
    let xb = (p.slot * p.runs + run) * p.batch;
    var a0: array<vec4<f32>, COLS>;
    var a1: array<vec4<f32>, COLS>;
    var a2: array<vec4<f32>, COLS>;
    var a3: array<vec4<f32>, COLS>;
    let k = k0;
    let mu_at = base + k * p.quads;
    let sg_at = sigma_at + k * p.quads;
    let uu_at = u_at + k * p.outs * p.quads;
    let first = split * p.split_quads;
    let last = min(first + p.split_quads, p.quads);
    for (var q = first; q < last; q++) {
        var e: array<vec4<f32>, COLS>;
        let sigma = params[sg_at + q];
        let s2 = sigma * sigma;
        e[0] = params[mu_at + q];
        e[1] = s2;
        for (var c = 2u; c < COLS; c++) { e[c] = params[uu_at + (c - 2u) * p.quads + q] * s2; }
        rows(&a0, &e, rowquad(xb, row0, q));
        if (ROWS > 4u) {
            rows(&a1, &e, rowquad(xb, row0 + 4u, q));
        }
        if (ROWS > 8u) {
            rows(&a2, &e, rowquad(xb, row0 + 8u, q));
            rows(&a3, &e, rowquad(xb, row0 + 12u, q));
        }
    }
    let at = ((split * p.runs + run) * p.batch * p.comps + k) * (p.outs + 2u);
    store(&a0, at, row0);
    if (ROWS > 4u) { store(&a1, at, row0 + 4u); }
    if (ROWS > 8u) { store(&a2, at, row0 + 8u); store(&a3, at, row0 + 12u); }
}
fn rowquad(xb: u32, row: u32, q: u32) -> mat4x4<f32> {
    return mat4x4<f32>(
        x[(xb + min(row, p.batch - 1u)) * p.quads + q],
        x[(xb + min(row + 1u, p.batch - 1u)) * p.quads + q],
        x[(xb + min(row + 2u, p.batch - 1u)) * p.quads + q],
        x[(xb + min(row + 3u, p.batch - 1u)) * p.quads + q]);
}
fn rows(acc: ptr<function, array<vec4<f32>, COLS>>, e: ptr<function, array<vec4<f32>, COLS>>, xm: mat4x4<f32>) {
    (*acc)[0] += (*e)[0] * xm;
    (*acc)[1] += (*e)[1] * mat4x4<f32>(xm[0] * xm[0], xm[1] * xm[1], xm[2] * xm[2], xm[3] * xm[3]);
    for (var c = 2u; c < COLS; c++) { (*acc)[c] += (*e)[c] * xm; }
}
fn store(acc: ptr<function, array<vec4<f32>, COLS>>, at: u32, row: u32) {
    for (var c = 0u; c < COLS; c++) {
        let v = (*acc)[c];
        let o = at + row * p.comps * (p.outs + 2u) + c;
        let step = p.comps * (p.outs + 2u);
        if (row < p.batch) { partial[o] = v.x; }
        if (row + 1u < p.batch) { partial[o + step] = v.y; }
        if (row + 2u < p.batch) { partial[o + 2u * step] = v.z; }
        if (row + 3u < p.batch) { partial[o + 3u * step] = v.w; }
    }
}
