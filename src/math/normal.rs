//! The standard normal distribution, with relative accuracy in both tails and in narrow intervals.
//!
//! `φ(x) = e^(−x²/2)/√(2π)`, `Φ(x) = ½ erfc(−x/√2)`. Rounding `x²` costs a relative error of about `x² ε` far out.

use std::f64::consts::FRAC_1_SQRT_2;

use super::quadrature::LEGENDRE;

/// `1/√(2π)`.
const FRAC_1_SQRT_2PI: f64 = 0.398_942_280_401_432_7;

/// `φ(x)`.
pub fn density(x: f64) -> f64 {
    FRAC_1_SQRT_2PI * libm::exp(-0.5 * x * x)
}

/// `Φ(x)`, accurate relative to itself in the lower tail.
pub fn distribution(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

/// `1 − Φ(x)`, accurate relative to itself in the upper tail.
pub fn upper_tail(x: f64) -> f64 {
    distribution(-x)
}

/// `Φ(u) − Φ(l)` for `l ≤ u`, accurate relative to itself wherever the interval lies and however narrow it is; 0 for an
/// empty interval.
pub fn interval_mass(l: f64, u: f64) -> f64 {
    Cell::new(l, u).mass
}

/// `N(0,1)` on an interval `[l, u]`: the quantities of Eqn 11.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// `π = Φ(u) − Φ(l)`.
    pub mass: f64,
    /// `μ = E[z | l ≤ z ≤ u] = (φ(l) − φ(u))/π`.
    pub mean: f64,
    /// `ν = Var[z | l ≤ z ≤ u] = 1 + (lφ(l) − uφ(u))/π − μ²`.
    pub variance: f64,
}

impl Cell {
    /// The interval `[l, u]`; its ends may be infinite. An empty interval, or one so far out that its mass is 0 in `f64`, has mass 0
    /// and counts as a point.
    pub fn new(l: f64, u: f64) -> Self {
        if l + u < 0.0 {
            let mirrored = Self::new(-u, -l);
            return Self { mean: -mirrored.mean, ..mirrored };
        }
        if is_narrow(l, u) { Self::narrow(l, u) } else { Self::wide(l, u) }
    }

    /// By quadrature about the midpoint `m`, where the density is `φ(m) e^(−mt − t²/2)`: no differences of near-equal numbers.
    /// The rule is exact to rounding on what [`is_narrow`] lets through.
    fn narrow(l: f64, u: f64) -> Self {
        let (middle, half) = (l + 0.5 * (u - l), 0.5 * (u - l));
        let nodes = LEGENDRE.map(|(node, weight)| {
            let t = half * node;
            let (even, odd) = (libm::exp(-0.5 * t * t), middle * t);
            (t, weight * even * libm::exp(odd), weight * even * libm::exp(-odd))
        });
        let total: f64 = nodes.iter().map(|&(_, below, above)| below + above).sum();
        let offset = nodes.iter().map(|&(t, below, above)| t * (above - below)).sum::<f64>() / total;
        let spread = |(t, below, above): (f64, f64, f64)| below * square(t + offset) + above * square(t - offset);
        Self {
            mass: density(middle) * half * total,
            mean: middle + offset,
            variance: nodes.into_iter().map(spread).sum::<f64>() / total,
        }
    }

    /// By Eqn 11. The masses of the two tails differ by a factor of `√e` at least, so little of them cancels; the mean is
    /// accurate to some `|l|³ ε`, the variance to `l⁴ ε`.
    fn wide(l: f64, u: f64) -> Self {
        let mass = if l > 0.0 {
            upper_tail(l) - upper_tail(u)
        } else {
            0.5 * (libm::erf(u * FRAC_1_SQRT_2) - libm::erf(l * FRAC_1_SQRT_2))
        };
        if mass.is_nan() || mass <= 0.0 {
            let mean = if l.is_finite() { l } else { u };
            return Self { mass: 0.0, mean, variance: 0.0 };
        }
        let edge = |x: f64| if x.is_finite() { x * density(x) } else { 0.0 };
        let mean = (density(l) - density(u)) / mass;
        let variance = 1.0 + (edge(l) - edge(u)) / mass - mean * mean;
        Self { mass, mean, variance: variance.max(0.0) }
    }
}

/// Whether neither `t²` nor `mt` moves the density by more than a factor of e over the interval (`l + u ≥ 0`).
fn is_narrow(l: f64, u: f64) -> bool {
    let width = u - l;
    (0.0..=1.0).contains(&width) && width * (l + u) <= 2.0
}

fn square(x: f64) -> f64 {
    x * x
}

/// The `x` with `Φ(x) = p`: `−∞` at 0, `∞` at 1, NaN outside of `[0, 1]`.
///
/// [`rough_quantile`] is polished by Halley's third-order step for `Φ(x) = p`: two of them leave rounding only.
pub fn quantile(p: f64) -> f64 {
    if p > 0.5 {
        return -quantile(1.0 - p);
    }
    if p.is_nan() || p < 0.0 {
        return f64::NAN;
    }
    if p == 0.0 {
        return f64::NEG_INFINITY;
    }
    if p == 0.5 {
        return 0.0;
    }
    let mut x = rough_quantile(p);
    for _ in 0..3 {
        let step = (distribution(x) - p) / density(x);
        x -= step / (1.0 + 0.5 * x * step);
    }
    x
}

/// The `x` with `Φ(x) = p` for `0 < p ≤ ½`, off by less than 4.5e-4 (Abramowitz and Stegun 26.2.23).
pub fn rough_quantile(p: f64) -> f64 {
    let t = (-2.0 * libm::log(p)).sqrt();
    let top = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let bottom = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    top / bottom - t
}
