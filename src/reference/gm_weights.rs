//! Unequal weights of a GM layer's components: `h = Σ_k w_k f_k`, `w` on the simplex.
//!
//! `f_k` is linear in `(U_k, v_k)`, so `h = 1/K Σ (K w_k) f_k` is the plain layer with `U'_k = K w_k U_k`, `v'_k = K w_k v_k`, and
//! `∂U_k = K w_k ∂U'_k`, `∂v_k = K w_k ∂v'_k`, `∂w_k = K (⟨U_k, ∂U'_k⟩ + ⟨v_k, ∂v'_k⟩)`.
//! The weighted layer's parameters are those of the plain one, [`GmDims`], with `weights [Kp]` behind them.

use std::ops::Range;

use super::Real;
use crate::Result;
use crate::shape::{GmDims, expect_len, stride};

/// Where `weights [Kp]` lies in a run's parameters.
pub fn weights(dims: &GmDims) -> Range<usize> {
    dims.params_len()..dims.params_len() + stride(dims.components)
}

/// Parameters of the plain layer, `effective [R, P']`, from those of the weighted one, `params [R, P]`.
///
/// # Errors
/// [`crate::Error::Shape`] when an array's length does not fit `dims`.
pub fn weigh<T: Real>(dims: &GmDims, params: &[T], effective: &mut [T]) -> Result<()> {
    const OP: &str = "weighted GM layer, forward";
    check(OP, dims, params.len(), effective.len())?;
    let runs = params.chunks_exact(weights(dims).end).zip(effective.chunks_exact_mut(dims.params_len()));
    for (params, effective) in runs {
        effective.copy_from_slice(&params[..dims.params_len()]);
        scale(dims, &params[weights(dims)], effective);
    }
    Ok(())
}

/// Gradients of the weighted layer, `grads [R, P]`, from those of the plain one, `d_effective [R, P']`.
///
/// # Errors
/// As [`weigh`].
pub fn weigh_backward<T: Real>(dims: &GmDims, params: &[T], d_effective: &[T], grads: &mut [T]) -> Result<()> {
    const OP: &str = "weighted GM layer, backward";
    check(OP, dims, params.len(), d_effective.len())?;
    expect_len(OP, "gradients [R,P]", grads.len(), params.len())?;
    let len = weights(dims).end;
    let runs = params.chunks_exact(len).zip(d_effective.chunks_exact(dims.params_len()));
    for ((params, d_effective), grads) in runs.zip(grads.chunks_exact_mut(len)) {
        let (plain, d_weights) = grads.split_at_mut(dims.params_len());
        plain.copy_from_slice(d_effective);
        scale(dims, &params[weights(dims)], plain);
        d_weights.fill(T::ZERO);
        for (k, d_weight) in d_weights[..dims.components].iter_mut().enumerate() {
            let products = outputs_of(dims, k).into_iter().flatten().map(|at| params[at] * d_effective[at]);
            *d_weight = T::of(dims.components as f64) * products.sum::<T>();
        }
    }
    Ok(())
}

/// A step of the Fisher–Rao flow on the simplex, `w_k ∝ w_k exp(−rate (g_k − ḡ))`: the part of the Wasserstein–Fisher–Rao flow that
/// moves mass between components. `at` is where the weights lie in a run's parameters of `len` values. A rate of 0 keeps the bits.
pub fn simplex_step<T: Real>(at: Range<usize>, len: usize, rate: T, params: &mut [T], grads: &[T]) {
    if rate == T::ZERO {
        return;
    }
    for (params, grads) in params.chunks_exact_mut(len).zip(grads.chunks_exact(len)) {
        let (w, g) = (&mut params[at.clone()], &grads[at.clone()]);
        // Any shift gives the same weights; with the smallest gradient no exponent is positive.
        let smallest = g.iter().copied().fold(g[0], |least, g| if g < least { g } else { least });
        w.iter_mut().zip(g).for_each(|(w, &g)| *w *= (-rate * (g - smallest)).exp());
        let sum: T = w.iter().copied().sum();
        w.iter_mut().for_each(|w| *w /= sum);
    }
}

/// Where `u_k` and `v_k` lie.
fn outputs_of(dims: &GmDims, k: usize) -> [Range<usize>; 2] {
    let part = |all: Range<usize>| {
        let len = all.len() / dims.components;
        all.start + k * len..all.start + (k + 1) * len
    };
    [part(dims.u()), part(dims.v())]
}

fn scale<T: Real>(dims: &GmDims, weights: &[T], params: &mut [T]) {
    for (k, &weight) in weights[..dims.components].iter().enumerate() {
        let factor = T::of(dims.components as f64) * weight;
        for range in outputs_of(dims, k) {
            params[range].iter_mut().for_each(|value| *value *= factor);
        }
    }
}

fn check(op: &'static str, dims: &GmDims, params: usize, effective: usize) -> Result<()> {
    expect_len(op, "parameters [R,P]", params, dims.runs * weights(dims).end)?;
    expect_len(op, "plain parameters [R,P']", effective, dims.runs * dims.params_len())
}
