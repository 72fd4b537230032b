//! Eigendecomposition of symmetric matrices: `A = Σ_j λ_j v_j v_jᵀ`. What is returned has been checked: by `‖A v − λ v‖` and by
//! how far the eigenvectors are from orthonormal. The bits are the same on every machine, so that a proposal which is made
//! again where a certificate is verified is the same proposal.

use super::householder::Reduced;
use super::implicit_ql::eigenpairs;
use crate::reference::{product_in_order, transposed};
use crate::{Error, Result};

/// Residual (relative to the norm of the matrix) and orthogonality defect that are accepted, for each dimension: backward stable methods
/// stay some orders of magnitude below.
const ACCEPTED: f64 = 1e-13;

/// Some or all eigenpairs of a symmetric matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct Eigen {
    /// `λ_j`, descending.
    pub values: Vec<f64>,
    /// `[values, n]`: row `j` is `v_j`, of length 1.
    pub vectors: Vec<f64>,
    /// `max_j ‖A v_j − λ_j v_j‖ / ‖A‖_F`; 0 for a zero matrix.
    pub residual: f64,
    /// The largest entry of `|V Vᵀ − I|`.
    pub defect: f64,
}

/// All eigenpairs of the symmetric `[n, n]` matrix (only one triangle of it is used).
///
/// # Errors
/// [`Error::Shape`] for a matrix that is not `n × n`; [`Error::Numeric`] for entries that are not finite and when residual or
/// orthogonality are bad.
pub fn symmetric(matrix: &[f64], n: usize) -> Result<Eigen> {
    check(matrix, n)?;
    let Some((scaled, scale)) = scaled(matrix) else { return Ok(zero(n)) };
    let reduced = Reduced::new(scaled.clone(), n);
    let Some((found, mut vectors)) = eigenpairs(&reduced.small) else {
        return Err(Error::numeric("eigenvalues", format!("no convergence at {n} × {n}")));
    };
    vectors.chunks_exact_mut(n).for_each(|vector| reduced.restore(vector));
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| found[j].total_cmp(&found[i]));
    let values = order.iter().map(|&j| found[j]).collect();
    let vectors = order.iter().flat_map(|&j| vectors[j * n..][..n].iter().copied()).collect();
    finish(&scaled, scale, values, vectors)
}

/// Checks eigenpairs of the `[n, n]` matrix `a`, vectors as rows, and scales their values.
pub(super) fn finish(a: &[f64], scale: f64, mut values: Vec<f64>, vectors: Vec<f64>) -> Result<Eigen> {
    let count = values.len();
    let n = vectors.len() / count.max(1);
    let image = times(&vectors, a, [count, n, n]);
    let norm = a.iter().map(|x| x * x).sum::<f64>().sqrt();
    let off = |(image, vector): (&[f64], &[f64]), value: f64| {
        image.iter().zip(vector).map(|(y, x)| (y - value * x).powi(2)).sum::<f64>().sqrt()
    };
    let pairs = image.chunks_exact(n).zip(vectors.chunks_exact(n)).zip(&values);
    let residual = pairs.map(|(pair, &value)| off(pair, value)).fold(0.0, worst) / norm;
    let gram = times(&vectors, &transposed(&vectors, count, n), [count, n, count]);
    let defect = |(at, x): (usize, &f64)| (x - f64::from(u8::from(at / count == at % count))).abs();
    let defect = gram.iter().enumerate().map(defect).fold(0.0, worst);
    let accepted = ACCEPTED * n as f64;
    if !(residual <= accepted && defect <= accepted) {
        let what = format!(
            "residual {residual:.1e} and orthogonality defect {defect:.1e} at {n} × {n}, allowed {accepted:.1e}"
        );
        return Err(Error::numeric("eigenvalues", what));
    }
    values.iter_mut().for_each(|value| *value *= scale);
    Ok(Eigen { values, vectors, residual, defect })
}

/// `A^½` of a positive semidefinite `[n, n]` matrix; eigenvalues that rounding made negative count as 0.
///
/// # Errors
/// As [`symmetric`]; also [`Error::Numeric`] for an eigenvalue that is negative beyond rounding.
pub fn square_root(matrix: &[f64], n: usize) -> Result<Vec<f64>> {
    let eigen = symmetric(matrix, n)?;
    let roots = eigen.roots()?;
    let scaled: Vec<f64> = eigen
        .vectors
        .chunks_exact(n.max(1))
        .zip(&roots)
        .flat_map(|(vector, root)| vector.iter().map(move |x| root * x))
        .collect();
    let root = times(&transposed(&eigen.vectors, n, n), &scaled, [n, n, n]);
    Ok((0..n * n).map(|at| 0.5 * (root[at] + root[at % n * n + at / n])).collect())
}

impl Eigen {
    /// `√λ_j`. Eigenvalues that are of the size of rounding count as 0, on either side of it: the root of such a one would be some
    /// `10⁻⁸` of the largest.
    ///
    /// # Errors
    /// [`Error::Numeric`] for an eigenvalue that is negative beyond rounding: the matrix is no covariance.
    pub fn roots(&self) -> Result<Vec<f64>> {
        let largest = self.values.iter().fold(0.0, |largest, value| f64::max(largest, value.abs()));
        let floor = -1e-9 * largest;
        if let Some(value) = self.values.iter().find(|&&value| value < floor) {
            let what = format!(
                "the matrix is not positive semidefinite: eigenvalue {value:.3e}, the largest is {largest:.3e}"
            );
            return Err(Error::numeric("eigenvalues", what));
        }
        let rounding = 2.0 * f64::EPSILON * (self.values.len() as f64).sqrt() * largest;
        Ok(self.values.iter().map(|&value| if value <= rounding { 0.0 } else { value.sqrt() }).collect())
    }
}

/// Refuses matrices of a wrong size or with entries that are not finite.
pub(super) fn check(matrix: &[f64], n: usize) -> Result<()> {
    if n.checked_mul(n) != Some(matrix.len()) {
        let expected = format!("a matrix of {n} × {n}");
        return Err(Error::Shape { op: "eigenvalues", expected, got: format!("{} numbers", matrix.len()) });
    }
    match matrix.iter().position(|entry| !entry.is_finite()) {
        Some(at) => Err(Error::numeric("eigenvalues", format!("entry ({}, {}) is {}", at / n, at % n, matrix[at]))),
        None => Ok(()),
    }
}

/// The entries divided by a power of 2 near the largest magnitude, and that power; `None` for a zero matrix. Neither tiny nor huge matrices
/// then leave the range of `f64` in what follows.
pub(super) fn scaled(matrix: &[f64]) -> Option<(Vec<f64>, f64)> {
    let largest = matrix.iter().fold(0.0, |largest, entry| f64::max(largest, entry.abs()));
    // Exponents are kept away from where the inverse is subnormal.
    let scale = libm::exp2(f64::from(libm::ilogb(largest).clamp(-1000, 1000)));
    let inverse = 1.0 / scale;
    (largest > 0.0).then(|| (matrix.iter().map(|entry| entry * inverse).collect(), scale))
}

/// The decomposition of the zero matrix.
fn zero(n: usize) -> Eigen {
    let vectors = (0..n * n).map(|at| f64::from(u8::from(at / n == at % n))).collect();
    Eigen { values: vec![0.0; n], vectors, residual: 0.0, defect: 0.0 }
}

/// `a b`, `[rows, inner] × [inner, columns]`.
pub(super) fn times(a: &[f64], b: &[f64], shape: [usize; 3]) -> Vec<f64> {
    let columns = shape[2];
    let mut out = vec![0.0; shape[0] * columns];
    product_in_order((&mut out, columns), a, (b, columns), shape);
    out
}

/// The larger of two, NaN if one is.
fn worst(a: f64, b: f64) -> f64 {
    if a.is_nan() || a >= b { a } else { b }
}
