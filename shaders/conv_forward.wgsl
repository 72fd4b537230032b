// A convolution, h = W x + b by tiles of the product that common/conv.wgsl describes; MODE 1 leaves out the bias (the input's
// gradient: W turned, x = dh). params [R, weight [O,ws] | bias], x [slots,R,B,C·H·W] → h [R,B,O·H·W], pads 0.
// A workgroup a tile. Terms are added in the order of k: error of a plain sum over 9C.
//!include common/conv.wgsl
//!include common/conv_tile.wgsl
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> params: array<f32>;
@group(0) @binding(3) var<storage, read_write> h: array<f32>;


fn weight(run: u32, row: u32, k: u32) -> f32 {
    let at = run * p.params + min(row, p.outs - 1u) * p.weights + min(k, inner() - 1u);
    return select(0.0, params[at], row < p.outs && k < inner());
}
fn value(at: u32) -> f32 { return select(x[min(at, arrayLength(&x) - 1u)], 0.0, at == 0xffffffffu); }

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let across = (places() + TILE_COLS - 1u) / TILE_COLS;
    let down = (p.outs + TILE_ROWS - 1u) / TILE_ROWS;
    let number = group.y * groups.x + group.x;
    let run = number / (across * down);
    // Workgroups past the end work on the last run and write nothing, which keeps the barriers in uniform control flow.
    let safe = min(run, p.runs - 1u);
    let first_col = number % across * TILE_COLS;
    let first_row = number / across % down * TILE_ROWS;
    let last = places() - 1u;
    let quad = first_col + lane % 16u * 4u;
    let place0 = place_of(safe, min(quad, last));
    let place1 = place_of(safe, min(quad + 1u, last));
    let place2 = place_of(safe, min(quad + 2u, last));
    let place3 = place_of(safe, min(quad + 3u, last));
    var sums: array<vec4<f32>, 8>;
    for (var k = 0u; k < inner(); k += STEP) {
        for (var i = lane; i < 128u; i += 64u) {
            let row = first_row + i / STEP * 4u;
            let term = k + i % STEP;
            factors[i % STEP * 8u + i / STEP] = vec4<f32>(weight(safe, row, term), weight(safe, row + 1u, term),
                                                          weight(safe, row + 2u, term), weight(safe, row + 3u, term));
        }
        for (var i = lane; i < 256u; i += 64u) {
            let term = k + i / 16u;
            columns[i] = vec4<f32>(value(tap_at(place0, term)), value(tap_at(place1, term)),
                                   value(tap_at(place2, term)), value(tap_at(place3, term)));
        }
        workgroupBarrier();
        add_products(lane, &sums);
        workgroupBarrier();
    }
    if (run >= p.runs) { return; }
    for (var r = 0u; r < 8u; r++) {
        let row = first_row + lane / 16u * 8u + r;
        if (row >= p.outs) { continue; }
        var bias = 0.0;
        if (MODE != 1u) { bias = params[run * p.params + p.outs * p.weights + row]; }
        for (var c = 0u; c < 4u; c++) {
            let n = quad + c;
            if (n > last) { continue; }
            h[made_at(run, row, n)] = sums[r][c] + bias;
            if (row == p.outs - 1u && n % pixels() == pixels() - 1u) {
                for (var pad = p.outs * pixels(); pad < p.h_stride; pad++) { h[(run * p.batch + n / pixels()) * p.h_stride + pad] = 0.0; }
            }
        }
    }
}
