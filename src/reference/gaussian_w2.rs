//! Squared 2-Wasserstein distances between all pairs of two lists of Gaussians:
//! `W₂² = ‖m₁ − m₂‖² + tr(S₁ + S₂ − 2(S₁^½ S₂ S₁^½)^½)`; for diagonal covariances the trace is `Σ_i (√s₁ᵢ − √s₂ᵢ)²`.

use super::Real;
use super::threads::each;
use crate::math::eigen::symmetric;
use crate::math::gaussian_w2::nuclear_norm;
use crate::shape::{expect_len, stride};
use crate::{Error, Result};
use rayon::prelude::*;

/// The largest width of Gaussians with full covariances: their decompositions are made for small matrices.
pub const LARGEST_WIDTH: usize = 128;

/// Sizes of two lists of Gaussians for each of a batch of problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairDims {
    /// Problems `B`.
    pub batch: usize,
    /// Gaussians `p` of the first list of each problem.
    pub left: usize,
    /// Gaussians `q` of the second list of each problem.
    pub right: usize,
    /// Dimensions `n` of the space.
    pub width: usize,
}

impl PairDims {
    /// Length of `W₂²`, `[B, p, q]`.
    pub const fn pairs(&self) -> usize {
        self.batch * self.left * self.right
    }

    /// Refuses lists whose lengths do not fit: means `[B, p, np]` and `[B, q, np]`, `per_row` numbers of a covariance for each of a mean's
    /// `np`, costs `[B, p, q]`.
    pub(crate) fn check(&self, lens: [usize; 5], per_row: usize) -> Result<()> {
        const OP: &str = "Gaussian distances";
        let (left, right) = (self.batch * self.left * stride(self.width), self.batch * self.right * stride(self.width));
        let [m1, s1, m2, s2, out] = lens;
        expect_len(OP, "first means [B,p,np]", m1, left)?;
        expect_len(OP, "first covariances", s1, left * per_row)?;
        expect_len(OP, "second means [B,q,np]", m2, right)?;
        expect_len(OP, "second covariances", s2, right * per_row)?;
        expect_len(OP, "distances [B,p,q]", out, self.pairs())
    }

    /// Refuses a width that the kernels for full covariances cannot take.
    pub(crate) fn check_width(&self) -> Result<()> {
        if self.width <= LARGEST_WIDTH {
            return Ok(());
        }
        let what = format!("dimensions of Gaussians with full covariances (more than {LARGEST_WIDTH} have no kernel)");
        Err(Error::Limit { what, need: self.width as u64, have: LARGEST_WIDTH as u64 })
    }
}

/// Means and covariances of a list of Gaussians.
#[derive(Clone, Copy, Debug)]
pub struct List<'a, T> {
    /// `[B, p, np]`.
    pub means: &'a [T],
    /// Variances `[B, p, np]` or covariances `[B, p, n, np]`.
    pub covariances: &'a [T],
}

/// `out [B, p, q]` for diagonal covariances, given as variances.
///
/// # Errors
/// [`Error::Shape`] when an array's length does not fit `dims`.
pub fn diagonal<T: Real>(dims: PairDims, first: List<'_, T>, second: List<'_, T>, out: &mut [T]) -> Result<()> {
    let lens = [first.means.len(), first.covariances.len(), second.means.len(), second.covariances.len(), out.len()];
    dims.check(lens, 1)?;
    let np = stride(dims.width).max(1);
    let row = |values: &'_ [T], at: usize| values[at * np..][..dims.width].to_vec();
    each(out.par_chunks_exact_mut(dims.right.max(1)).enumerate(), |(i, out)| {
        let problem = i / dims.left;
        let (m1, s1) = (row(first.means, i), row(first.covariances, i));
        for (j, out) in out.iter_mut().enumerate() {
            let at = problem * dims.right + j;
            let (m2, s2) = (row(second.means, at), row(second.covariances, at));
            *out = squares(&m1, &m2, |x| x) + squares(&s1, &s2, Real::root);
        }
    });
    Ok(())
}

/// `out [B, p, q]` for full covariances, which may be singular. Eigenvalues that are of the size of `T`'s rounding count as 0. The
/// decompositions are made and checked in `f64` ([`mod@crate::math::eigen`]).
///
/// # Errors
/// [`Error::Shape`] when an array's length does not fit `dims`; [`Error::Limit`] for a width above [`LARGEST_WIDTH`];
/// [`Error::Numeric`] for a number that is not finite.
pub fn full<T: Real>(dims: PairDims, first: List<'_, T>, second: List<'_, T>, out: &mut [T]) -> Result<()> {
    let lens = [first.means.len(), first.covariances.len(), second.means.len(), second.covariances.len(), out.len()];
    dims.check_width()?;
    dims.check(lens, dims.width)?;
    let (left, right) = (rooted(dims, first)?, rooted(dims, second)?);
    each(out.par_chunks_exact_mut(dims.right.max(1)).enumerate(), |(i, out)| {
        for (j, out) in out.iter_mut().enumerate() {
            *out = T::of(left[i].w2_squared(&right[i / dims.left * dims.right + j]));
        }
    });
    Ok(())
}

/// `Σ (f(a) − f(b))²`.
fn squares<T: Real>(a: &[T], b: &[T], f: impl Fn(T) -> T) -> T {
    a.iter().zip(b).map(|(&a, &b)| (f(a) - f(b)) * (f(a) - f(b))).sum()
}

/// A mean and rows `√λ_j v_j` of a covariance `Σ λ_j v_j v_jᵀ`.
struct Rooted {
    mean: Vec<f64>,
    rows: Vec<f64>,
    trace: f64,
}

fn rooted<T: Real>(dims: PairDims, list: List<'_, T>) -> Result<Vec<Rooted>> {
    let (n, np) = (dims.width, stride(dims.width).max(1));
    let wide = |rows: &[T]| -> Vec<f64> {
        rows.chunks_exact(np).flat_map(|row| row[..n].iter().map(|x| x.to_f64())).collect()
    };
    let each = list.means.par_chunks_exact(np).zip(list.covariances.par_chunks_exact((n * np).max(1)));
    let root = |(mean, covariance): (&[T], &[T])| {
        let mut eigen = symmetric(&wide(covariance), n)?;
        let floor = rounding::<T>() * eigen.values.first().map_or(0.0, |largest| largest.max(0.0));
        eigen.values.iter_mut().for_each(|value| *value = if *value <= floor { 0.0 } else { *value });
        let trace = eigen.values.iter().sum();
        for (row, value) in eigen.vectors.chunks_exact_mut(n).zip(&eigen.values) {
            row.iter_mut().for_each(|x| *x *= value.sqrt());
        }
        Ok(Rooted { mean: wide(mean), rows: eigen.vectors, trace })
    };
    each.map(root).collect()
}

/// What an eigenvalue must exceed, as part of the largest, to be told from 0.
pub(crate) fn rounding<T>() -> f64 {
    2.0 * if size_of::<T>() == 4 { f64::from(f32::EPSILON) } else { f64::EPSILON }
}

impl Rooted {
    fn w2_squared(&self, other: &Self) -> f64 {
        let n = self.mean.len();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let rows = || other.rows.chunks_exact(n);
        let product: Vec<f64> = self.rows.chunks_exact(n).flat_map(|a| rows().map(move |b| dot(a, b))).collect();
        let bures = self.trace + other.trace - 2.0 * nuclear_norm(&product, n);
        squares(&self.mean, &other.mean, |x| x) + bures.max(0.0)
    }
}
