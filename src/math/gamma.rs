//! The regularised incomplete gamma function `P(a, x) = ∫₀^x t^(a−1) e^(−t) dt / Γ(a)` and `Q = 1 − P`.

/// The series and the fraction take some `√a` terms; this many serve `a` up to 10⁸.
const TERMS: usize = 200_000;

/// `(P(a, x), Q(a, x))` for `a > 0` and `x ≥ 0`, the smaller of the two accurate relative to itself; NaN otherwise.
pub fn regularised(a: f64, x: f64) -> (f64, f64) {
    if !(a > 0.0 && x >= 0.0) {
        return (f64::NAN, f64::NAN);
    }
    if x == 0.0 {
        return (0.0, 1.0);
    }
    if x == f64::INFINITY {
        return (1.0, 0.0);
    }
    if x < a + 1.0 {
        let below = density_factor(a, x) * series(a, x);
        (below, 1.0 - below)
    } else {
        let above = density_factor(a, x) * a * fraction(a, x);
        (1.0 - above, above)
    }
}

/// `x^a e^(−x) / Γ(a + 1)`. For large `a` by way of `(x/a)^a e^(a−x)`, whose exponent does not cancel, and Stirling's series for the rest.
fn density_factor(a: f64, x: f64) -> f64 {
    if a < 16.0 {
        return libm::exp(a * libm::log(x) - x - libm::lgamma(a + 1.0));
    }
    let excess = (x - a) / a;
    let exponent = a * (libm::log1p(excess) - excess);
    let stirling = (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / (1680.0 * a * a)) / (a * a)) / (a * a)) / a;
    libm::exp(exponent - stirling) / (std::f64::consts::TAU * a).sqrt()
}

/// `Σ_k x^k / ((a+1)…(a+k))`.
fn series(a: f64, x: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1..TERMS {
        term *= x / (a + k as f64);
        sum += term;
        if term < sum * f64::EPSILON * 0.1 {
            break;
        }
    }
    sum
}

/// `1/(x+1−a− 1(1−a)/(x+3−a− 2(2−a)/(x+5−a− …)))` by Lentz's method.
fn fraction(a: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / away(b);
    let mut value = d;
    for k in 1..TERMS {
        let an = -(k as f64) * (k as f64 - a);
        b += 2.0;
        d = 1.0 / away(an * d + b);
        c = away(b + an / c);
        value *= d * c;
        if (d * c - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    value
}
