//! A Gaussian through an activation and a dense layer with factorised Gaussian weights (Lemma 2 of the tighter bounds).
//!
//! With `ā = E a`, `F = E a'` and `E a²` of every input, the linearised layer has mean `M ā + b̄` and covariance
//! `M diag(F) Σ diag(F) Mᵀ + diag(V E a² + B)`. Mean and noise are dense layers of their own; what is left is here.

use super::Real;
use super::matrix::{View, product_nt};
use super::threads::each;
use crate::Result;
use crate::shape::{DenseDims, expect_len};
use rayon::prelude::*;

/// Covariances of a batch of Gaussians of `d` dimensions.
#[derive(Clone, Copy, Debug)]
pub enum Covariances<'a, T> {
    /// Variances `[B, dp]` of independent entries.
    Diagonal(&'a [T]),
    /// Covariances `[B, d, dp]`, symmetric.
    Full(&'a [T]),
}

/// `out [B, L, Lp] = M diag(F) Σ diag(F) Mᵀ + diag(noise)` for every Gaussian of the batch, exactly symmetric. `weight` is the
/// layer's `M` with `b̄` behind it ([`DenseDims`], one run), `slope` is `F [B, dp]`, `noise` is `V E a² + B`, `[B, Lp]`.
///
/// # Errors
/// [`crate::Error::Shape`] when an array's length does not fit `dims` or there is more than one run.
pub fn covariance<T: Real>(
    dims: DenseDims,
    weight: &[T],
    slope: &[T],
    covariance: Covariances<'_, T>,
    noise: &[T],
    out: &mut [T],
) -> Result<()> {
    check(dims, weight.len(), slope.len(), noise.len(), out.len())?;
    let (d, dp, l, lp) = (dims.inputs, dims.input_stride(), dims.outputs, dims.output_stride());
    let weight = &weight[dims.weight()];
    let entries = match covariance {
        Covariances::Diagonal(values) => expect_len(OP, "variances [B,dp]", values.len(), slope.len()).map(|()| values),
        Covariances::Full(values) => {
            expect_len(OP, "covariances [B,d,dp]", values.len(), d * slope.len()).map(|()| values)
        }
    }?;
    let each_len = entries.len() / dims.batch.max(1);
    let rows =
        slope.par_chunks_exact(dp).zip(noise.par_chunks_exact(lp)).zip(entries.par_chunks_exact(each_len.max(1)));
    each(out.par_chunks_exact_mut(l * lp).zip(rows), |(out, ((slope, noise), entries))| {
        // M diag(F), then times Σ diag(F).
        let mut half = weight.to_vec();
        half.chunks_exact_mut(dp).for_each(|row| row.iter_mut().zip(slope).for_each(|(m, &f)| *m *= f));
        let scaled = half.clone();
        match covariance {
            Covariances::Diagonal(_) => {
                half.chunks_exact_mut(dp).for_each(|row| row.iter_mut().zip(entries).for_each(|(m, &v)| *m *= v));
            }
            Covariances::Full(_) => {
                product_nt(&mut half, dp, View::new(&scaled, l, d, dp), View::new(entries, d, d, dp));
            }
        }
        product_nt(out, lp, View::new(&half, l, d, dp), View::new(&scaled, l, d, dp));
        for i in 0..l {
            for j in 0..i {
                out[j * lp + i] = out[i * lp + j];
            }
            out[i * lp + i] += noise[i];
            out[i * lp + l..(i + 1) * lp].fill(T::ZERO);
        }
    });
    Ok(())
}

const OP: &str = "dense layer, propagation";

/// Refuses lengths that do not fit.
pub(crate) fn check(dims: DenseDims, weight: usize, slope: usize, noise: usize, out: usize) -> Result<()> {
    if dims.runs != 1 {
        return Err(crate::Error::Shape { op: OP, expected: "one run".to_owned(), got: dims.runs.to_string() });
    }
    expect_len(OP, "weights [P]", weight, dims.params_len())?;
    expect_len(OP, "slopes [B,dp]", slope, dims.x_len())?;
    expect_len(OP, "noise [B,Lp]", noise, dims.h_len())?;
    expect_len(OP, "covariances [B,L,Lp]", out, dims.outputs * dims.h_len())
}
