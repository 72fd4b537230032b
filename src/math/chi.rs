//! The chi distribution with `n` degrees of freedom: the length of a standard Gaussian vector in `n` dimensions.

use super::gamma::regularised;
use super::normal;

/// Newton's steps of the quantile, kept inside a shrinking bracket.
const STEPS: usize = 100;

/// `P(χ_n ≤ r)`.
pub fn distribution(n: usize, r: f64) -> f64 {
    regularised(0.5 * n as f64, 0.5 * r.max(0.0) * r.max(0.0)).0
}

/// `P(χ_n > r)`, accurate relative to itself in the upper tail.
pub fn upper_tail(n: usize, r: f64) -> f64 {
    regularised(0.5 * n as f64, 0.5 * r.max(0.0) * r.max(0.0)).1
}

/// `P(a < χ_n ≤ b)`, by whichever tail is shorter.
pub fn interval_mass(n: usize, a: f64, b: f64) -> f64 {
    let below = distribution(n, a);
    let mass = if below < 0.5 { distribution(n, b) - below } else { upper_tail(n, a) - upper_tail(n, b) };
    mass.max(0.0)
}

/// `E χ_n = √2 Γ((n+1)/2)/Γ(n/2)`.
pub fn mean(n: usize) -> f64 {
    let half = 0.5 * n as f64;
    std::f64::consts::SQRT_2 * libm::exp(libm::lgamma(half + 0.5) - libm::lgamma(half))
}

/// `E[χ_n; a < χ_n ≤ b]`, not divided by the mass: `r` times the density of `χ_n` is `E χ_n` times that of `χ_{n+1}`.
pub fn truncated_mean(n: usize, a: f64, b: f64) -> f64 {
    mean(n) * interval_mass(n + 1, a, b)
}

/// The `r` with `P(χ_n ≤ r) = p`: 0 at 0, infinite at 1, NaN outside of `[0, 1]` and for `n = 0`.
pub fn quantile(n: usize, p: f64) -> f64 {
    if n == 0 || !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if p == 0.0 || p == 1.0 {
        return if p == 0.0 { 0.0 } else { f64::INFINITY };
    }
    let dof = n as f64;
    // Wilson and Hilferty: the cube root of χ²/n is nearly Gaussian.
    let root = 1.0 - 2.0 / (9.0 * dof) + normal::quantile(p) * (2.0 / (9.0 * dof)).sqrt();
    let (mut low, mut high) = (0.0, 2.0 * dof.sqrt() + 40.0);
    let mut r = (dof * root.max(1e-3).powi(3)).sqrt().min(0.5 * high);
    for _ in 0..STEPS {
        // The tail that is shorter keeps its digits.
        let off = if p < 0.5 { distribution(n, r) - p } else { (1.0 - p) - upper_tail(n, r) };
        if off > 0.0 {
            high = r
        } else {
            low = r
        }
        let newton = r - off / density(n, r);
        let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
        if (next - r).abs() <= 2.0 * f64::EPSILON * r {
            return next;
        }
        r = next;
    }
    r
}

/// The density `2^(1−n/2) r^(n−1) e^(−r²/2)/Γ(n/2)`.
fn density(n: usize, r: f64) -> f64 {
    let half = 0.5 * n as f64;
    let exponent = (n as f64 - 1.0) * libm::log(r) - 0.5 * r * r;
    libm::exp(exponent - libm::lgamma(half) + (1.0 - half) * std::f64::consts::LN_2)
}
