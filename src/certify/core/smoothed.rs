//! What a rectified Gaussian becomes under a Gaussian of its own: how far `Y = a(z) + ζ` is from Gaussian, for Lemma 5.
//!
//! In units of the deviation of `ζ`: `z ~ N(bt, b²)`, `ζ ~ N(0,1)`. The best coupling of `Y` with a standard normal `x` has
//! `E Yx = ∫ I(F(y)) dy`, `I = φ∘Φ⁻¹`, `F` the distribution function of `Y`. The page proves how far sums on a grid are from both
//! integrals. Values are kept: they depend on two numbers of a grid only.

use std::sync::OnceLock;

use super::activation::Activation;
use super::relu::Relu;
use super::rounding::{Interval, at_least_zero, larger, sqrt_up};
use crate::math::normal::{density, distribution, rough_quantile};

/// What stands for a neuron that borrows `ζ_j ~ N(0, ν_j)`.
pub(in crate::certify) struct Smoothed {
    /// `((c_j² − ν_j)/s_j²)^½`: the slope that its share of the covariance looks like.
    pub(super) slope: Interval,
    /// `c_j²/s_j²` or more.
    pub(super) whole: f64,
    /// `η_j/s_j` or more.
    pub(in crate::certify) distance: f64,
}

/// Levels of `b = s_j/√ν_j = 2^{2 − level/8}`.
const LEVELS: usize = 33;

/// Values of `t = m_j/s_j` are multiples of `1/PARTS` up to `MOST`.
const PARTS: f64 = 128.0;
const MOST: f64 = 4.0;
const VALUES: usize = 1025;

/// Steps of the grid in `y`, and from where to where beyond the means it reaches.
const STEP: f64 = 0.0625;
const REACH: f64 = 8.0;

/// The rectifier of `N(m, s²)`; `None` off the grid.
pub(in crate::certify) fn smoothed(mean: f64, variance: f64, level: u32) -> Option<Smoothed> {
    static KNOWN: [OnceLock<(f64, f64)>; LEVELS * VALUES] = [const { OnceLock::new() }; LEVELS * VALUES];
    let t = Interval::point(mean) / Interval::point(variance).sqrt();
    let place = (t.lo * PARTS).round() + MOST * PARTS;
    if !((0.0..VALUES as f64).contains(&place) && (level as usize) < LEVELS && t.hi.is_finite()) {
        return None;
    }
    let near = place / PARTS - MOST;
    let scale = libm::exp2(2.0 - 0.125 * f64::from(level));
    let known = KNOWN.get(level as usize * VALUES + place as usize)?;
    let &(whole, distance) = known.get_or_init(|| fitted(near, scale));
    let (b, whole) = (Interval::point(scale), Interval::point(whole).square());
    // Moving the mean by d moves a(z) − E a(z) by at most d/2: a variable between 0 and d has at most that deviation.
    let moved = Interval::point(0.5 * larger((t.hi - near).abs(), (t.lo - near).abs()).next_up());
    (whole.lo > 1.0).then(|| Smoothed {
        slope: (whole - Interval::ONE).sqrt() / b,
        whole: (whole / b.square()).hi,
        distance: (Interval::point(distance) / b + moved).hi,
    })
}

/// `c`, a number that is at most `E Yx`, and at least `η`, `η² = Var Y − c²`.
fn fitted(t: f64, b: f64) -> (f64, f64) {
    let (mean, square) = (t * b, 1.0 + b * b);
    let deviation = square.sqrt();
    let length = REACH + mean.max(0.0) + REACH * deviation;
    let (dead, kink) = (distribution(-t), b / square * density(t));
    let (mut below, mut sum) = (0.0, 0.0);
    for k in 0..=(length / STEP).ceil() as u32 {
        let y = f64::from(k) * STEP - REACH;
        // The density of Y is that of ζ where z < 0, and that of z + ζ where z > 0.
        let (off, alone) = (y - mean, density(y));
        let both = density(off / deviation) / deviation * distribution((mean + b * b * y) / (b * deviation));
        let here = dead * alone + both;
        let slope = kink * alone - y * dead * alone - off / square * both;
        let reached = below + 0.5 * STEP * here - STEP * STEP / 12.0 * slope;
        below += STEP * here;
        sum += isoperimetric(reached.min(1.0 - reached) - 2e-7);
    }
    let whole = STEP * sum - (2.1e-7 * (length + 1.0) + 1e-10);
    let law = Relu.moments(t, 1.0);
    let variance = (law.square - law.mean.square()).hi;
    let residual =
        Interval::point(b).square() * Interval::point(variance) + Interval::ONE - Interval::point(whole).square();
    (whole, sqrt_up(at_least_zero(residual.hi)))
}

/// At most `I(p)` but for rounding, `p ≤ ½`. `I' = −Φ⁻¹` and `I'' = −1/I`: from a `Φ(x) ≤ p`, Taylor.
fn isoperimetric(p: f64) -> f64 {
    if !(p > 1e-15) {
        return 0.0;
    }
    // The rough quantile is off by less than this.
    let x = rough_quantile(p) - 5e-4;
    let (rise, here) = (p - distribution(x), density(x));
    if rise >= 0.0 { at_least_zero(here - x * rise - 0.5 * rise * rise / here) } else { 0.0 }
}
