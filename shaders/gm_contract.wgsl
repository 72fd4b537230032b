struct Params {
    batch: u32, quads: u32, comps: u32, outs: u32,
    runs: u32, slot: u32, splits: u32, split_rows: u32,
    quad_blocks: u32, pad0: u32, pad1: u32, pad2: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> coef: array<vec4<f32>>;   // gm, gs2, F, A
@group(0) @binding(3) var<storage, read> g: array<vec4<f32>>;      // dh/K rows of Lp
@group(0) @binding(4) var<storage, read_write> sums: array<vec4<f32>>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) nwg: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = (wid.y * nwg.x + wid.x) * LANES + lane;
    var rest = id;
    var k = 0u; var block = 0u;
    if (ORDER == 0u) {
        k = rest % p.comps; rest /= p.comps;
        block = rest % p.quad_blocks; rest /= p.quad_blocks;
    } else {
        block = rest % p.quad_blocks; rest /= p.quad_blocks;
        k = rest % p.comps; rest /= p.comps;
    }
    let run = rest;
    if (run >= p.runs) { return; }
    var a0: array<vec4<f32>, COLS>;
    var a1: array<vec4<f32>, COLS>;
    var a2: array<vec4<f32>, COLS>;
    var a3: array<vec4<f32>, COLS>;
    let gq = (p.outs + 3u) / 4u;
    let quad = block * QUADS;
    for (var b = 0u; b < p.batch; b++) {
        let row = run * p.batch + b;
        let co = coef[row * p.comps + k];
        var gv: array<f32, COLS>;
        gv[0] = co.x; gv[1] = co.y;
        for (var j = 0u; j < (COLS + 1u) / 4u; j++) {
            let v = g[row * gq + j] * co.z;
            gv[4u*j+2u] = v.x;
            if (4u * j + 3u < COLS) { gv[4u*j+3u] = v.y; }
            if (4u * j + 4u < COLS) { gv[4u*j+4u] = v.z; }
            if (4u * j + 5u < COLS) { gv[4u*j+5u] = v.w; }
        }
        let at = (p.slot * p.runs * p.batch + row) * p.quads;
        quad_add(&a0, &gv, x[at + min(quad, p.quads - 1u)]);
        if (QUADS > 1u) { quad_add(&a1, &gv, x[at + min(quad + 1u, p.quads - 1u)]); }
        if (QUADS > 2u) {
            quad_add(&a2, &gv, x[at + min(quad + 2u, p.quads - 1u)]);
            quad_add(&a3, &gv, x[at + min(quad + 3u, p.quads - 1u)]);
        }
    }
    let at = (run * p.comps + k) * (p.outs + 2u) * p.quads;
    store(&a0, at, quad);
    if (QUADS > 1u) { store(&a1, at, quad + 1u); }
    if (QUADS > 2u) { store(&a2, at, quad + 2u); store(&a3, at, quad + 3u); }
}
fn quad_add(acc: ptr<function, array<vec4<f32>, COLS>>, gv: ptr<function, array<f32, COLS>>, xv: vec4<f32>) {
    (*acc)[0] += (*gv)[0] * xv;
    (*acc)[1] += (*gv)[1] * (xv * xv);
    for (var c = 2u; c < COLS; c++) { (*acc)[c] += (*gv)[c] * xv; }
}
fn store(acc: ptr<function, array<vec4<f32>, COLS>>, at: u32, quad: u32) {
    if (quad >= p.quads) { return; }
    for (var c = 0u; c < COLS; c++) { sums[at + c * p.quads + quad] = (*acc)[c]; }
}
