//! Stochastic gradient descent and Adam on flat parameter arrays with a learning rate per tensor.
#![doc = "\n"]
#![doc = include_str!("../docs/optimizers.md")]

use std::ops::Range;

use rayon::prelude::*;

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

/// Elements that one thread takes at a time.
const BLOCK: usize = 1 << 15;

/// `θ ← θ − rate (g + l2 θ)`; with momentum `μ`, `b ← μ b + g + l2 θ` and `θ ← θ − rate b`. All arrays are `[R, P]`;
/// every run uses the same `groups`.
///
/// # Errors
/// [`crate::Error::Shape`] when the lengths differ.
pub fn sgd<T: Real>(
    params_len: usize,
    groups: &[Group],
    params: &mut [T],
    grads: &[T],
    momentum: Option<(T, &mut [T])>,
) -> Result<()> {
    expect_len("SGD", "gradients [R,P]", grads.len(), params.len())?;
    let Some((decay, buffer)) = momentum else {
        for (params, grads) in params.chunks_exact_mut(params_len).zip(grads.chunks_exact(params_len)) {
            for group in groups.iter().filter(|group| group.rate != 0.0) {
                let (rate, l2) = (T::of(f64::from(group.rate)), T::of(f64::from(group.l2)));
                let grads = grads[group.range.clone()].par_chunks(BLOCK);
                params[group.range.clone()].par_chunks_mut(BLOCK).zip(grads).for_each(|(params, grads)| {
                    vectorized(
                        #[inline(always)]
                        || {
                            for (p, &g) in params.iter_mut().zip(grads) {
                                *p -= rate * (g + l2 * *p);
                            }
                        },
                    );
                });
            }
        }
        return Ok(());
    };
    expect_len("SGD", "momentum [R,P]", buffer.len(), params.len())?;
    let runs = params.chunks_exact_mut(params_len).zip(grads.chunks_exact(params_len));
    for ((params, grads), buffer) in runs.zip(buffer.chunks_exact_mut(params_len)) {
        for group in groups {
            let (rate, l2) = (T::of(f64::from(group.rate)), T::of(f64::from(group.l2)));
            let at = group.range.clone();
            let grads = grads[at.clone()].par_chunks(BLOCK);
            let buffer = buffer[at.clone()].par_chunks_mut(BLOCK);
            params[at].par_chunks_mut(BLOCK).zip(grads).zip(buffer).for_each(|((params, grads), buffer)| {
                vectorized(
                    #[inline(always)]
                    || {
                        for ((p, &g), b) in params.iter_mut().zip(grads).zip(buffer) {
                            *b = decay * *b + (g + l2 * *p);
                            // Not `−= 0`, which turns −0 into 0.
                            if rate != T::ZERO {
                                *p -= rate * *b;
                            }
                        }
                    },
                );
            });
        }
    }
    Ok(())
}

/// Adam (Kingma and Ba) at `step` (the first is 1): `m ← β₁m + (1−β₁)g`, `v ← β₂v + (1−β₂)g²`,
/// `θ ← θ − rate · m̂ / (√v̂ + ε)` with bias-corrected `m̂`, `v̂` and the penalty's gradient in `g`. All arrays are `[R, P]`.
///
/// # Errors
/// [`crate::Error::Shape`] when the lengths differ.
#[expect(clippy::too_many_arguments, reason = "a step of Adam has this much state")]
pub fn adam<T: Real>(
    params_len: usize,
    groups: &[Group],
    settings: AdamSettings,
    step: u64,
    params: &mut [T],
    grads: &[T],
    first: &mut [T],
    second: &mut [T],
) -> Result<()> {
    expect_len("Adam", "gradients [R,P]", grads.len(), params.len())?;
    expect_len("Adam", "first moments [R,P]", first.len(), params.len())?;
    expect_len("Adam", "second moments [R,P]", second.len(), params.len())?;
    let (beta1, beta2) = (T::of(f64::from(settings.beta1)), T::of(f64::from(settings.beta2)));
    let epsilon = T::of(f64::from(settings.epsilon));
    let (scale, root_scale) = adam_corrections(settings, step);
    let root_scale = T::of(root_scale);
    // A second moment whose root no longer moves ε; see [`Real::NEGLIGIBLE`].
    let floor = T::NEGLIGIBLE * T::NEGLIGIBLE * T::of(1e-4);
    for (run, params) in params.chunks_exact_mut(params_len).enumerate() {
        for group in groups {
            let at = run * params_len + group.range.start..run * params_len + group.range.end;
            let rate = T::of(f64::from(group.rate) * scale);
            let l2 = T::of(f64::from(group.l2));
            let grads = grads[at.clone()].par_chunks(BLOCK);
            let first = first[at.clone()].par_chunks_mut(BLOCK);
            let second = second[at].par_chunks_mut(BLOCK);
            let params = params[group.range.clone()].par_chunks_mut(BLOCK);
            params.zip(grads).zip(first).zip(second).for_each(|(((params, grads), first), second)| {
                vectorized(
                    #[inline(always)]
                    || {
                        for (((p, &g), m), v) in params.iter_mut().zip(grads).zip(first).zip(second) {
                            let g = (g + l2 * *p).flushed();
                            *m = (beta1 * *m + (T::ONE - beta1) * g).flushed();
                            let square = beta2 * *v + (T::ONE - beta2) * g * g;
                            *v = if square < floor { T::ZERO } else { square };
                            if rate != T::ZERO {
                                *p -= rate * *m / (v.root() * root_scale + epsilon);
                            }
                        }
                    },
                );
            });
        }
    }
    Ok(())
}

/// Adam's bias corrections at `step`: the factors `1/(1−β₁ᵗ)` of the rate and `1/√(1−β₂ᵗ)` of `√v`.
pub fn adam_corrections(settings: AdamSettings, step: u64) -> (f64, f64) {
    let power = |beta: f32| f64::from(beta).powf(step as f64);
    (1.0 / (1.0 - power(settings.beta1)), 1.0 / (1.0 - power(settings.beta2)).sqrt())
}
