//! Backward pass of the Gaussian-mixture layer, derived by hand (`docs`: `gm_layer.md`).
//!
//! With `G = (∂loss/∂h)/K`: `gA = Σ_ℓ G_ℓ r_ℓ`, `gF = Σ_ℓ G_ℓ c_ℓ`, `gm = gA F + gF q`, `gs² = q/2 (gA − gF w)`,
//! `H_ℓ = F G_ℓ`, `T = Xᵀ H`, `ρ_ℓ = Σ_b A G_ℓ`, and
//!
//! `∂v = ρ`, `∂u_ℓ = ρ_ℓ μ + σ² ⊙ T_ℓ`, `∂μ = Xᵀ gm + Σ_ℓ ρ_ℓ u_ℓ`, `∂σ = 2σ ⊙ [(X²)ᵀ gs² + Σ_ℓ u_ℓ ⊙ T_ℓ]`,
//! `∂x = Σ_k gm μ + 2 gs² (x ⊙ σ²) + Σ_ℓ H_ℓ (u_ℓ ⊙ σ²)`.

use rayon::prelude::*;

use super::super::matrix::{View, product_nn, product_tn};
use super::super::threads::each;
use super::super::{Real, vectorized};
use super::{Chunk, Parts, Tensors, Workspace};
use crate::Result;
use crate::shape::{GmDims, expect_len};

/// Gradients of a loss with respect to the parameters (`grads`, layout of the parameters, overwritten) and, when
/// wanted, to the input (`dx [R,B,dp]`, overwritten), from `dh = ∂loss/∂h [R,B,Lp]`. The workspace must hold the
/// forward pass of the same `x` and `params`.
///
/// # Errors
/// [`crate::Error::Shape`] when an array's length does not fit the workspace's sizes.
pub fn backward<T: Real>(
    x: &[T],
    params: &[T],
    dh: &[T],
    workspace: &mut Workspace<T>,
    grads: &mut [T],
    dx: Option<&mut [T]>,
) -> Result<()> {
    let dims = workspace.dims;
    const OP: &str = "GM layer, backward";
    expect_len(OP, "x [R,B,dp]", x.len(), dims.x_len())?;
    expect_len(OP, "parameters [R,P]", params.len(), dims.runs * dims.params_len())?;
    expect_len(OP, "dh [R,B,Lp]", dh.len(), dims.h_len())?;
    expect_len(OP, "gradients [R,P]", grads.len(), dims.runs * dims.params_len())?;
    if let Some(dx) = &dx {
        expect_len(OP, "dx [R,B,dp]", dx.len(), dims.x_len())?;
    }

    let run_len = dims.batch * dims.input_stride();
    let want_dx = dx.is_some();
    let squares = &workspace.squares;
    let mut tasks: Vec<_> = workspace.chunks.iter_mut().zip(Parts::of_chunks(&dims, grads)).collect();
    each(tasks.par_iter_mut(), |(chunk, grads)| {
        let rows = chunk.run * run_len..(chunk.run + 1) * run_len;
        chunk.sums(&dims, &squares[rows.clone()], dh);
        let params = Tensors::of_run(&dims, params, chunk.run);
        for i in 0..chunk.count {
            chunk.contract(&dims, i, &x[rows.clone()]);
            let (params, out) = (params.component(&dims, chunk.first + i), grads.component(&dims, i));
            vectorized(
                #[inline(always)]
                || chunk.assemble(&dims, i, params, out),
            );
        }
        if want_dx {
            chunk.input_gradient(&dims, &x[rows]);
        }
    });
    if let Some(dx) = dx {
        dx.fill(T::ZERO);
        for (chunks, dx) in workspace.chunks.chunks(workspace.chunks_per_run).zip(dx.chunks_exact_mut(run_len)) {
            for chunk in chunks {
                dx.iter_mut().zip(&chunk.backward.dx).for_each(|(dx, &share)| *dx += share);
            }
        }
    }
    Ok(())
}

impl<T: Real> Chunk<T> {
    /// The coefficients of the gradients of this chunk's parameters, and the sums that its components share.
    pub(super) fn sums(&mut self, dims: &GmDims, squares: &[T], dh: &[T]) {
        let h_len = dims.batch * dims.output_stride();
        self.spread(dims, &dh[self.run * h_len..][..h_len]);
        vectorized(
            #[inline(always)]
            || self.coefficients(dims),
        );
        self.contract_squares(dims, squares);
    }

    /// `G = (∂loss/∂h)/K` with the minibatch last.
    fn spread(&mut self, dims: &GmDims, dh: &[T]) {
        let (b, lp) = (dims.batch, dims.output_stride());
        let scale = T::ONE / T::of(dims.components as f64);
        let g = &mut self.backward.g;
        g.resize(self.h.len(), T::ZERO);
        for (row, dh) in dh.chunks_exact(lp).enumerate() {
            for (o, &dh) in dh[..dims.outputs].iter().enumerate() {
                g[o * b + row] = (dh * scale).flushed();
            }
        }
    }

    /// `gm`, `H`, `gs²` for every row, and `ρ`.
    #[inline(always)]
    fn coefficients(&mut self, dims: &GmDims) {
        let (b, l) = (dims.batch, dims.outputs);
        let scratch = &mut self.backward;
        scratch.coefficients.resize(self.products.len(), T::ZERO);
        scratch.g_s2.resize(self.s2.len(), T::ZERO);
        scratch.rho.resize(self.r.len(), T::ZERO);
        scratch.g_f.resize(b, T::ZERO);
        for i in 0..self.count {
            let (a, f) = (&self.moments.a[i * b..][..b], &self.moments.f[i * b..][..b]);
            let (q, w) = (&self.moments.q[i * b..][..b], &self.moments.w[i * b..][..b]);
            let (g_m, h) = scratch.coefficients[i * (l + 1) * b..][..(l + 1) * b].split_at_mut(b);
            // The place of gs² holds gA until gF is complete.
            let (g_a, g_f) = (&mut scratch.g_s2[i * b..][..b], &mut scratch.g_f[..b]);
            g_a.fill(T::ZERO);
            g_f.fill(T::ZERO);
            for o in 0..l {
                let g = &scratch.g[o * b..][..b];
                let c = &self.products[(i * (l + 1) + o + 1) * b..][..b];
                let h = &mut h[o * b..][..b];
                let r = self.r[i * l + o];
                for row in 0..b {
                    g_a[row] += g[row] * r;
                    g_f[row] += g[row] * c[row];
                    h[row] = (f[row].flushed() * g[row]).flushed();
                }
                scratch.rho[i * l + o] = a.iter().zip(g).map(|(&a, &g)| a.flushed() * g).sum();
            }
            for row in 0..b {
                let (f, q) = (f[row].flushed(), q[row].flushed());
                g_m[row] = (g_a[row] * f + g_f[row] * q).flushed();
                g_a[row] = (T::of(0.5) * q * (g_a[row] - g_f[row] * w[row])).flushed();
            }
        }
    }

    /// `(X²)ᵀ gs²`: sums over the minibatch, of all components at once because one would make a thin product.
    fn contract_squares(&mut self, dims: &GmDims, squares: &[T]) {
        let (b, d, dp) = (dims.batch, dims.inputs, dims.input_stride());
        let scratch = &mut self.backward;
        scratch.square_contraction.resize(self.variances.len(), T::ZERO);
        let g_s2 = View::new(&scratch.g_s2, self.count, b, b);
        product_nn(&mut scratch.square_contraction, dp, g_s2, View::new(squares, b, d, dp));
    }

    /// `Xᵀ gm` and `Xᵀ H` of component `i`: sums over the minibatch, component by component so that they stay in the cache.
    pub(super) fn contract(&mut self, dims: &GmDims, i: usize, x: &[T]) {
        let (b, d, dp, rows) = (dims.batch, dims.inputs, dims.input_stride(), dims.outputs + 1);
        let scratch = &mut self.backward;
        scratch.contraction.resize(rows * dp, T::ZERO);
        let coefficients = View::new(&scratch.coefficients[i * rows * b..][..rows * b], rows, b, b);
        product_nn(&mut scratch.contraction, dp, coefficients, View::new(x, b, d, dp));
    }

    /// The gradient of this chunk's component `i`, which [`Chunk::contract`] took last, from the sums over the minibatch.
    #[inline(always)]
    pub(super) fn assemble(&self, dims: &GmDims, i: usize, params: Tensors<'_, T>, out: Parts<'_, T>) {
        let (dp, l) = (dims.input_stride(), dims.outputs);
        let scratch = &self.backward;
        let variance = &self.variances[i * dp..][..dp];
        let contraction = &scratch.contraction[..(l + 1) * dp];
        let (mu, d_mu, d_sigma) = (&params.mu[..dp], &mut out.mu[..dp], &mut out.sigma[..dp]);
        d_mu.copy_from_slice(&contraction[..dp]);
        d_sigma.copy_from_slice(&scratch.square_contraction[i * dp..][..dp]);
        for o in 0..l {
            let rho = scratch.rho[i * l + o];
            let u = &params.u[o * dp..][..dp];
            let t = &contraction[(o + 1) * dp..][..dp];
            let d_u = &mut out.u[o * dp..][..dp];
            for j in 0..dp {
                d_u[j] = rho * mu[j] + variance[j] * t[j];
                d_mu[j] += rho * u[j];
                d_sigma[j] += u[j] * t[j];
            }
            out.v[o] = rho;
        }
        out.v[l..].fill(T::ZERO);
        for (d_sigma, &sigma) in d_sigma.iter_mut().zip(params.sigma) {
            *d_sigma *= T::of(2.0) * sigma;
        }
    }

    /// This chunk's share of `∂loss/∂x`.
    fn input_gradient(&mut self, dims: &GmDims, x: &[T]) {
        let (b, d, dp) = (dims.batch, dims.inputs, dims.input_stride());
        let columns = self.count * (dims.outputs + 1);
        let scratch = &mut self.backward;
        scratch.dx.resize(x.len(), T::ZERO);
        scratch.dx_square.resize(x.len(), T::ZERO);
        let coefficients = View::new(&scratch.coefficients, columns, b, b);
        product_tn(&mut scratch.dx, dp, coefficients, View::new(&self.weights, columns, d, dp));
        let g_s2 = View::new(&scratch.g_s2, self.count, b, b);
        product_tn(&mut scratch.dx_square, dp, g_s2, View::new(&self.variances, self.count, d, dp));
        for ((dx, &square), &x) in scratch.dx.iter_mut().zip(&scratch.dx_square).zip(x) {
            *dx += T::of(2.0) * square * x;
        }
    }
}
