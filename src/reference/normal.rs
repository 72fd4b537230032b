//! Moments of a rectified Gaussian.
//!
//! For `Y ~ N(m, s²)` and `t = m/s`: `F = P(Y>0) = Φ(t)` and `A = E relu(Y) = mΦ(t) + sφ(t)`.

use super::Real;

/// `A`, `F` and what their derivatives need. With `gA = ∂/∂A` and `gF = ∂/∂F` of some loss,
/// `∂/∂m = gA·F + gF·q` and `∂/∂s² = q/2·(gA − gF·w)`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ReluMoments<T> {
    /// `A = E relu(Y)`.
    pub a: T,
    /// `F = P(Y > 0)`.
    pub f: T,
    /// `q = φ(t)/s`, which is `∂F/∂m`; 0 for a point mass.
    pub q: T,
    /// `w = t/s`; 0 where `q` is.
    pub w: T,
}

/// The moments of `relu(Y)`, `Y ~ N(mean, variance)`. Finite for every finite input; `A ≥ 0` with its *relative*
/// accuracy in the far negative tail, where the textbook form cancels.
pub fn relu_moments<T: Real>(mean: T, variance: T) -> ReluMoments<T> {
    if variance <= T::POINT_MASS_VARIANCE {
        let positive = mean > T::ZERO;
        let (a, f) = if positive { (mean, T::ONE) } else { (T::ZERO, T::ZERO) };
        return ReluMoments { a, f, q: T::ZERO, w: T::ZERO };
    }
    let s = variance.root();
    let t = mean / s;
    let density = T::of(FRAC_1_SQRT_2PI) * (T::of(-0.5) * t * t).exp();
    let f = T::of(0.5) * (-t * T::of(std::f64::consts::FRAC_1_SQRT_2)).erfc();
    let a = if t < T::of(-2.5) { s * density * mills_remainder(-t) } else { mean * f + s * density };
    let q = density / s;
    let w = if q == T::ZERO { T::ZERO } else { t / s };
    ReluMoments { a, f, q, w }
}

/// `1/√(2π)`.
pub const FRAC_1_SQRT_2PI: f64 = 0.398_942_280_401_432_7;

/// `1 − x·R(x)` with Mills' ratio `R(x) = (1 − Φ(x))/φ(x)`, for `x ≥ 2.5`. With the continued fraction
/// `1/R = x + C`, `C = 1/(x + 2/(x + 3/…))`, it equals `C/(x + C)`: no difference of near-equal numbers.
fn mills_remainder<T: Real>(x: T) -> T {
    let mut tail = x;
    for k in (2..=T::MILLS_TERMS).rev() {
        tail = x + T::of(f64::from(k)) / tail;
    }
    let c = T::ONE / tail;
    c / (x + c)
}
