//! The float types that the twins work in.

use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use super::fast_moments;
use super::normal::{self, ReluMoments};

/// `f32` or `f64`, with the few functions that the twins need. Transcendentals come from `libm`, which gives the
/// same bits on every platform.
pub trait Real:
    super::Lanes
    + faer::traits::ComplexField
    + Copy
    + Default
    + PartialOrd
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + Sum
{
    /// Zero.
    const ZERO: Self;
    /// One.
    const ONE: Self;
    /// A variance at or below this counts as none: `t = m/s` and its derivatives would leave the type's range,
    /// while `sφ(t)` no longer moves a sum.
    const POINT_MASS_VARIANCE: Self;
    /// A magnitude that no sum next to values of ordinary size notices, and whose square is still a normal number. The
    /// layer's coefficients below it count as 0: processors handle subnormal numbers a hundred times slower, and a
    /// well-trained network is full of tiny probabilities.
    const NEGLIGIBLE: Self;
    /// The smallest normal number.
    const SMALLEST_NORMAL: Self;
    /// Terms of Mills' continued fraction that give the type's full accuracy for arguments of 2.5 and more.
    const MILLS_TERMS: u32;
    /// The nearest value to an `f64`.
    fn of(value: f64) -> Self;
    /// This value as an `f64`.
    fn to_f64(self) -> f64;
    /// `e^self`.
    fn exp(self) -> Self;
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// Square root.
    fn root(self) -> Self;
    /// Complementary error function, accurate relatively in both tails.
    fn erfc(self) -> Self;
    /// This value, or 0 where it is so near the subnormal numbers that products with it would be among them. Keeps the far
    /// tails that [`Real::flushed`] drops: outputs may consist of nothing else.
    #[inline(always)]
    fn or_zero(self) -> Self {
        let floor = Self::SMALLEST_NORMAL * Self::of(1e8);
        if self < floor && -self < floor { Self::ZERO } else { self }
    }
    /// This value, or 0 where it is smaller than [`Real::NEGLIGIBLE`].
    #[inline(always)]
    fn flushed(self) -> Self {
        if self < Self::NEGLIGIBLE && -self < Self::NEGLIGIBLE { Self::ZERO } else { self }
    }
    /// [`relu_moments`](super::normal::relu_moments) of `N(mean, variance)`, as fast as the type allows.
    fn rectify(mean: Self, variance: Self) -> ReluMoments<Self>;
    /// The larger of two values; the other one if one is NaN.
    fn larger(self, other: Self) -> Self;
}

macro_rules! real {
    ($type:ty, $tiny:expr, $negligible:expr, $terms:expr, $exp:path, $ln:path, $erfc:path, $rectify:path) => {
        impl Real for $type {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const POINT_MASS_VARIANCE: Self = $tiny;
            const NEGLIGIBLE: Self = $negligible;
            const SMALLEST_NORMAL: Self = <$type>::MIN_POSITIVE;
            const MILLS_TERMS: u32 = $terms;
            #[inline(always)]
            fn of(value: f64) -> Self {
                value as $type
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn exp(self) -> Self {
                $exp(self)
            }
            #[inline(always)]
            fn ln(self) -> Self {
                $ln(self)
            }
            #[inline(always)]
            fn root(self) -> Self {
                self.sqrt()
            }
            #[inline(always)]
            fn erfc(self) -> Self {
                $erfc(self)
            }
            #[inline(always)]
            fn rectify(mean: Self, variance: Self) -> ReluMoments<Self> {
                $rectify(mean, variance)
            }
            #[inline(always)]
            fn larger(self, other: Self) -> Self {
                self.max(other)
            }
        }
    };
}
real!(f32, 1e-34, 1e-16, 16, libm::expf, libm::logf, libm::erfcf, fast_moments::relu_moments);
real!(f64, 1e-290, 1e-150, 60, libm::exp, libm::log, libm::erfc, normal::relu_moments);

/// Runs an elementwise loop with the widest SIMD instructions of this machine. `work` must be inlinable; the
/// compiler vectorises it. Sums are not reassociated, so the width changes no bits except through fused
/// multiply-adds that the code itself asks for (it asks for none).
#[inline(always)]
pub fn vectorized<R>(work: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(work)
}
