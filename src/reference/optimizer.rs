//! Stochastic gradient descent and Adam on flat parameter arrays with a learning rate per tensor.
#![doc = "\n"]
#![doc = include_str!("../docs/optimizers.md")]

use std::ops::Range;

use rayon::prelude::*;

use super::threads::each;
use super::{Real, vectorized};
use crate::Result;
use crate::shape::expect_len;

/// A range of one run's parameters that shares a learning rate.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Where it lies in a run's parameters.
    pub range: Range<usize>,
    /// Learning rate of this step; 0 freezes the range: parameters keep their bits, moments still follow the gradients.
    pub rate: f32,
    /// Coefficient of the penalty `½ l2 ‖θ‖²`, whose gradient is added to the loss's.
    pub l2: f32,
}

/// Adam's constants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamSettings {
    /// Decay of the mean of gradients.
    pub beta1: f32,
    /// Decay of the mean of squared gradients.
    pub beta2: f32,
    /// Added to the root of the second moment.
    pub epsilon: f32,
}

impl Default for AdamSettings {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

/// How one step moves parameters. `first` and `second` are its state, zero before the first step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule<T> {
    /// `θ ← θ − rate (g + l2 θ)`; no state.
    Sgd,
    /// `b ← decay b + g + l2 θ`, `θ ← θ − rate b`; `first` is `b`.
    Momentum {
        /// Share of the old direction that is kept.
        decay: T,
    },
    /// Adam (Kingma and Ba): `m ← β₁m + (1−β₁)g`, `v ← β₂v + (1−β₂)g²`, `θ ← θ − rate · m̂ / (√v̂ + ε)` with bias-corrected
    /// `m̂`, `v̂` and the penalty's gradient in `g`; `first` is `m`, `second` is `v`.
    Adam {
        /// β₁.
        beta1: T,
        /// β₂.
        beta2: T,
        /// ε.
        epsilon: T,
        /// `1/(1−β₁ᵗ)`, a factor of the rate.
        scale: f64,
        /// `1/√(1−β₂ᵗ)`, a factor of `√v`.
        root_scale: T,
    },
}

impl<T: Real> Rule<T> {
    /// Adam at `step`; the first is 1.
    pub fn adam(settings: AdamSettings, step: u64) -> Self {
        let (scale, root_scale) = adam_corrections(settings, step);
        let of = |value: f32| T::of(f64::from(value));
        let (beta1, beta2, epsilon) = (of(settings.beta1), of(settings.beta2), of(settings.epsilon));
        Self::Adam { beta1, beta2, epsilon, scale, root_scale: T::of(root_scale) }
    }

    /// Refuses state arrays that are not the rule's: its own as long as the parameters, the others empty.
    pub(super) fn check(&self, op: &'static str, len: usize, [first, second]: [usize; 2]) -> Result<()> {
        let (wants_first, wants_second) = match self {
            Self::Sgd => (0, 0),
            Self::Momentum { .. } => (len, 0),
            Self::Adam { .. } => (len, len),
        };
        expect_len(op, "first state [R,P]", first, wants_first)?;
        expect_len(op, "second state [R,P]", second, wants_second)
    }

    /// Moves `params` along `grads`, all in one group. State arrays that the rule has not are empty. To be called where the
    /// compiler may use this machine's vectors.
    #[inline(always)]
    pub(super) fn apply(&self, group: &Group, params: &mut [T], grads: &[T], first: &mut [T], second: &mut [T]) {
        let (rate, l2) = (T::of(f64::from(group.rate)), T::of(f64::from(group.l2)));
        match *self {
            Self::Sgd if group.rate == 0.0 => {}
            Self::Sgd => {
                for (p, &g) in params.iter_mut().zip(grads) {
                    *p -= rate * (g + l2 * *p);
                }
            }
            Self::Momentum { decay } => {
                for ((p, &g), b) in params.iter_mut().zip(grads).zip(first) {
                    *b = decay * *b + (g + l2 * *p);
                    if rate != T::ZERO {
                        *p -= rate * *b;
                    }
                }
            }
            Self::Adam { beta1, beta2, epsilon, scale, root_scale } => {
                let scaled = T::of(f64::from(group.rate) * scale);
                // A second moment whose root no longer moves ε; see [`Real::NEGLIGIBLE`].
                let floor = T::NEGLIGIBLE * T::NEGLIGIBLE * T::of(1e-4);
                for (((p, &g), m), v) in params.iter_mut().zip(grads).zip(first).zip(second) {
                    let g = (g + l2 * *p).flushed();
                    *m = (beta1 * *m + (T::ONE - beta1) * g).flushed();
                    let square = beta2 * *v + (T::ONE - beta2) * g * g;
                    *v = if square < floor { T::ZERO } else { square };
                    if rate != T::ZERO {
                        *p -= scaled * *m / (v.root() * root_scale + epsilon);
                    }
                }
            }
        }
    }
}

/// Elements that one thread takes at a time.
const BLOCK: usize = 1 << 15;

/// One step of `rule` on the parameters `[R, P]` of every run, with the same `groups` for all runs. `first` and `second` are
/// the rule's state, `[R, P]` or empty.
///
/// # Errors
/// [`crate::Error::Shape`] when the lengths differ.
pub fn step<T: Real>(
    rule: &Rule<T>,
    params_len: usize,
    groups: &[Group],
    params: &mut [T],
    grads: &[T],
    [first, second]: [&mut [T]; 2],
) -> Result<()> {
    expect_len("optimiser", "gradients [R,P]", grads.len(), params.len())?;
    rule.check("optimiser", params.len(), [first.len(), second.len()])?;
    for (run, params) in params.chunks_exact_mut(params_len).enumerate() {
        for group in groups {
            let at = run * params_len + group.range.start..run * params_len + group.range.end;
            let tasks = params[group.range.clone()].chunks_mut(BLOCK).zip(grads[at.clone()].chunks(BLOCK));
            let tasks = tasks.zip(blocks(first, at.clone())).zip(blocks(second, at));
            let mut tasks: Vec<_> = tasks.collect();
            each(tasks.par_iter_mut(), |(((params, grads), first), second)| {
                vectorized(
                    #[inline(always)]
                    || rule.apply(group, params, grads, first, second),
                );
            });
        }
    }
    Ok(())
}

/// The blocks of a range of a state array; empty blocks without end for an empty array.
fn blocks<T>(state: &mut [T], at: Range<usize>) -> Box<dyn Iterator<Item = &mut [T]> + '_> {
    if state.is_empty() {
        return Box::new(std::iter::repeat_with(Default::default));
    }
    Box::new(state[at].chunks_mut(BLOCK))
}

/// Adam's bias corrections at `step`: the factors `1/(1−β₁ᵗ)` of the rate and `1/√(1−β₂ᵗ)` of `√v`.
pub fn adam_corrections(settings: AdamSettings, step: u64) -> (f64, f64) {
    let power = |beta: f32| f64::from(beta).powf(step as f64);
    (1.0 / (1.0 - power(settings.beta1)), 1.0 / (1.0 - power(settings.beta2)).sqrt())
}
