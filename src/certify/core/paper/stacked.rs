//! A Gaussian of the values that a layer has at one or several inputs, in factors.

use super::super::gaussian::{Covariance, Gaussian, store_covariance};
use super::super::matrix::{symmetric_product, transposed};
use super::super::rounding::{U, add_up, cover, gamma, mul_up, plain_dot, sqrt_up};

/// `N(mean, blockdiag(FFᵀ) + Σ_r u_r u_rᵀ)`, exactly the numbers here: positive semidefinite however they were rounded.
///
/// Coordinates come in blocks of equal size. With independent weights a block is a neuron, and holds its values at all inputs, one after
/// the other; with correlated weights one block holds everything, input by input. So coordinate `p` of block `q` of `g` is neuron
/// `(pg + q) mod L` at input `⌊(pg + q)/L⌋`.
#[derive(Clone, Debug)]
pub struct Stacked {
    /// A multiple of 2⁻⁵³.
    pub weight: f64,
    /// `[n]`, block by block.
    pub mean: Vec<f64>,
    /// Coordinates of a block.
    pub size: usize,
    /// `F` of every block, `[n / size, size, size]`.
    pub factors: Vec<f64>,
    /// `u_r`, `[n]` each, the long ones first.
    pub(super) columns: Vec<Vec<f64>>,
}

/// `‖x‖²` or more; 0 for zeros.
pub(super) fn square_up(x: &[f64]) -> f64 {
    // A bound of what underflow loses in a sum of zeros would be a distance from nothing.
    if x.iter().all(|&x| x == 0.0) { 0.0 } else { cover(plain_dot(x, x), x.len() + 1, x.len()) }
}

impl Stacked {
    /// `Σ_r ‖u_r‖²` or more.
    pub(super) fn spread(&self) -> f64 {
        self.columns.iter().fold(0.0, |sum, u| add_up(sum, square_up(u)))
    }

    /// The trace of the covariance or more.
    pub(super) fn trace(&self) -> f64 {
        add_up(square_up(&self.factors), self.spread())
    }

    /// The covariance times `v`: off by at most `γ_{n+2·size+r+4} tr ‖v‖`, `r` columns.
    pub(super) fn times(&self, v: &[f64]) -> Vec<f64> {
        let size = self.size;
        let mut out = Vec::with_capacity(v.len());
        for (factor, v) in self.factors.chunks_exact(size * size).zip(v.chunks_exact(size)) {
            let mut inner = vec![0.0; size];
            for (row, x) in factor.chunks_exact(size).zip(v) {
                inner.iter_mut().zip(row).for_each(|(sum, f)| *sum += x * f);
            }
            out.extend(factor.chunks_exact(size).map(|row| plain_dot(row, &inner)));
        }
        for u in &self.columns {
            let along = plain_dot(u, v);
            out.iter_mut().zip(u).for_each(|(sum, u)| *sum += along * u);
        }
        out
    }

    pub(super) fn is_finite(&self) -> bool {
        self.mean.iter().chain(&self.factors).all(|x| x.is_finite())
    }

    /// As one Gaussian, input by input, of a law without columns, and its distance from this one.
    pub(super) fn gaussian(&self) -> (Gaussian, f64) {
        let (n, size) = (self.mean.len(), self.size);
        let groups = n / size;
        let blocks: Vec<f64> = self
            .factors
            .chunks_exact(size * size)
            .flat_map(|f| symmetric_product(f, &transposed(f, size, size), size, size))
            .collect();
        let trace = square_up(&self.factors);
        let underflow = (n * size) as f64 * f64::MIN_POSITIVE;
        let off = if trace == 0.0 { 0.0 } else { add_up(mul_up(gamma(size + 1), trace), underflow) };
        if size == 1 {
            // A square off by u of itself has a root off by no more.
            let distance = add_up(mul_up(U, sqrt_up(trace)), if trace == 0.0 { 0.0 } else { sqrt_up(underflow) });
            let law = Gaussian { mean: self.mean.clone(), covariance: Covariance::Diagonal(blocks), floor: 0.0 };
            return (law, distance);
        }
        let place = |q: usize, p: usize| p * groups + q;
        let (mut mean, mut matrix) = (vec![0.0; n], vec![0.0; n * n]);
        let mut fixed = vec![false; n];
        for (q, block) in blocks.chunks_exact(size * size).enumerate() {
            for p in 0..size {
                let row = place(q, p);
                mean[row] = self.mean[q * size + p];
                fixed[row] = self.factors[(q * size + p) * size..][..size].iter().all(|&f| f == 0.0);
                (0..size).for_each(|e| matrix[row * n + place(q, e)] = block[p * size + e]);
            }
        }
        let (distance, floor) = store_covariance(&mut matrix, n, off, 0.0, |j| fixed[j]);
        (Gaussian { mean, covariance: Covariance::Full(matrix), floor }, distance)
    }
}
