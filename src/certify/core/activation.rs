//! What the proof needs to know of an activation. One more activation is one more file with this trait.

use super::identity::Identity;
use super::relu::Relu;
use super::rounding::Interval;
use super::tanh::Tanh;
use crate::{Error, Result};

/// Moments of `a(z)` for `z ~ N(m, s²)`.
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
}

/// Moments that only Lemma 6, the fourth-order noise bound and dropout ask for: upper bounds.
#[derive(Clone, Copy, Debug)]
pub(super) struct FourthMoments {
    /// `E δ⁴`, `δ = a − E a − F (z − m)`.
    pub(super) residual: f64,
    /// `E a⁴`.
    pub(super) plain: f64,
    /// `E (a² − E a²)⁴`.
    pub(super) square: f64,
}

/// A neuron of the approximation, `ẑ ~ N(mean, variance)`, that is off by `d`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Displaced {
    pub(super) mean: Interval,
    pub(super) variance: Interval,
    /// The slope that stands for the activation: any number, best `E a'(ẑ)`.
    pub(super) slope: f64,
    /// At least `E d²`.
    pub(super) second: f64,
    /// At least `‖d‖₄`.
    pub(super) fourth: f64,
}

/// An activation with enclosures of its Gaussian moments. NaN arguments give NaN.
pub(super) trait Activation: Sync {
    /// At least `sup |a'|`.
    fn lipschitz(&self) -> f64;

    /// Moments under `N(mean, variance)`, both exact; `variance ≥ 0`, and 0 is a number that does not vary.
    fn moments(&self, mean: f64, variance: f64) -> Moments;

    /// The fourth-order moments under `N(mean, variance)`. Infinity or NaN where they are out of reach.
    fn fourth_moments(&self, mean: f64, variance: f64) -> FourthMoments;

    /// At least `κ = ‖a(ẑ + d) − a(ẑ) − f d‖₂`, whatever the dependence of `d` and `ẑ`.
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
