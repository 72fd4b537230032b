// Moments of a(z), z ~ N(m, s²), in the order of the planes: (mean, slope, second, residual), (Var a², E δ⁴, E a⁴, E(a² − E a²)⁴).
struct Orders { low: vec4<f32>, high: vec4<f32> }

// Of a(z) = z.
fn identity_orders(m: f32, v: f32) -> Orders {
    let m2 = m * m;
    let mixed = m * v * m;   // in this order, so that 0 · ∞ does not arise
    return Orders(vec4<f32>(m, 1.0, m2 + v, 0.0),
                  vec4<f32>(4.0 * mixed + 2.0 * v * v, 0.0, m2 * m2 + (6.0 * mixed + 3.0 * v * v),
                            48.0 * mixed * mixed + (240.0 * mixed * v * v + 60.0 * v * v * v * v)));
}
