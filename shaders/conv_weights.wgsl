// Sums for the gradient of a convolution's parameters over some pictures: ∂W[o, k] = Σ_n dh[o, n] column[k, n], and as the column
// behind the last tap ∂b[o] = Σ_n dh[o, n]. x [slots,R,B,C·H·W], dh [R,B,O·H·W] → parts [splits,R,O,9C+1].
// A workgroup a tile of one split of `per_split` pictures. Terms are added in the order of n.
//!include common/conv.wgsl
//!include common/conv_tile.wgsl
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> dh: array<f32>;
@group(0) @binding(3) var<storage, read_write> parts: array<f32>;


fn gradient(run: u32, row: u32, n: u32, end: u32) -> f32 {
    let at = made_at(run, min(row, p.outs - 1u), min(n, places() - 1u));
    return select(0.0, dh[at], row < p.outs && n < end);
}
fn value(place: vec3<u32>, k: u32) -> f32 {
    let at = tap_at(place, k);
    let pixel = select(x[min(at, arrayLength(&x) - 1u)], 0.0, at == 0xffffffffu);
    return select(pixel, 1.0, k == inner());
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let across = (inner() + TILE_COLS) / TILE_COLS;
    let down = (p.outs + TILE_ROWS - 1u) / TILE_ROWS;
    let splits = (p.batch + p.per_split - 1u) / p.per_split;
    let number = group.y * groups.x + group.x;
    let block = number / (across * down);
    // Workgroups past the end work on the last block and write nothing, which keeps the barriers in uniform control flow.
    let safe = min(block, splits * p.runs - 1u);
    let run = safe % p.runs;
    let first_col = number % across * TILE_COLS;
    let first_row = number / across % down * TILE_ROWS;
    let begin = safe / p.runs * p.per_split * pixels();
    let end = min(begin + p.per_split * pixels(), places());
    var sums: array<vec4<f32>, 8>;
    for (var start = begin; start < end; start += STEP) {
        let n = start + lane % STEP;
        let place = place_of(run, min(n, places() - 1u));
        for (var i = lane; i < 128u; i += 64u) {
            let row = first_row + i / STEP * 4u;
            factors[i % STEP * 8u + i / STEP] = vec4<f32>(gradient(run, row, n, end), gradient(run, row + 1u, n, end),
                                                       gradient(run, row + 2u, n, end), gradient(run, row + 3u, n, end));
        }
        for (var i = lane; i < 256u; i += 64u) {
            let k = first_col + i / STEP * 4u;
            columns[i % STEP * 16u + i / STEP] = vec4<f32>(value(place, k), value(place, k + 1u), value(place, k + 2u), value(place, k + 3u));
        }
        workgroupBarrier();
        add_products(lane, &sums);
        workgroupBarrier();
    }
    if (block >= splits * p.runs) { return; }
    for (var r = 0u; r < 8u; r++) {
        let row = first_row + lane / 16u * 8u + r;
        if (row >= p.outs) { continue; }
        for (var c = 0u; c < 4u; c++) {
            let k = first_col + lane % 16u * 4u + c;
            if (k <= inner()) { parts[(block * p.outs + row) * (inner() + 1u) + k] = sums[r][c]; }
        }
    }
}
