//! What the proof needs to know of an activation. One more activation is one more file with this trait.

use super::identity::Identity;
use super::relu::Relu;
use super::rounding::{Interval, add_up, mul_up};
use super::smoothed::Smoothed;
use super::tanh::Tanh;
use crate::{Error, Result};

/// Moments of `a(z)` for `z ~ N(m, s²)`. Bounds of the fourth order are infinite or NaN where they are out of reach.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moments {
    /// `E a`.
    pub(super) mean: Interval,
    /// `F = E a'`.
    pub(super) slope: Interval,
    /// `E a²`.
    pub(super) square: Interval,
    /// At least `r² = Var a − F² s²`.
    pub(super) residual: f64,
    /// At least `q² = Var a²`.
    pub(super) square_variance: f64,
    /// At least `E a⁴`.
    pub(super) fourth: f64,
    /// At least `E δ⁴`, `δ = a − E a − F (z − m)`.
    pub(super) residual_fourth: f64,
    /// At least `E (a² − E a²)⁴`.
    pub(super) square_fourth: f64,
}

impl Moments {
    /// Of a number that does not vary, `a` of it and `a'` of it.
    pub(super) fn fixed(value: Interval, slope: Interval) -> Self {
        let square = value.square();
        let fourth = square.square().hi;
        let [residual, square_variance, residual_fourth, square_fourth] = [0.0; 4];
        Self { mean: value, slope, square, residual, square_variance, fourth, residual_fourth, square_fourth }
    }
}

/// A neuron of the approximation, `ẑ ~ N(mean, variance)`, that is off by `d = e + ν ξ`, where `ẑ = G + √N̄ ξ`, and `ξ ~ N(0,1)`
/// is independent of `e`, `ν` and `G`. Bounds are upper bounds but for `floor`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Displaced {
    pub(super) mean: Interval,
    pub(super) variance: Interval,
    /// The slope `f` that stands for the activation: any number, best `E a'(ẑ)`.
    pub(super) slope: f64,
    /// `E e²` and `‖e‖₄`.
    pub(super) shift: f64,
    pub(super) shift_fourth: f64,
    /// `B`: `|Cov(e², h(G))| ≤ B sd h(G)` for every function `h`; infinity where not known.
    pub(super) dependence: f64,
    /// `E ν²` and `‖ν‖₄`.
    pub(super) scale: f64,
    pub(super) scale_fourth: f64,
    /// `N̄` or less.
    pub(super) floor: f64,
}

impl Displaced {
    /// `E d² = E e² + E ν²`.
    pub(super) fn second(&self) -> f64 {
        add_up(self.shift, self.scale)
    }

    /// `‖d‖₄ ≤ ‖e‖₄ + 3^¼ ‖ν‖₄`.
    pub(super) fn fourth(&self) -> f64 {
        add_up(self.shift_fourth, mul_up(ROOT4_OF_3, self.scale_fourth))
    }
}

/// `3^¼`, rounded up: `‖x‖₄` of a standard normal `x`.
pub(super) const ROOT4_OF_3: f64 = 1.316_074_013;

/// An activation with enclosures of its Gaussian moments. NaN arguments give NaN.
pub(super) trait Activation: Sync {
    /// At least `sup |a'|`.
    fn lipschitz(&self) -> f64;

    /// Moments under `N(mean, variance)`, both exact; `variance ≥ 0`, and 0 is a number that does not vary.
    fn moments(&self, mean: f64, variance: f64) -> Moments;

    /// What stands for the activation of `N(mean, variance)` that borrows noise (Lemma 5); `None` where that is not known.
    fn smoothed(&self, _mean: f64, _variance: f64, _level: u32) -> Option<Smoothed> {
        None
    }

    /// At least `κ = ‖a(ẑ + d) − a(ẑ) − f d‖₂`.
    fn displacement(&self, neuron: &Displaced) -> f64;
}

/// The activation called `name`.
///
/// # Errors
/// When there is none of that name.
pub(super) fn named(name: &str) -> Result<&'static dyn Activation> {
    match name {
        "relu" => Ok(&Relu),
        "tanh" => Ok(&Tanh),
        "none" => Ok(&Identity),
        _ => Err(Error::Config(format!("activation {name}: there are proofs for relu, tanh and none"))),
    }
}
