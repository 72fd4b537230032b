// Moments of relu(z), z ~ N(m, s²), to the eighth order: (mean, slope, second, residual), (Var a², E δ⁴, E a⁴, E(a² − E a²)⁴).
// Formulas: reference::activation_moments. Needs common/normal.wgsl and common/identity_orders.wgsl.
// With x = |t|, t = m/s, I_k = E (u − x)₊^k = φ(x) G_k: G_7 and G_8 are polynomials in 1/(1 + x/4) (relative error 3e-7 for all
// x ≥ 0), and G_{k−2} = (G_k + x G_{k−1})/(k − 1) goes down without a difference. Nothing below subtracts numbers that grow with t.

struct Tails { i0: f32, i1: f32, i2: f32, i3: f32, i4: f32, i6: f32, i8: f32 }

fn tails(x: f32, density: f32) -> Tails {
    let u = 1.0 / (1.0 + 0.25 * x);
    let v = u - 0.25;
    var sum = vec2<f32>(1.82375634, -482.438599);
    sum = sum * v + vec2<f32>(274.457123, 2939.98169);
    sum = sum * v + vec2<f32>(-940.805542, -6303.92627);
    sum = sum * v + vec2<f32>(1096.82178, 5741.56494);
    sum = sum * v + vec2<f32>(-345.544983, -1465.4834);
    sum = sum * v + vec2<f32>(-125.030281, -481.216156);
    sum = sum * v + vec2<f32>(-69.5148392, -313.35907);
    sum = sum * v + vec2<f32>(43.0010567, 113.028259);
    sum = sum * v + vec2<f32>(74.3593903, 236.725235);
    sum = sum * v + vec2<f32>(49.9552994, 155.962753);
    sum = sum * v + vec2<f32>(20.3318005, 60.1954536);
    sum = sum * v + vec2<f32>(5.04051208, 13.882637);
    sum = sum * v + vec2<f32>(0.607201457, 1.52943528);
    let u4 = (u * u) * (u * u);
    let g = sum * vec2<f32>(u4 * u4, u4 * u4 * u);
    let g6 = (g.y + x * g.x) / 7.0;
    let g5 = (g.x + x * g6) / 6.0;
    let g4 = (g6 + x * g5) * 0.2;
    let g3 = (g5 + x * g4) * 0.25;
    let g2 = (g4 + x * g3) / 3.0;
    let g1 = (g3 + x * g2) * 0.5;
    return Tails(density * (g2 + x * g1), density * g1, density * g2, density * g3, density * g4, density * g6, density * g.y);
}

// E δ⁴/s⁴ of either side.
fn relu_residual_fourth(p: f32, i: Tails) -> f32 {
    let f = i.i0;
    let c = i.i1;
    let rest = 1.0 - f;
    let f2 = f * f;
    let c2 = c * c;
    return i.i4 * (rest * rest * rest * rest - f2 * f2) - 4.0 * p * i.i3 * (1.0 - 3.0 * f * rest)
        + 6.0 * p * p * i.i2 * (1.0 - 2.0 * f) - 4.0 * p * p * p * c + c2 * c2 + 6.0 * c2 * f2 + 3.0 * f2 * f2;
}

fn relu_orders(m: f32, v: f32) -> Orders {
    if (v <= 1e-34) {
        let a = max(m, 0.0);
        return Orders(vec4<f32>(a, select(0.0, 1.0, m > 0.0), a * a, 0.0), vec4<f32>(0.0, 0.0, (a * a) * (a * a), 0.0));
    }
    let s = sqrt(v);
    let t = clamp(m / s, -1e18, 1e18);
    let x = min(abs(t), 20.0);
    let p = 0.39894228 * gaussian(x);
    let i = tails(x, p);
    let b = i.i2 * i.i2;
    // From the left: a small number first, so that 0 · ∞ does not arise where s^k leaves f32's range.
    let residual = (i.i2 - i.i1 * i.i1 - i.i0 * i.i0) * v;
    let residual_fourth = relu_residual_fourth(p, i) * v * v;
    if (t <= 0.0) {
        let fourth = i.i8 - 4.0 * i.i2 * i.i6 + 6.0 * b * i.i4 - 3.0 * b * b;
        return Orders(vec4<f32>(s * i.i1, i.i0, v * i.i2, residual),
                      vec4<f32>((i.i4 - b) * v * v, residual_fourth, i.i4 * v * v, fourth * v * v * v * v));
    }
    let w = x * x;
    let a = w + 1.0;
    let spread = 2.0 - i.i4 - b + 2.0 * i.i2 * a;
    let fourth = 60.0 + i.i2 * (((4.0 * w + 12.0) * w + 108.0) * w + 36.0) - 12.0 * w * w * b + 12.0 * a * b * i.i2 - 3.0 * b * b
        - 6.0 * a * a * i.i4 + 4.0 * a * i.i6 - i.i8 + i.i2 * (12.0 * a * i.i4 - 4.0 * i.i6) - 6.0 * b * i.i4;
    let m2 = m * m;
    let mixed = m * v * m;
    return Orders(vec4<f32>(m + s * i.i1, 1.0 - i.i0, m2 + v * (1.0 - i.i2), residual),
                  vec4<f32>(4.0 * mixed + spread * v * v, residual_fourth, m2 * m2 + (6.0 * mixed + (3.0 - i.i4) * v * v),
                            48.0 * mixed * mixed + (240.0 * mixed * v * v + fourth * v * v * v * v)));
}
