//! Sums over the minibatch, a tile of input coordinates at a time: the minibatch's part of a tile stays in the nearest cache for all
//! components, and a tile's sums are used before they leave it.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::super::matrix::View;
use super::super::{Real, panel};
use super::{Chunk, Parts, Tensors};
use crate::shape::GmDims;

/// Coordinates of a tile: 64 rows of them are 32 KiB.
pub(super) const TILE: usize = 128;

/// Calls `visit` for every component and tile of a chunk.
pub(super) struct Sweep<'a, T, F> {
    chunk: &'a mut Chunk<T>,
    dims: &'a GmDims,
    x: [&'a [T]; 2],
    visit: F,
}

/// What the gradient of one component in one tile is made of.
pub(super) struct Tile<'a, T> {
    /// The component within its chunk.
    pub(super) component: usize,
    /// Coordinates.
    pub(super) columns: Range<usize>,
    inputs: usize,
    stride: usize,
    rho: &'a [T],
    variance: &'a [T],
    /// `Xᵀ gm`, then `T_ℓ = Xᵀ H_ℓ`, rows [`TILE`] apart.
    sums: &'a [T],
    /// `(X²)ᵀ gs²`.
    square_sums: &'a [T],
}

impl<'a, T: Real, F: FnMut(Tile<'_, T>)> Sweep<'a, T, F> {
    /// Over a chunk whose `G` is in place; `x` is its run's minibatch and the squares of it, `[B, dp]` each.
    #[inline(always)]
    pub(super) fn run(chunk: &'a mut Chunk<T>, dims: &'a GmDims, x: [&'a [T]; 2], visit: F) {
        Arch::new().dispatch(Self { chunk, dims, x, visit });
    }
}

impl<T: Real, F: FnMut(Tile<'_, T>)> WithSimd for Sweep<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (b, d, dp, rows) = (self.dims.batch, self.dims.inputs, self.dims.input_stride(), self.dims.outputs + 1);
        self.chunk.coefficients(simd, self.dims);
        let scratch = &mut self.chunk.backward;
        scratch.sums.resize(rows * TILE, T::ZERO);
        scratch.square_sums.resize(self.chunk.count * TILE, T::ZERO);
        let [x, squares] = self.x.map(|x| View::new(x, b, d, dp));
        for first in (0..d).step_by(TILE) {
            let columns = first..d.min(first + TILE);
            let g_s2 = View::new(&scratch.g_s2, self.chunk.count, b, b);
            panel::product(simd, &mut scratch.square_sums, TILE, g_s2, squares.column_range(columns.clone()));
            for i in 0..self.chunk.count {
                let coefficients = View::new(&scratch.coefficients[i * rows * b..][..rows * b], rows, b, b);
                panel::product(simd, &mut scratch.sums, TILE, coefficients, x.column_range(columns.clone()));
                (self.visit)(Tile {
                    component: i,
                    columns: columns.clone(),
                    inputs: d,
                    stride: dp,
                    rho: &scratch.rho[i * (rows - 1)..][..rows - 1],
                    variance: &self.chunk.variances[i * dp..][columns.clone()],
                    sums: &scratch.sums,
                    square_sums: &scratch.square_sums[i * TILE..][..columns.len()],
                });
            }
        }
    }
}

impl<T: Real> Tile<'_, T> {
    /// The gradient with respect to μ, σ and every `u_ℓ` in this tile: rows of `out`, [`TILE`] apart.
    #[inline(always)]
    pub(super) fn gradient(&self, params: Tensors<'_, T>, out: &mut [T]) {
        let n = self.columns.len();
        let (d_mu, rest) = out.split_at_mut(TILE);
        let (d_sigma, d_u) = rest.split_at_mut(TILE);
        let (d_mu, d_sigma) = (&mut d_mu[..n], &mut d_sigma[..n]);
        let (mu, sigma) = (&params.mu[self.columns.clone()], &params.sigma[self.columns.clone()]);
        let (mu, sigma, variance) = (&mu[..n], &sigma[..n], &self.variance[..n]);
        d_mu.copy_from_slice(&self.sums[..n]);
        d_sigma.copy_from_slice(&self.square_sums[..n]);
        for (o, (&rho, d_u)) in self.rho.iter().zip(d_u.chunks_exact_mut(TILE)).enumerate() {
            let u = &params.u[self.columns_of_row(o)][..n];
            let t = &self.sums[(o + 1) * TILE..][..n];
            let d_u = &mut d_u[..n];
            for j in 0..n {
                d_u[j] = rho * mu[j] + variance[j] * t[j];
                d_mu[j] += rho * u[j];
                d_sigma[j] += u[j] * t[j];
            }
        }
        for (d_sigma, &sigma) in d_sigma.iter_mut().zip(sigma) {
            *d_sigma *= T::of(2.0) * sigma;
        }
    }

    /// Writes what [`Tile::gradient`] left in `gradient` to its place, and with the first tile the gradient with respect to `v`.
    /// Pads become 0.
    #[inline(always)]
    pub(super) fn store(&self, gradient: &[T], out: Parts<'_, T>) {
        let mut rows = gradient.chunks_exact(TILE);
        let u = out.u.chunks_exact_mut(self.stride);
        for (out, row) in [out.mu, out.sigma].into_iter().chain(u).zip(&mut rows) {
            out[self.columns.clone()].copy_from_slice(&row[..self.columns.len()]);
            if self.columns.end == self.inputs {
                out[self.inputs..].fill(T::ZERO);
            }
        }
        if let Some(rho) = self.rho_once() {
            let (v, pad) = out.v.split_at_mut(rho.len());
            v.copy_from_slice(rho);
            pad.fill(T::ZERO);
        }
    }

    /// This tile in row `o` of a component's `u`.
    #[inline(always)]
    pub(super) fn columns_of_row(&self, o: usize) -> Range<usize> {
        o * self.stride + self.columns.start..o * self.stride + self.columns.end
    }

    /// The gradient with respect to `v`, with the first tile only.
    pub(super) fn rho_once(&self) -> Option<&[T]> {
        (self.columns.start == 0).then_some(self.rho)
    }
}
