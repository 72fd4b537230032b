// Tiles of the GM layer's columns. A thread has registers for COLS columns: m and s² (of use in the first tile alone) and
// COLS − 2 outputs. Registers past the last output are computed and not stored. TILED is 1 where there are several tiles.
fn output_of_column(tile: u32, c: u32) -> u32 { return min(tile * (COLS - 2u) + c - 2u, p.outs - 1u); }
fn column_of(tile: u32, c: u32) -> u32 { return tile * (COLS - 2u) + c; }
fn stored(tile: u32, c: u32) -> bool {
    if (TILED == 0u) { return true; }
    return select(tile == 0u, column_of(tile, c) < columns(), c >= 2u);
}
