//! The dense layer `h = W x + b`.

use faer::Accum;
use rayon::prelude::*;

use super::matrix::{View, par_product_nn, par_product_nt, product_tn};
use super::threads::each;
use super::{Real, vectorized};
use crate::Result;
use crate::shape::{DenseDims, expect_len};

/// Columns of a product that one thread takes at a time.
const BLOCK: usize = 128;

/// `h [R,B,Lp] = x Wᵀ + b` from `x [R,B,dp]` and the parameters of every run (layout: [`DenseDims`]).
///
/// # Errors
/// [`crate::Error::Shape`] when an array's length does not fit `dims`.
pub fn forward<T: Real>(dims: DenseDims, x: &[T], params: &[T], h: &mut [T]) -> Result<()> {
    const OP: &str = "dense layer, forward";
    expect_len(OP, "x [R,B,dp]", x.len(), dims.x_len())?;
    expect_len(OP, "parameters [R,P]", params.len(), dims.runs * dims.params_len())?;
    expect_len(OP, "h [R,B,Lp]", h.len(), dims.h_len())?;
    let (b, d, dp, l, lp) = (dims.batch, dims.inputs, dims.input_stride(), dims.outputs, dims.output_stride());
    let runs = x.chunks_exact(b * dp).zip(params.chunks_exact(dims.params_len()));
    for ((x, params), h) in runs.zip(h.chunks_exact_mut(b * lp)) {
        let weight = View::new(&params[dims.weight()], l, d, dp);
        par_product_nt(h, lp, View::new(x, b, d, dp), weight, BLOCK);
        let bias = &params[dims.bias()];
        for row in h.chunks_exact_mut(lp) {
            row.iter_mut().zip(bias).for_each(|(h, &bias)| *h += bias);
        }
    }
    Ok(())
}

/// Gradients with respect to the parameters (`grads`, overwritten) and, when wanted, to the input
/// (`dx [R,B,dp]`, overwritten): `∂W = dhᵀ x`, `∂b = Σ_b dh`, `∂x = dh W`.
///
/// # Errors
/// [`crate::Error::Shape`] when an array's length does not fit `dims`.
pub fn backward<T: Real>(
    dims: DenseDims,
    x: &[T],
    params: &[T],
    dh: &[T],
    grads: &mut [T],
    dx: Option<&mut [T]>,
) -> Result<()> {
    const OP: &str = "dense layer, backward";
    expect_len(OP, "x [R,B,dp]", x.len(), dims.x_len())?;
    expect_len(OP, "parameters [R,P]", params.len(), dims.runs * dims.params_len())?;
    expect_len(OP, "dh [R,B,Lp]", dh.len(), dims.h_len())?;
    expect_len(OP, "gradients [R,P]", grads.len(), dims.runs * dims.params_len())?;
    let (b, d, dp, l, lp) = (dims.batch, dims.inputs, dims.input_stride(), dims.outputs, dims.output_stride());
    for (run, grads) in grads.chunks_exact_mut(dims.params_len()).enumerate() {
        let x = View::new(&x[run * b * dp..][..b * dp], b, d, dp);
        let dh = &dh[run * b * lp..][..b * lp];
        let (d_weight, d_bias) = grads.split_at_mut(dims.weight().end);
        each(d_weight.par_chunks_mut(BLOCK * dp).enumerate(), |(block, d_weight)| {
            let first = block * BLOCK;
            let columns = BLOCK.min(l - first);
            let dh = View::new(&dh[first..], b, columns, lp);
            product_tn(Accum::Replace, d_weight, dp, dh, x);
        });
        d_bias.fill(T::ZERO);
        vectorized(
            #[inline(always)]
            || {
                for row in dh.chunks_exact(lp) {
                    d_bias.iter_mut().zip(row).for_each(|(d_bias, &dh)| *d_bias += dh);
                }
            },
        );
    }
    if let Some(dx) = dx {
        expect_len(OP, "dx [R,B,dp]", dx.len(), dims.x_len())?;
        for (run, dx) in dx.chunks_exact_mut(b * dp).enumerate() {
            let weight = &params[run * dims.params_len()..][dims.weight()];
            let dh = View::new(&dh[run * b * lp..][..b * lp], b, l, lp);
            par_product_nn(dx, dp, dh, View::new(weight, l, d, dp), BLOCK);
        }
    }
    Ok(())
}
