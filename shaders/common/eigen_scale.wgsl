// 1/(largest magnitude on the diagonal) of matrix g, 1 for a matrix of zeros. Of a positive semidefinite matrix no entry is larger.
fn inverse_scale(g: u32) -> f32 {
    var largest = 0.0;
    for (var i = 0u; i < p.n; i++) { largest = max(largest, abs(matrices[(g * p.n + i) * p.stride + i])); }
    return select(1.0 / largest, 1.0, largest == 0.0);
}
