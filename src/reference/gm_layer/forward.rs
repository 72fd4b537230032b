//! Forward pass of the Gaussian-mixture layer.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::super::matrix::View;
use super::super::threads::each;
use super::super::{Real, panel, vectorized};
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

    workspace.prepare(x);
    if let Some(root) = &mut workspace.root {
        root.project(&dims, x, params);
    }
    let root = workspace.root.as_ref();
    let [columns, square_columns] = &workspace.columns;
    let run_len = dims.batch * dims.input_stride();
    each(workspace.chunks.par_iter_mut(), |chunk| {
        let run = chunk.run * run_len..(chunk.run + 1) * run_len;
        let params = Tensors::of_run(&dims, params, chunk.run);
        let additions = root.map(|root| root.additions_of(&dims, chunk));
        let x = [&columns[run.clone()], &square_columns[run]];
        Arch::new().dispatch(Forward { chunk, dims: &dims, x, params, additions });
    });
    sum_chunks(&dims, workspace, h);
    Ok(())
}

impl<T: Real> Workspace<T> {
    /// Squares of the minibatch, and both with the minibatch last: vector units go along it.
    fn prepare(&mut self, x: &[T]) {
        let (b, dp) = (self.dims.batch, self.dims.input_stride());
        let [columns, square_columns] = &mut self.columns;
        let runs = x.chunks_exact(b * dp).zip(columns.chunks_exact_mut(b * dp));
        let mut tasks = Vec::new();
        for ((x, columns), square_columns) in runs.zip(square_columns.chunks_exact_mut(b * dp)) {
            let parts = columns.chunks_mut(COLUMNS * b).zip(square_columns.chunks_mut(COLUMNS * b));
            tasks.extend(parts.enumerate().map(|(i, parts)| (&x[i * COLUMNS..], parts)));
        }
        each(tasks, |(x, (columns, square_columns))| {
            vectorized(
                #[inline(always)]
                || {
                    transpose(x, dp, columns, b);
                    square(columns, square_columns);
                },
            );
        });
        each(self.squares.par_chunks_mut(SQUARES).zip(x.par_chunks(SQUARES)), |(squares, x)| {
            vectorized(
                #[inline(always)]
                || square(x, squares),
            );
        });
    }
}

/// Columns of the minibatch that one thread turns at a time.
const COLUMNS: usize = 64;

/// `out[j, b] = x[b, j]` for as many columns as `out` has; rows of `x` are `stride` apart.
#[inline(always)]
fn transpose<T: Real>(x: &[T], stride: usize, out: &mut [T], batch: usize) {
    const BLOCK: usize = 16;
    let columns = out.len() / batch;
    for first_row in (0..batch).step_by(BLOCK) {
        for first in (0..columns).step_by(BLOCK) {
            let rows = BLOCK.min(batch - first_row);
            let width = BLOCK.min(columns - first);
            for j in 0..width {
                let out = &mut out[(first + j) * batch + first_row..][..rows];
                for (row, out) in out.iter_mut().enumerate() {
                    *out = x[(first_row + row) * stride + first + j];
                }
            }
        }
    }
}

#[inline(always)]
fn square<T: Real>(x: &[T], squares: &mut [T]) {
    for (square, &x) in squares.iter_mut().zip(x) {
        *square = x * x;
    }
}

/// Sets the effective weights of one component of a chunk.
pub(super) struct EffectiveWeights<'a, T> {
    pub(super) chunk: &'a mut Chunk<T>,
    pub(super) dims: &'a GmDims,
    pub(super) i: usize,
    pub(super) params: Tensors<'a, T>,
}

impl<T: Real> WithSimd for EffectiveWeights<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.chunk.effective_weights(simd, self.dims, self.i, self.params);
    }
}

/// The forward pass of one chunk; `x` is its run's minibatch and the squares of it, `[dp, B]` each.
struct Forward<'a, T> {
    chunk: &'a mut Chunk<T>,
    dims: &'a GmDims,
    x: [&'a [T]; 2],
    params: Tensors<'a, T>,
    /// What covariances beside their diagonals add to s² and c, `[count, L+1, B]`.
    additions: Option<&'a [T]>,
}

impl<T: Real> WithSimd for Forward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { chunk, dims, x, params, additions } = self;
        let (b, d, dp, rows) = (dims.batch, dims.inputs, dims.input_stride(), dims.outputs + 1);
        let [x, squares] = x.map(|x| View::new(x, d, b, b));
        for i in 0..chunk.count {
            chunk.effective_weights(simd, dims, i, params.component(dims, chunk.first + i));
            let weights = View::new(&chunk.weights, rows, d, dp);
            panel::product(simd, &mut chunk.products[i * rows * b..], b, weights, x);
        }
        panel::product(simd, &mut chunk.s2, b, View::new(&chunk.variances, chunk.count, d, dp), squares);
        if let Some(additions) = additions {
            chunk.add(dims, additions);
        }
        chunk.rectify(dims);
        chunk.expectations(dims);
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
    /// `μ`, `u ⊙ σ²`, `σ²` and `r` of this chunk's component `i`.
    #[inline(always)]
    fn effective_weights<S: Simd>(&mut self, simd: S, dims: &GmDims, i: usize, params: Tensors<'_, T>) {
        let (dp, l) = (dims.input_stride(), dims.outputs);
        let variance = &mut self.variances[i * dp..][..dp];
        for (variance, &sigma) in variance.iter_mut().zip(params.sigma) {
            *variance = sigma * sigma;
        }
        let (first, weighted) = self.weights.split_at_mut(dp);
        first.copy_from_slice(params.mu);
        for (o, weighted) in weighted.chunks_exact_mut(dp).enumerate() {
            let u = &params.u[o * dp..][..dp];
            self.r[i * l + o] = panel::scale_and_dot(simd, u, variance, params.mu, weighted) + params.v[o];
        }
    }

    /// Adds to s² and to every `c_ℓ`.
    #[inline(always)]
    fn add(&mut self, dims: &GmDims, additions: &[T]) {
        let (b, len) = (dims.batch, (dims.outputs + 1) * dims.batch);
        let products = self.products.chunks_exact_mut(len).zip(self.s2.chunks_exact_mut(b));
        for ((products, s2), additions) in products.zip(additions.chunks_exact(len)) {
            let (to_s2, to_c) = additions.split_at(b);
            s2.iter_mut().zip(to_s2).for_each(|(s2, &more)| *s2 += more);
            products[b..].iter_mut().zip(to_c).for_each(|(c, &more)| *c += more);
        }
    }

    /// `A`, `F`, `q`, `w` of every component and row.
    #[inline(always)]
    fn rectify(&mut self, dims: &GmDims) {
        let b = dims.batch;
        for i in 0..self.count {
            let means = &self.products[i * (dims.outputs + 1) * b..][..b];
            for (row, (&mean, &variance)) in means.iter().zip(&self.s2[i * b..]).enumerate() {
                let moments = T::rectify(mean, variance);
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
