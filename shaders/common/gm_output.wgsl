// One output of the GM layer from the reduced products. Needs bindings `sums` and `moments`.
fn products_at(run: u32, row: u32, k: u32) -> u32 {
    return ((run * (p.batch + 1u) + row) * p.comps + k) * columns() + 2u;
}

fn output_of(run: u32, row: u32, l: u32) -> f32 {
    var sum = 0.0;
    for (var k = 0u; k < p.comps; k++) {
        let of_row = moments[(run * p.batch + row) * p.comps + k];
        sum += of_row.x * sums[products_at(run, p.batch, k) + l] + of_row.y * sums[products_at(run, row, k) + l];
    }
    return sum * p.inv_comps;
}
