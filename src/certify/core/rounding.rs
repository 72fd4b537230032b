//! Outward rounding: intervals, and terms that cover plain sums and products.
//!
//! Additions, multiplications, divisions and square roots of IEEE 754 are correct to half a unit in the last place, so the
//! neighbouring number encloses the exact result. A NaN stays a NaN through every function here.

use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::reference::vectorized;

/// The unit roundoff, 2⁻⁵³.
pub(super) const U: f64 = f64::EPSILON / 2.0;

/// At least the neighbour above `x`, so at least every number that rounds to `x`; three or fewer units in the last place above it, in
/// plain arithmetic, which loops do in vectors: `|x| 2⁻⁵²` is one unit or two, and what is added to it covers underflow.
#[inline(always)]
pub(super) fn up(x: f64) -> f64 {
    x + (x.abs() * f64::EPSILON + f64::MIN_POSITIVE)
}

/// At most the neighbour below `x`: [`up`] mirrored.
#[inline(always)]
pub(super) fn down(x: f64) -> f64 {
    x - (x.abs() * f64::EPSILON + f64::MIN_POSITIVE)
}

/// All numbers between two.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Interval {
    pub(super) lo: f64,
    pub(super) hi: f64,
}

impl Interval {
    pub(super) const ZERO: Self = Self { lo: 0.0, hi: 0.0 };
    pub(super) const ONE: Self = Self { lo: 1.0, hi: 1.0 };

    /// Exactly `x`.
    pub(super) const fn point(x: f64) -> Self {
        Self { lo: x, hi: x }
    }

    pub(super) const fn new(lo: f64, hi: f64) -> Self {
        Self { lo, hi }
    }

    /// `x (1 ± relative)`.
    pub(super) fn around(x: f64, relative: f64) -> Self {
        Self::point(x).widened(relative)
    }

    /// Both ends moved out by `relative` of themselves.
    pub(super) fn widened(self, relative: f64) -> Self {
        Self { lo: down(self.lo - up(self.lo.abs() * relative)), hi: up(self.hi + up(self.hi.abs() * relative)) }
    }

    fn is_zero(self) -> bool {
        self.lo == 0.0 && self.hi == 0.0
    }

    fn is_finite(self) -> bool {
        self.lo.is_finite() && self.hi.is_finite()
    }

    /// `x²`, at least 0.
    pub(super) fn square(self) -> Self {
        let Self { lo, hi } = self * self;
        Self { lo: at_least_zero(lo), hi }
    }

    /// `√x` of the part that is not negative.
    pub(super) fn sqrt(self) -> Self {
        if self.is_zero() {
            return self;
        }
        Self { lo: sqrt_down(at_least_zero(self.lo)), hi: sqrt_up(self.hi) }
    }

    /// The part that is not negative.
    pub(super) fn non_negative(self) -> Self {
        Self { lo: at_least_zero(self.lo), hi: at_least_zero(self.hi) }
    }

    /// A number inside and how far the ends are from it, at most.
    pub(super) fn center(self) -> (f64, f64) {
        let center = 0.5 * self.lo + 0.5 * self.hi;
        (center, larger(up(self.hi - center), up(center - self.lo)))
    }
}

impl Add for Interval {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        if self.is_zero() {
            return other;
        }
        if other.is_zero() {
            return self;
        }
        Self { lo: down(self.lo + other.lo), hi: up(self.hi + other.hi) }
    }
}

impl Neg for Interval {
    type Output = Self;

    fn neg(self) -> Self {
        Self { lo: -self.hi, hi: -self.lo }
    }
}

impl Sub for Interval {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Interval {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let most = self.hi * other.hi;
        if self.lo >= 0.0 && other.lo >= 0.0 && most > 0.0 {
            return Self { lo: down(self.lo * other.lo), hi: up(most) };
        }
        self.mul_of_any_sign(other)
    }
}

impl Interval {
    /// The product where an end may be negative, or a product 0.
    fn mul_of_any_sign(self, other: Self) -> Self {
        if (self.is_zero() && other.is_finite()) || (other.is_zero() && self.is_finite()) {
            return Self::ZERO;
        }
        if self.lo >= 0.0 && other.lo >= 0.0 {
            return Self { lo: down(self.lo * other.lo), hi: up(self.hi * other.hi) };
        }
        let corners = [self.lo * other.lo, self.lo * other.hi, self.hi * other.lo, self.hi * other.hi];
        let [first, rest @ ..] = corners;
        Self { lo: down(rest.into_iter().fold(first, smaller)), hi: up(rest.into_iter().fold(first, larger)) }
    }
}

impl Mul<Interval> for f64 {
    type Output = Interval;

    fn mul(self, other: Interval) -> Interval {
        Interval::point(self) * other
    }
}

impl Div for Interval {
    type Output = Self;

    /// By numbers above 0; by anything else the result is NaN.
    fn div(self, other: Self) -> Self {
        if !(other.lo > 0.0) {
            return Self::point(f64::NAN);
        }
        let lo = if self.lo >= 0.0 { self.lo / other.hi } else { self.lo / other.lo };
        let hi = if self.hi >= 0.0 { self.hi / other.lo } else { self.hi / other.hi };
        Self { lo: down(lo), hi: up(hi) }
    }
}

/// The larger of two; NaN if one is.
pub(super) fn larger(a: f64, b: f64) -> f64 {
    if a >= b {
        a
    } else if b > a {
        b
    } else {
        f64::NAN
    }
}

/// The smaller of two; NaN if one is.
pub(super) fn smaller(a: f64, b: f64) -> f64 {
    -larger(-a, -b)
}

/// `max(x, 0)`; NaN if `x` is.
pub(super) fn at_least_zero(x: f64) -> f64 {
    larger(x, 0.0)
}

/// `a + b` or more.
pub(super) fn add_up(a: f64, b: f64) -> f64 {
    if a == 0.0 {
        b
    } else if b == 0.0 {
        a
    } else {
        up(a + b)
    }
}

/// `a b` or more.
pub(super) fn mul_up(a: f64, b: f64) -> f64 {
    let product = a * b;
    if a == 0.0 || b == 0.0 { product } else { up(product) }
}

/// `a / b` or more; NaN unless `b > 0`.
pub(super) fn div_up(a: f64, b: f64) -> f64 {
    if !(b > 0.0) {
        return f64::NAN;
    }
    if a == 0.0 { 0.0 } else { up(a / b) }
}

/// `√x` or more.
pub(super) fn sqrt_up(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { up(x.sqrt()) }
}

/// `√x` or less, not below 0.
pub(super) fn sqrt_down(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { down(x.sqrt()) }
}

/// `x⁴` or more.
pub(super) fn fourth_power(x: f64) -> f64 {
    let square = mul_up(x, x);
    mul_up(square, square)
}

/// `x^¼` or more.
pub(super) fn fourth_root(x: f64) -> f64 {
    sqrt_up(sqrt_up(x))
}

/// `√(a² + b²)` or more, for lengths.
pub(super) fn hypot_up(a: f64, b: f64) -> f64 {
    if a == 0.0 || b == 0.0 {
        return add_up(a, b);
    }
    // Scaled by the larger, so that squares neither overflow nor vanish.
    let (large, small) = if a >= b { (a, b) } else { (b, a) };
    let ratio = div_up(small, large);
    mul_up(large, sqrt_up(add_up(1.0, mul_up(ratio, ratio))))
}

/// Higham's `γ_n = nu/(1 − nu)` or more: what `n` roundings in a row can do, in parts of the exact value.
pub(super) fn gamma(n: usize) -> f64 {
    let nu = up(n as f64 * U);
    if nu < 0.5 { up(nu / down(1.0 - nu)) } else { f64::INFINITY }
}

/// Turns the computed sum of terms that are not negative into an upper bound of the exact one. Every term took part in at
/// most `roundings` rounded operations and was made by products that may have underflowed `underflows` times in all:
/// `S ≤ Ŝ/(1 − γ) ≤ Ŝ(1 + 2γ)` for `γ ≤ ½`.
pub(super) fn cover(sum: f64, roundings: usize, underflows: usize) -> f64 {
    if sum == 0.0 && underflows == 0 {
        return 0.0;
    }
    let inflated = up(sum + up(2.0 * gamma(roundings) * sum));
    up(inflated + underflows as f64 * f64::MIN_POSITIVE)
}

/// `Σ x_j y_j` or more, for numbers that are not negative.
pub(super) fn dot_up(x: &[f64], y: &[f64]) -> f64 {
    cover(plain_dot(x, y), x.len() + 1, x.len())
}

/// `‖x‖` or more. Squares that would underflow are covered by the smallest number per entry.
pub(super) fn norm_up(x: &[f64]) -> f64 {
    sqrt_up(cover(plain_dot(x, x), x.len() + 1, x.len()))
}

/// `Σ x_j` or more, for numbers that are not negative.
pub(super) fn sum_up(x: &[f64]) -> f64 {
    cover(x.iter().sum(), x.len(), 0)
}

/// `Σ x_j y_j` in eight running sums, which vectors of any width compute alike.
pub(super) fn plain_dot(x: &[f64], y: &[f64]) -> f64 {
    vectorized(
        #[inline(always)]
        || {
            let mut sums = [0.0; 8];
            let (x_blocks, x_rest) = x.as_chunks::<8>();
            let (y_blocks, y_rest) = y.as_chunks::<8>();
            for (a, b) in x_blocks.iter().zip(y_blocks) {
                for k in 0..8 {
                    sums[k] += a[k] * b[k];
                }
            }
            let rest: f64 = x_rest.iter().zip(y_rest).map(|(a, b)| a * b).sum();
            sums.iter().sum::<f64>() + rest
        },
    )
}
