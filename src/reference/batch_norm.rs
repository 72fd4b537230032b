//! Batch normalisation by channel, `h = γ (x − m)/√(v + ε) + β`, with the mean and the variance of the minibatch in training and with
//! running ones in evaluation (Ioffe and Szegedy, 2015; constants and running values as PyTorch has them).
//!
//! Through the minibatch's own mean and variance, with `x̂ = (x − m)/√(v + ε)` and `n` values a channel,
//! `∂x = γ/√(v + ε) (∂h − (Σ∂h)/n − x̂ (Σ ∂h x̂)/n)`, `∂γ = Σ ∂h x̂`, `∂β = Σ ∂h`.

use rayon::prelude::*;

use super::sums::{pairs, sum};
use super::threads::each_of;
use super::{Real, vectorized};
use crate::Result;
use crate::shape::{ImageDims, expect_len, stride};

/// Added to variances, so that a constant channel becomes 0.
pub const EPSILON: f64 = 1e-5;

/// Share of the minibatch's mean and variance in the running ones.
pub const MOMENTUM: f64 = 0.1;

/// Values kept for a channel: its mean, `1/√(v + ε)`, its unbiased variance, and 0.
pub const KEPT: usize = 4;

/// The statistics `[R,C,4]` of the minibatch `x [R,B,C·H·W]`. The variance is the mean square of deviations from the mean, in a second
/// walk over the values: nothing cancels.
///
/// # Errors
/// [`crate::Error::Shape`] when an array's length does not fit `dims`.
pub fn statistics<T: Real>(dims: ImageDims, x: &[T], statistics: &mut [T]) -> Result<()> {
    const OP: &str = "batch normalisation, statistics";
    expect_len(OP, "x [R,B,C·H·W]", x.len(), dims.len())?;
    expect_len(OP, "statistics [R,C,4]", statistics.len(), KEPT * dims.runs * dims.channels)?;
    let n = (dims.batch * dims.pixels()) as f64;
    each_of(dims.len(), statistics.par_chunks_exact_mut(KEPT).enumerate(), |(at, kept)| {
        let total = |term: &dyn Fn(&[T]) -> f64| channel(dims, x, at).map(term).sum::<f64>();
        let mean = total(&|x| sum(x, |x| x)) / n;
        let near = T::of(mean);
        let squares = total(&|x| sum(x, |x| (x - near) * (x - near)));
        let unbiased = squares / (n - 1.0).max(1.0);
        kept.copy_from_slice(&[near, T::of(1.0 / (squares / n + EPSILON).sqrt()), T::of(unbiased), T::ZERO]);
    });
    Ok(())
}

/// The running statistics of the parameters `[R, gamma | beta | mean | variance]`, in the same form.
///
/// # Errors
/// [`crate::Error::Shape`] when an array's length does not fit `dims`.
pub fn running<T: Real>(dims: ImageDims, params: &[T], statistics: &mut [T]) -> Result<()> {
    const OP: &str = "batch normalisation, running statistics";
    expect_len(OP, "parameters [R,P]", params.len(), dims.runs * dims.norm_params_len())?;
    expect_len(OP, "statistics [R,C,4]", statistics.len(), KEPT * dims.runs * dims.channels)?;
    for (at, kept) in statistics.chunks_exact_mut(KEPT).enumerate() {
        let [_, _, mean, variance] = of_channel(dims, params, at);
        kept.copy_from_slice(&[mean, T::ONE / (variance + T::of(EPSILON)).root(), variance, T::ZERO]);
    }
    Ok(())
}

/// `h [R,B,C·H·W]`, normalised by `statistics`; pads come out 0.
///
/// # Errors
/// [`crate::Error::Shape`] when an array's length does not fit `dims`.
pub fn apply<T: Real>(dims: ImageDims, x: &[T], params: &[T], statistics: &[T], h: &mut [T]) -> Result<()> {
    const OP: &str = "batch normalisation, forward";
    check(OP, dims, x, params, statistics)?;
    expect_len(OP, "h [R,B,C·H·W]", h.len(), dims.len())?;
    let rows = h.par_chunks_exact_mut(dims.stride()).zip(x.par_chunks_exact(dims.stride()));
    each_of(dims.len(), rows.enumerate(), |(row, (h, x))| {
        let first = row / dims.batch * dims.channels;
        let channels = h.chunks_exact_mut(dims.pixels()).zip(x.chunks_exact(dims.pixels()));
        for (at, (h, x)) in (first..first + dims.channels).zip(channels) {
            let [gamma, beta, ..] = of_channel(dims, params, at);
            let (mean, factor) = (statistics[KEPT * at], statistics[KEPT * at + 1] * gamma);
            vectorized(
                #[inline(always)]
                || h.iter_mut().zip(x).for_each(|(h, &x)| *h = (x - mean) * factor + beta),
            );
        }
        h[dims.values()..].fill(T::ZERO);
    });
    Ok(())
}

/// Gradients of [`apply`] with the minibatch's statistics: of the parameters (`grads`, overwritten; the running values have none) and, when
/// wanted, of the input (`dx [R,B,C·H·W]`, overwritten).
///
/// # Errors
/// [`crate::Error::Shape`] when an array's length does not fit `dims`.
pub fn backward<T: Real>(
    dims: ImageDims,
    x: &[T],
    params: &[T],
    statistics: &[T],
    dh: &[T],
    grads: &mut [T],
    dx: Option<&mut [T]>,
) -> Result<()> {
    const OP: &str = "batch normalisation, backward";
    check(OP, dims, x, params, statistics)?;
    expect_len(OP, "dh [R,B,C·H·W]", dh.len(), dims.len())?;
    expect_len(OP, "gradients [R,P]", grads.len(), params.len())?;
    let mut sums = vec![[T::ZERO; 2]; dims.runs * dims.channels];
    each_of(dims.len(), sums.par_iter_mut().enumerate(), |(at, sums)| {
        let (mean, inverse) = (statistics[KEPT * at], statistics[KEPT * at + 1]);
        let both = channel(dims, dh, at).zip(channel(dims, x, at));
        let add = |[plain, scaled]: [f64; 2], (dh, x): (&[T], &[T])| {
            [plain + sum(dh, |dh| dh), scaled + pairs(dh, x, |dh, x| dh * (x - mean) * inverse)]
        };
        *sums = both.fold([0.0; 2], add).map(T::of);
    });
    grads.fill(T::ZERO);
    for (grads, sums) in grads.chunks_exact_mut(dims.norm_params_len()).zip(sums.chunks_exact(dims.channels)) {
        for (c, &[plain, scaled]) in sums.iter().enumerate() {
            (grads[c], grads[stride(dims.channels) + c]) = (scaled, plain);
        }
    }
    let Some(dx) = dx else { return Ok(()) };
    expect_len(OP, "dx [R,B,C·H·W]", dx.len(), dims.len())?;
    let n = T::of((dims.batch * dims.pixels()) as f64);
    let rows = dx.par_chunks_exact_mut(dims.stride()).zip(x.par_chunks_exact(dims.stride()));
    each_of(dims.len(), rows.zip(dh.par_chunks_exact(dims.stride())).enumerate(), |(row, ((dx, x), dh))| {
        let first = row / dims.batch * dims.channels;
        let channels = dx.chunks_exact_mut(dims.pixels()).zip(x.chunks_exact(dims.pixels()));
        for (at, ((dx, x), dh)) in (first..).zip(channels.zip(dh.chunks_exact(dims.pixels()))).take(dims.channels) {
            let [gamma, ..] = of_channel(dims, params, at);
            let (mean, inverse) = (statistics[KEPT * at], statistics[KEPT * at + 1]);
            let [plain, scaled] = sums[at].map(|sum| sum / n);
            let (factor, scaled) = (gamma * inverse, scaled * inverse);
            vectorized(
                #[inline(always)]
                || {
                    for ((dx, &x), &dh) in dx.iter_mut().zip(x).zip(dh) {
                        *dx = factor * (dh - plain - (x - mean) * scaled);
                    }
                },
            );
        }
        dx[dims.values()..].fill(T::ZERO);
    });
    Ok(())
}

/// Takes the minibatch's statistics into the running ones: `r ← (1 − momentum) r + momentum s`, with the unbiased variance.
///
/// # Errors
/// [`crate::Error::Shape`] when an array's length does not fit `dims`.
pub fn keep<T: Real>(dims: ImageDims, statistics: &[T], params: &mut [T]) -> Result<()> {
    const OP: &str = "batch normalisation, running statistics";
    expect_len(OP, "parameters [R,P]", params.len(), dims.runs * dims.norm_params_len())?;
    expect_len(OP, "statistics [R,C,4]", statistics.len(), KEPT * dims.runs * dims.channels)?;
    let momentum = T::of(MOMENTUM);
    let cp = stride(dims.channels);
    let runs = params.chunks_exact_mut(4 * cp).zip(statistics.chunks_exact(KEPT * dims.channels));
    for (params, statistics) in runs {
        for (c, kept) in statistics.chunks_exact(KEPT).enumerate() {
            for (at, new) in [(2 * cp + c, kept[0]), (3 * cp + c, kept[2])] {
                params[at] += momentum * (new - params[at]);
            }
        }
    }
    Ok(())
}

/// The values of channel `at` (counted over runs) in every picture of its run.
fn channel<T>(dims: ImageDims, x: &[T], at: usize) -> impl Iterator<Item = &[T]> {
    let (run, c) = (at / dims.channels, at % dims.channels);
    let rows = x[run * dims.batch * dims.stride()..].chunks_exact(dims.stride()).take(dims.batch);
    rows.map(move |row| &row[c * dims.pixels()..][..dims.pixels()])
}

/// Gamma, beta, running mean and variance of channel `at`, counted over runs.
fn of_channel<T: Real>(dims: ImageDims, params: &[T], at: usize) -> [T; 4] {
    let (run, c) = (at / dims.channels, at % dims.channels);
    std::array::from_fn(|i| params[run * dims.norm_params_len() + i * stride(dims.channels) + c])
}

fn check<T>(op: &'static str, dims: ImageDims, x: &[T], params: &[T], statistics: &[T]) -> Result<()> {
    expect_len(op, "x [R,B,C·H·W]", x.len(), dims.len())?;
    expect_len(op, "parameters [R,P]", params.len(), dims.runs * dims.norm_params_len())?;
    expect_len(op, "statistics [R,C,4]", statistics.len(), KEPT * dims.runs * dims.channels)
}
