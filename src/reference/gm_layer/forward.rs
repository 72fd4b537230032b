//! Forward pass of the Gaussian-mixture layer.

use rayon::prelude::*;

use super::super::matrix::{View, product_nt};
use super::super::normal::relu_moments;
use super::super::threads::each;
use super::super::{Real, vectorized};
use super::{Chunk, Tensors, Workspace};
use crate::Result;
use crate::shape::{GmDims, expect_len};

/// Elements that one thread squares at a time.
const SQUARES: usize = 1 << 14;

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
    let blocks = workspace.squares.par_chunks_mut(SQUARES).zip(x.par_chunks(SQUARES));
    each(blocks, |(squares, x)| {
        vectorized(
            #[inline(always)]
            || square(x, squares),
        );
    });
    let squares = &workspace.squares;
    each(workspace.chunks.par_iter_mut(), |chunk| {
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
    let lp = dims.output_stride();
    let scale = T::ONE / T::of(dims.components as f64);
    h.fill(T::ZERO);
    for (chunks, h) in workspace.chunks.chunks(workspace.chunks_per_run).zip(h.chunks_exact_mut(dims.batch * lp)) {
        for (b, h) in h.chunks_exact_mut(lp).enumerate() {
            for (o, h) in h[..dims.outputs].iter_mut().enumerate() {
                *h = chunks.iter().map(|chunk| chunk.h[o * dims.batch + b]).sum::<T>() * scale;
            }
        }
    }
}

impl<T: Real> Chunk<T> {
    fn forward(&mut self, dims: &GmDims, x: &[T], squares: &[T], params: Tensors<'_, T>) {
        let (b, d, dp, l) = (dims.batch, dims.inputs, dims.input_stride(), dims.outputs);
        vectorized(
            #[inline(always)]
            || self.effective_weights(dims, params),
        );
        let columns = self.count * (l + 1);
        let weights = View::new(&self.weights, columns, d, dp);
        product_nt(&mut self.products, b, weights, View::new(x, b, d, dp));
        let variances = View::new(&self.variances, self.count, d, dp);
        product_nt(&mut self.s2, b, variances, View::new(squares, b, d, dp));
        self.rectify(dims);
        vectorized(
            #[inline(always)]
            || self.expectations(dims),
        );
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
                self.r[i * l + o] = weigh(u, variance, mu, weighted) + params.v[k * lp + o];
            }
        }
    }

    /// `A`, `F`, `q`, `w` of every component and row.
    fn rectify(&mut self, dims: &GmDims) {
        let b = dims.batch;
        for i in 0..self.count {
            let means = &self.products[i * (dims.outputs + 1) * b..][..b];
            for (row, (&mean, &variance)) in means.iter().zip(&self.s2[i * b..]).enumerate() {
                let moments = relu_moments(mean, variance);
                let at = i * b + row;
                self.moments.a[at] = moments.a.or_zero();
                self.moments.f[at] = moments.f.or_zero();
                self.moments.q[at] = moments.q.or_zero();
                self.moments.w[at] = moments.w;
            }
        }
    }

    /// This chunk's share of `K h`.
    #[inline(always)]
    fn expectations(&mut self, dims: &GmDims) {
        let (b, l) = (dims.batch, dims.outputs);
        self.h.fill(T::ZERO);
        for i in 0..self.count {
            let (a, f) = (&self.moments.a[i * b..][..b], &self.moments.f[i * b..][..b]);
            for o in 0..l {
                let r = self.r[i * l + o];
                let c = &self.products[(i * (l + 1) + o + 1) * b..][..b];
                let h = &mut self.h[o * b..][..b];
                for row in 0..b {
                    h[row] += a[row] * r + f[row] * c[row];
                }
            }
        }
    }
}

/// `weighted = u ⊙ σ²`, and `⟨u, μ⟩` with sixteen running sums: a fixed order that vector units can follow.
#[inline(always)]
fn weigh<T: Real>(u: &[T], variance: &[T], mu: &[T], weighted: &mut [T]) -> T {
    const LANES: usize = 16;
    let mut sums = [T::ZERO; LANES];
    let blocks = u.chunks_exact(LANES).zip(variance.chunks_exact(LANES)).zip(mu.chunks_exact(LANES));
    for (((u, variance), mu), weighted) in blocks.zip(weighted.chunks_exact_mut(LANES)) {
        for lane in 0..LANES {
            weighted[lane] = u[lane] * variance[lane];
            sums[lane] += u[lane] * mu[lane];
        }
    }
    let done = u.len() - u.len() % LANES;
    let mut rest = T::ZERO;
    for j in done..u.len() {
        weighted[j] = u[j] * variance[j];
        rest += u[j] * mu[j];
    }
    sums.into_iter().sum::<T>() + rest
}
