//! Backward pass of the Gaussian-mixture layer, derived by hand (`docs`: `gm_layer.md`).
//!
//! With `G = (∂loss/∂h)/K`: `gA = Σ_ℓ G_ℓ r_ℓ`, `gF = Σ_ℓ G_ℓ c_ℓ`, `gm = gA F + gF q`, `gs² = q/2 (gA − gF w)`,
//! `H_ℓ = F G_ℓ`, `T = Xᵀ H`, `ρ_ℓ = Σ_b A G_ℓ`, and
//!
//! `∂v = ρ`, `∂u_ℓ = ρ_ℓ μ + σ² ⊙ T_ℓ`, `∂μ = Xᵀ gm + Σ_ℓ ρ_ℓ u_ℓ`, `∂σ = 2σ ⊙ [(X²)ᵀ gs² + Σ_ℓ u_ℓ ⊙ T_ℓ]`,
//! `∂x = Σ_k gm μ + 2 gs² (x ⊙ σ²) + Σ_ℓ H_ℓ (u_ℓ ⊙ σ²)`.

use faer::Accum;
use pulp::{Arch, Simd};
use rayon::prelude::*;

use super::super::matrix::{View, product_tn};
use super::super::threads::each;
use super::super::{Real, panel};
use super::forward::EffectiveWeights;
use super::sweep::{Sweep, TILE};
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
        chunk.spread(&dims, dh);
        let params = Tensors::of_run(&dims, params, chunk.run);
        let mut gradient = chunk.gradient_room(&dims);
        let first = chunk.first;
        Sweep::run(
            chunk,
            &dims,
            [&x[rows.clone()], &squares[rows.clone()]],
            #[inline(always)]
            |tile| {
                tile.gradient(params.component(&dims, first + tile.component), &mut gradient);
                tile.store(&gradient, grads.component(&dims, tile.component));
            },
        );
        chunk.backward.gradient = gradient;
        if want_dx {
            chunk.input_gradient(&dims, &x[rows], params);
        }
    });
    let mut dx = dx;
    if let Some(dx) = &mut dx {
        dx.fill(T::ZERO);
        for (chunks, dx) in workspace.chunks.chunks(workspace.chunks_per_run).zip(dx.chunks_exact_mut(run_len)) {
            for chunk in chunks {
                dx.iter_mut().zip(&chunk.backward.dx).for_each(|(dx, &share)| *dx += share);
            }
        }
    }
    if let Some(root) = &mut workspace.root {
        root.backward(&dims, &workspace.chunks, (x, params), grads, dx);
    }
    Ok(())
}

impl<T: Real> Chunk<T> {
    /// Room for the gradient of one component in one tile, taken out of the scratch.
    pub(super) fn gradient_room(&mut self, dims: &GmDims) -> Vec<T> {
        let mut gradient = std::mem::take(&mut self.backward.gradient);
        gradient.resize((dims.outputs + 2) * TILE, T::ZERO);
        gradient
    }

    /// `G = (∂loss/∂h)/K` of this chunk's run with the minibatch last; `dh` is of all runs.
    pub(super) fn spread(&mut self, dims: &GmDims, dh: &[T]) {
        let (b, lp) = (dims.batch, dims.output_stride());
        let dh = &dh[self.run * b * lp..][..b * lp];
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
    pub(super) fn coefficients<S: Simd>(&mut self, simd: S, dims: &GmDims) {
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
            }
            for row in 0..b {
                let (f, q) = (f[row].flushed(), q[row].flushed());
                g_m[row] = (g_a[row] * f + g_f[row] * q).flushed();
                g_a[row] = (T::of(0.5) * q * (g_a[row] - g_f[row] * w[row])).flushed();
            }
            // gF has served; its place takes A without the far tails.
            for (a_flushed, &a) in g_f.iter_mut().zip(a) {
                *a_flushed = a.flushed();
            }
            for (rho, g) in scratch.rho[i * l..][..l].iter_mut().zip(scratch.g.chunks_exact(b)) {
                *rho = panel::dot(simd, g_f, g);
            }
        }
    }

    /// This chunk's share of `∂loss/∂x`.
    fn input_gradient(&mut self, dims: &GmDims, x: &[T], params: Tensors<'_, T>) {
        let (b, d, dp, rows) = (dims.batch, dims.inputs, dims.input_stride(), dims.outputs + 1);
        for dx in [&mut self.backward.dx, &mut self.backward.dx_square] {
            dx.clear();
            dx.resize(x.len(), T::ZERO);
        }
        for i in 0..self.count {
            let params = params.component(dims, self.first + i);
            Arch::new().dispatch(EffectiveWeights { chunk: self, dims, i, params });
            let coefficients = View::new(&self.backward.coefficients[i * rows * b..][..rows * b], rows, b, b);
            product_tn(Accum::Add, &mut self.backward.dx, dp, coefficients, View::new(&self.weights, rows, d, dp));
        }
        let scratch = &mut self.backward;
        let g_s2 = View::new(&scratch.g_s2, self.count, b, b);
        product_tn(Accum::Add, &mut scratch.dx_square, dp, g_s2, View::new(&self.variances, self.count, d, dp));
        for ((dx, &square), &x) in scratch.dx.iter_mut().zip(&scratch.dx_square).zip(x) {
            *dx += T::of(2.0) * square * x;
        }
    }
}
