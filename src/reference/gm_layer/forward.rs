//! Forward pass of the Gaussian-mixture layer.

use rayon::prelude::*;

use super::super::matrix::{View, product_nt};
use super::super::normal::relu_moments;
use super::super::{Real, vectorized};
use super::{Chunk, Tensors, Workspace};
use crate::Result;
use crate::shape::{GmDims, expect_len};

/// `h [R,B,Lp]` from `x [R,B,dp]` and the parameters of every run (layout: [`GmDims`]); the workspace keeps what
/// [`backward`](super::backward) needs.
///
/// # Errors
/// [`crate::Error::Shape`] when an array's length does not fit the workspace's sizes.
pub fn forward<T: Real>(x: &[T], params: &[T], workspace: &mut Workspace<T>, h: &mut [T]) -> Result<()> {
    let dims = workspace.dims;
    const OP: &str = "GM layer, forward";
    expect_len(OP, "x [R,B,dp]", x.len(), dims.x_len())?;
    expect_len(OP, "parameters [R,P]", params.len(), dims.runs * dims.params_len())?;
    expect_len(OP, "h [R,B,Lp]", h.len(), dims.h_len())?;

    let run_len = dims.batch * dims.input_stride();
    vectorized(|| square(x, &mut workspace.squares));
    let squares = &workspace.squares;
    workspace.chunks.par_iter_mut().for_each(|chunk| {
        let rows = chunk.run * run_len..(chunk.run + 1) * run_len;
        chunk.forward(&dims, &x[rows.clone()], &squares[rows], Tensors::of_run(&dims, params, chunk.run));
    });
    sum_chunks(&dims, workspace, h);
    Ok(())
}

#[inline(always)]
fn square<T: Real>(x: &[T], squares: &mut [T]) {
    for (square, &x) in squares.iter_mut().zip(x) {
        *square = x * x;
    }
}

/// `h = 1/K Σ` over the chunks of a run, in their order.
fn sum_chunks<T: Real>(dims: &GmDims, workspace: &Workspace<T>, h: &mut [T]) {
    let (l, lp) = (dims.outputs, dims.output_stride());
    let scale = T::ONE / T::of(dims.components as f64);
    h.fill(T::ZERO);
    for (chunks, h) in workspace.chunks.chunks(workspace.chunks_per_run).zip(h.chunks_exact_mut(dims.batch * lp)) {
        for chunk in chunks {
            for (h, share) in h.chunks_exact_mut(lp).zip(chunk.h.chunks_exact(l)) {
                h.iter_mut().zip(share).for_each(|(h, &share)| *h += share);
            }
        }
        h.iter_mut().for_each(|h| *h *= scale);
    }
}

impl<T: Real> Chunk<T> {
    fn forward(&mut self, dims: &GmDims, x: &[T], squares: &[T], params: Tensors<'_, T>) {
        let (b, d, dp, l) = (dims.batch, dims.inputs, dims.input_stride(), dims.outputs);
        vectorized(|| self.effective_weights(dims, params));
        let columns = self.count * (l + 1);
        product_nt(&mut self.products, columns, View::new(x, b, d, dp), View::new(&self.weights, columns, d, dp));
        product_nt(
            &mut self.s2,
            self.count,
            View::new(squares, b, d, dp),
            View::new(&self.variances, self.count, d, dp),
        );
        self.epilogue(dims);
    }

    /// `μ`, `u ⊙ σ²`, `σ²` and `r` of this chunk's components.
    #[inline(always)]
    fn effective_weights(&mut self, dims: &GmDims, params: Tensors<'_, T>) {
        let (dp, l, lp) = (dims.input_stride(), dims.outputs, dims.output_stride());
        for i in 0..self.count {
            let k = self.first + i;
            let mu = &params.mu[k * dp..][..dp];
            let sigma = &params.sigma[k * dp..][..dp];
            let variance = &mut self.variances[i * dp..][..dp];
            for (variance, &sigma) in variance.iter_mut().zip(sigma) {
                *variance = sigma * sigma;
            }
            let (first, weighted) = self.weights[i * (l + 1) * dp..][..(l + 1) * dp].split_at_mut(dp);
            first.copy_from_slice(mu);
            for (o, weighted) in weighted.chunks_exact_mut(dp).enumerate() {
                let u = &params.u[(k * l + o) * dp..][..dp];
                for ((weighted, &u), &variance) in weighted.iter_mut().zip(u).zip(variance.iter()) {
                    *weighted = u * variance;
                }
                self.r[i * l + o] = dot(u, mu) + params.v[k * lp + o];
            }
        }
    }

    /// `A`, `F` and this chunk's share of `K h`.
    fn epilogue(&mut self, dims: &GmDims) {
        let l = dims.outputs;
        self.h.fill(T::ZERO);
        for b in 0..dims.batch {
            let h = &mut self.h[b * l..][..l];
            for i in 0..self.count {
                let at = b * self.count + i;
                let products = &self.products[at * (l + 1)..][..l + 1];
                let moments = relu_moments(products[0], self.s2[at]);
                self.moments[at] = moments;
                let r = &self.r[i * l..][..l];
                for ((h, &r), &c) in h.iter_mut().zip(r).zip(&products[1..]) {
                    *h += moments.a * r + moments.f * c;
                }
            }
        }
    }
}

/// Inner product with eight running sums: a fixed order that vector units can follow.
#[inline(always)]
fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    const LANES: usize = 8;
    let mut sums = [T::ZERO; LANES];
    let (a_blocks, a_rest) = a.split_at(a.len() - a.len() % LANES);
    let (b_blocks, b_rest) = b.split_at(a_blocks.len());
    for (a, b) in a_blocks.chunks_exact(LANES).zip(b_blocks.chunks_exact(LANES)) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: T = a_rest.iter().zip(b_rest).map(|(&a, &b)| a * b).sum();
    sums.into_iter().sum::<T>() + rest
}
