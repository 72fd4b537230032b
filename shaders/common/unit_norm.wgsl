// 1/‖row‖ of a row of p.width vec4 of `h`, or 0 for a zero row. The row is divided by its largest entry first, so that no
// square overflows or vanishes.
fn inverse_norm(at: u32) -> f32 {
    var largest = vec4<f32>();
    for (var i = 0u; i < p.width; i++) { largest = max(largest, abs(h[at + i])); }
    let scale = max(max(largest.x, largest.y), max(largest.z, largest.w));
    if (scale == 0.0) { return 0.0; }
    var squares = 0.0;
    for (var i = 0u; i < p.width; i++) {
        let scaled = h[at + i] / scale;
        squares += dot(scaled, scaled);
    }
    return 1.0 / sqrt(squares) / scale;
}
