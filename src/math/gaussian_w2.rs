//! The 2-Wasserstein distance between Gaussians, squared:
//! `W₂² = ‖m₁ − m₂‖² + tr(S₁ + S₂ − 2(S₁^½ S₂ S₁^½)^½)` (footnote 5; the second part is the Bures distance).

use super::eigen::{check, square_root, times};
use super::householder::Reduced;
use crate::{Error, Result};

/// Between Gaussians with diagonal covariances, given as variances: `‖m₁ − m₂‖² + Σ_i (√s₁ᵢ − √s₂ᵢ)²`. The slices have one length;
/// variances are not negative.
pub fn diagonal(m1: &[f64], s1: &[f64], m2: &[f64], s2: &[f64]) -> f64 {
    let roots = s1.iter().zip(s2).map(|(s1, s2)| s1.sqrt() - s2.sqrt());
    distance_squared(m1, m2) + roots.map(|gap| gap * gap).sum::<f64>()
}

/// Between Gaussians with covariances `[n, n]`, positive semidefinite, singular or not.
///
/// The last term's trace is the sum of the singular values of `S₂^½ S₁^½`. For nearly equal covariances the difference cancels to about
/// `1e-15 tr(S₁ + S₂)`.
///
/// # Errors
/// [`Error::Shape`] when the lengths do not fit, [`Error::Numeric`] for entries that are not finite or a covariance that is not
/// positive semidefinite.
pub fn full(m1: &[f64], s1: &[f64], m2: &[f64], s2: &[f64]) -> Result<f64> {
    Rooted::new(m1, s1)?.w2_squared(&Rooted::new(m2, s2)?)
}

/// A Gaussian with the root of its covariance, for distances to several others.
#[derive(Clone, Debug)]
pub struct Rooted {
    mean: Vec<f64>,
    covariance: Vec<f64>,
    root: Vec<f64>,
    diagonal: bool,
}

impl Rooted {
    /// `mean [n]`, `covariance [n, n]`.
    ///
    /// # Errors
    /// [`Error::Shape`] when the lengths do not fit, [`Error::Numeric`] for entries that are not finite or a covariance that is not
    /// positive semidefinite.
    pub fn new(mean: &[f64], covariance: &[f64]) -> Result<Self> {
        let n = mean.len();
        check(covariance, n)?;
        if let Some(at) = mean.iter().position(|x| !x.is_finite()) {
            return Err(Error::numeric("Gaussian distance", format!("entry {at} of a mean is {}", mean[at])));
        }
        let diagonal = is_diagonal(covariance, n) && (0..n).all(|i| covariance[i * n + i] >= 0.0);
        let root = if diagonal { covariance.iter().map(|s| s.sqrt()).collect() } else { square_root(covariance, n)? };
        Ok(Self { mean: mean.to_vec(), covariance: covariance.to_vec(), root, diagonal })
    }

    /// `W₂²` to `other`.
    ///
    /// # Errors
    /// [`Error::Shape`] when the widths differ.
    pub fn w2_squared(&self, other: &Self) -> Result<f64> {
        let n = self.mean.len();
        if other.mean.len() != n {
            let expected = format!("means of one length, {n}");
            return Err(Error::Shape { op: "Gaussian distance", expected, got: other.mean.len().to_string() });
        }
        let apart = distance_squared(&self.mean, &other.mean);
        if self.diagonal && other.diagonal {
            return Ok(apart + distance_squared(&self.root, &other.root));
        }
        if self.covariance == other.covariance {
            return Ok(apart);
        }
        let nuclear = nuclear_norm(&times(&other.root, &self.root, [n, n, n]), n);
        let bures = trace(&self.covariance, n) + trace(&other.covariance, n) - 2.0 * nuclear;
        Ok(apart + bures.max(0.0))
    }
}

/// The sum of the singular values of an `[n, n]` matrix.
pub(crate) fn nuclear_norm(matrix: &[f64], n: usize) -> f64 {
    singular_values(matrix, n).iter().sum()
}

/// Of an `[n, n]` matrix `P`: the `n` largest eigenvalues of `[[0, Pᵀ], [P, 0]]`, whose others are their negatives.
fn singular_values(matrix: &[f64], n: usize) -> Vec<f64> {
    let largest = matrix.iter().fold(0.0, |largest, x| f64::max(largest, x.abs()));
    if largest == 0.0 {
        return vec![0.0; n];
    }
    let mut both = vec![0.0; 4 * n * n];
    for (row, values) in both[2 * n * n..].chunks_exact_mut(2 * n).zip(matrix.chunks_exact(n)) {
        row.iter_mut().zip(values).for_each(|(entry, x)| *entry = x / largest);
    }
    let values = Reduced::new(both, 2 * n).small.largest(n);
    values.into_iter().map(|value| value.max(0.0) * largest).collect()
}

/// `‖m₁ − m₂‖²`.
fn distance_squared(m1: &[f64], m2: &[f64]) -> f64 {
    m1.iter().zip(m2).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// The trace of an `[n, n]` matrix.
pub fn trace(matrix: &[f64], n: usize) -> f64 {
    (0..n).map(|i| matrix[i * n + i]).sum()
}

/// Whether all entries off the diagonal are 0.
fn is_diagonal(matrix: &[f64], n: usize) -> bool {
    matrix.iter().enumerate().all(|(at, &entry)| at / n == at % n || entry == 0.0)
}
