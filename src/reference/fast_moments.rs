//! Rectified moments for `f32` without branches, so that a loop over them fills vector registers.
//!
//! All arithmetic is in `f64`, where one form serves the whole line: with `x = |t|` and Mills' ratio `R(x) = (1−Φ(x))/φ(x)`,
//! `F(−x) = φR`, `A(−x) = sφ(1 − xR)` and `A(x) = A(−x) + m`. The difference `1 − xR ≈ 1/x²` loses seven bits where `F` still is
//! an `f32`; `R` below is good to 33 bits, so `A` keeps the 24 that are returned.

use super::normal::{FRAC_1_SQRT_2PI, ReluMoments};
use super::real::Real;

/// `R(x)/y` as a polynomial in `2y − 1`, `y = 1/(1 + x/4)`: the Chebyshev series of degree 14, computed to 60 digits; relative error
/// below 7.5e-11 on `0 ≤ x ≤ 40`.
const MILLS: [f64; 15] = [
    0.473_304_765_825_848_96,
    0.380_942_727_392_013,
    0.242_602_388_884_116_3,
    0.116_885_252_597_262_22,
    0.037_847_936_944_358_194,
    0.004_724_982_361_690_951,
    -0.002_180_543_382_332_552,
    -0.001_021_326_744_743_923_6,
    8.343_359_776_234_929e-5,
    0.000_143_197_242_340_768_37,
    -8.960_004_440_866_077e-7,
    -1.975_959_610_969_731e-5,
    3.382_243_163_639_522e-8,
    1.995_424_397_198_446e-6,
    -5.103_504_377_502_857e-8,
];

/// Beyond this `φ(x)` is below the smallest `f32` whatever `s` is.
const FAR: f64 = 36.0;

/// [`super::normal::relu_moments`] to the last places of an `f32`.
#[inline(always)]
pub(super) fn relu_moments(mean: f32, variance: f32) -> ReluMoments<f32> {
    let (m, s) = (f64::from(mean), f64::from(variance).sqrt());
    let t = m / s;
    // Not `min`, which would hide a NaN.
    let x = if t.abs() > FAR { FAR } else { t.abs() };
    let density = FRAC_1_SQRT_2PI * exp_of_minus(0.5 * x * x);
    let y = 1.0 / (1.0 + 0.25 * x);
    let mills = y * polynomial(&MILLS, 2.0 * y - 1.0);
    let tail = density * mills;
    let f = (if t < 0.0 { tail } else { 1.0 - tail }) as f32;
    let a = (s * density * (1.0 - x * mills) + m.max(0.0)) as f32;
    let q = (density / s) as f32;
    let w = if q == 0.0 { 0.0 } else { (t / s) as f32 };
    if variance <= f32::POINT_MASS_VARIANCE {
        let (a, f) = (mean.max(0.0), if mean > 0.0 { 1.0 } else { 0.0 });
        ReluMoments { a, f, q: 0.0, w: 0.0 }
    } else {
        ReluMoments { a, f, q, w }
    }
}

/// `e^−z` for `0 ≤ z ≤ 700`, relative error below 1e-11: `2^k` by its bits, the rest by Taylor's series.
#[inline(always)]
fn exp_of_minus(z: f64) -> f64 {
    /// Adding it leaves an integer in the low bits of a number.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const BIAS: u64 = 1023;
    const SERIES: [f64; 11] = [
        1.0,
        1.0,
        1.0 / 2.0,
        1.0 / 6.0,
        1.0 / 24.0,
        1.0 / 120.0,
        1.0 / 720.0,
        1.0 / 5_040.0,
        1.0 / 40_320.0,
        1.0 / 362_880.0,
        1.0 / 3_628_800.0,
    ];
    let shifted = -z * std::f64::consts::LOG2_E + ROUND;
    let rest = -z - (shifted - ROUND) * std::f64::consts::LN_2;
    let power = f64::from_bits(shifted.to_bits().wrapping_add(BIAS) << 52);
    power * polynomial(&SERIES, rest)
}

#[inline(always)]
fn polynomial<const N: usize>(coefficients: &[f64; N], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, &c| sum * x + c)
}

#[cfg(test)]
mod tests {
    use super::super::normal;
    use super::*;

    /// The textbook form in `f64` on a grid of `t`, scales and signs; results that are subnormal in `f32` are left out.
    #[test]
    fn agrees_with_the_textbook_form() {
        for i in -4200..=4200 {
            let t = f64::from(i) / 100.0;
            for s in [1e-12, 0.3, 1.0, 7e3] {
                let (variance, mean) = ((s * s) as f32, (t * s) as f32);
                let fast = relu_moments(mean, variance);
                let exact = normal::relu_moments(f64::from(mean), f64::from(variance));
                for (name, fast, exact) in [("A", fast.a, exact.a), ("F", fast.f, exact.f), ("q", fast.q, exact.q)] {
                    if exact.abs() > f64::from(f32::MIN_POSITIVE) && exact < f64::from(f32::MAX) {
                        let off = (f64::from(fast) - exact).abs() / exact.abs();
                        assert!(off < 1.3e-7, "{name} at t = {t}, s = {s}: {fast:e}, not {exact:e}, off by {off:e}");
                    }
                }
                if fast.q != 0.0 {
                    assert!((f64::from(fast.w) - exact.w).abs() <= 1e-6 * exact.w.abs(), "w at t = {t}, s = {s}");
                }
            }
        }
    }

    #[test]
    fn point_masses_and_extremes() {
        let at = |mean, variance| relu_moments(mean, variance);
        assert_eq!(at(2.0, 0.0), ReluMoments { a: 2.0, f: 1.0, q: 0.0, w: 0.0 });
        assert_eq!(at(-2.0, 1e-36), ReluMoments::default());
        assert_eq!(at(0.0, 0.0), ReluMoments::default());
        assert_eq!((at(f32::MAX, 1.0).a, at(f32::MAX, 1.0).f), (f32::MAX, 1.0));
        assert_eq!(at(-f32::MAX, 1.0), ReluMoments::default());
        assert!(at(0.0, f32::MAX).a.is_finite());
        assert!(at(f32::NAN, 1.0).a.is_nan() && at(1.0, f32::NAN).a.is_nan());
    }
}
