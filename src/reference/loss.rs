//! Losses, their gradients with respect to the outputs, and the count of wrong predictions.
#![doc = "\n"]
#![doc = include_str!("../docs/losses.md")]

use super::Real;
use crate::shape::{expect_len, stride};
use crate::{Error, Result};

/// Sizes of a loss over one minibatch of each run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LossDims {
    /// Independent networks.
    pub runs: usize,
    /// Rows of each minibatch.
    pub batch: usize,
    /// Outputs `L`.
    pub outputs: usize,
    /// Rows that count; the rest pad the last minibatch of an evaluation and get a zero gradient.
    pub valid: usize,
}

impl LossDims {
    /// Length of `h` and of its gradient, `[R, B, Lp]`.
    pub const fn h_len(&self) -> usize {
        self.runs * self.batch * stride(self.outputs)
    }
}

/// The multi-class logistic loss (Section 4.1), mean over the valid rows of `log Σ exp h − h_y`.
///
/// With `reference`, class 0 has logit 0 and column ℓ of `h` is class ℓ+1 (so L outputs serve L+1 classes); else
/// column ℓ is class ℓ. Writes `dh = (softmax − 1[y])/B`, the mean `losses [R]` and the `errors [R]`, the rows
/// whose largest logit is not their label's (the lowest class wins a tie).
///
/// # Errors
/// [`Error::Shape`] when an array's length does not fit, or naming a label that is not a class.
pub fn logistic<T: Real>(
    dims: LossDims,
    reference: bool,
    h: &[T],
    labels: &[u32],
    dh: &mut [T],
    losses: &mut [T],
    errors: &mut [u32],
) -> Result<()> {
    check("logistic loss", dims, h, dh, losses, errors)?;
    expect_len("logistic loss", "labels [R,B]", labels.len(), dims.runs * dims.batch)?;
    let lp = stride(dims.outputs);
    let first_class = usize::from(reference);
    let classes = dims.outputs + first_class;
    let scale = T::ONE / T::of(dims.valid as f64);
    dh.fill(T::ZERO);
    for run in 0..dims.runs {
        let (mut total, mut wrong) = (T::ZERO, 0);
        for b in 0..dims.valid {
            let row = run * dims.batch + b;
            let label = labels[row] as usize;
            if label >= classes {
                let expected = format!("labels below {classes}");
                return Err(Error::Shape { op: "logistic loss", expected, got: format!("{label} in row {b}") });
            }
            let h = &h[row * lp..][..dims.outputs];
            let dh = &mut dh[row * lp..][..dims.outputs];
            // The reference class takes part in the shift, the sum and the prediction with logit 0.
            let (mut shift, mut predicted) = if reference { (T::ZERO, 0) } else { (h[0], 0) };
            for (o, &h) in h.iter().enumerate() {
                if h > shift {
                    (shift, predicted) = (h, o + first_class);
                }
            }
            let mut sum = if reference { (-shift).exp() } else { T::ZERO };
            for (dh, &h) in dh.iter_mut().zip(h) {
                *dh = (h - shift).exp();
                sum += *dh;
            }
            let of_label = if label < first_class { T::ZERO } else { h[label - first_class] };
            total += sum.ln() + (shift - of_label);
            wrong += u32::from(predicted != label);
            let factor = scale / sum;
            dh.iter_mut().for_each(|dh| *dh *= factor);
            if label >= first_class {
                dh[label - first_class] -= scale;
            }
        }
        losses[run] = total * scale;
        errors[run] = wrong;
    }
    Ok(())
}

/// The squared loss, mean over the valid rows of `‖y − h‖²`, with `dh = −2(y − h)/B`. `errors` becomes 0.
///
/// # Errors
/// [`Error::Shape`] when an array's length does not fit.
pub fn squared<T: Real>(
    dims: LossDims,
    h: &[T],
    targets: &[T],
    dh: &mut [T],
    losses: &mut [T],
    errors: &mut [u32],
) -> Result<()> {
    check("squared loss", dims, h, dh, losses, errors)?;
    expect_len("squared loss", "targets [R,B,Lp]", targets.len(), dims.h_len())?;
    let lp = stride(dims.outputs);
    let scale = T::ONE / T::of(dims.valid as f64);
    dh.fill(T::ZERO);
    errors.fill(0);
    for (run, loss) in losses.iter_mut().enumerate() {
        let mut total = T::ZERO;
        for b in 0..dims.valid {
            let at = (run * dims.batch + b) * lp;
            for o in at..at + dims.outputs {
                let residual = targets[o] - h[o];
                total += residual * residual;
                dh[o] = T::of(-2.0) * residual * scale;
            }
        }
        *loss = total * scale;
    }
    Ok(())
}

fn check<T>(op: &'static str, dims: LossDims, h: &[T], dh: &[T], losses: &[T], errors: &[u32]) -> Result<()> {
    if dims.valid == 0 || dims.valid > dims.batch || dims.outputs == 0 {
        let expected = "at least one output and between 1 and B valid rows".into();
        return Err(Error::Shape { op, expected, got: format!("{dims:?}") });
    }
    expect_len(op, "h [R,B,Lp]", h.len(), dims.h_len())?;
    expect_len(op, "dh [R,B,Lp]", dh.len(), dims.h_len())?;
    expect_len(op, "losses [R]", losses.len(), dims.runs)?;
    expect_len(op, "errors [R]", errors.len(), dims.runs)
}
