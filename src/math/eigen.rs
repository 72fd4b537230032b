//! Eigendecomposition of symmetric matrices: `A = Σ_j λ_j v_j v_jᵀ`. What is returned has been checked: by `‖A v − λ v‖` and by
//! how far the eigenvectors are from orthonormal.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par, Side};

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
    let a = MatRef::from_row_major_slice(&scaled, n, n);
    let found = a.self_adjoint_eigen(Side::Lower);
    let found = found.map_err(|_| Error::numeric("eigenvalues", format!("no convergence at {n} × {n}")))?;
    let (values, vectors) = (found.S().column_vector(), found.U());
    // Ascending from faer, descending from here.
    let values: Vec<f64> = (0..n).rev().map(|j| values[j]).collect();
    let vectors: Vec<f64> = (0..n).rev().flat_map(|j| (0..n).map(move |i| vectors[(i, j)])).collect();
    finish(a, scale, values, vectors)
}

/// Checks eigenpairs of `a` and scales their values.
pub(super) fn finish(a: MatRef<'_, f64>, scale: f64, mut values: Vec<f64>, vectors: Vec<f64>) -> Result<Eigen> {
    let (n, count) = (a.nrows(), values.len());
    let v = MatRef::from_row_major_slice(&vectors, count, n);
    let product = times(v, a);
    let norm = a.norm_l2();
    let row = |j: usize| (0..n).map(|i| (product[(j, i)] - values[j] * v[(j, i)]).powi(2)).sum::<f64>().sqrt();
    let residual = (0..count).map(row).fold(0.0, worst) / norm;
    let gram = times(v, v.transpose());
    let off = |i: usize, j: usize| (gram[(i, j)] - f64::from(u8::from(i == j))).abs();
    let defect = (0..count).flat_map(|i| (0..count).map(move |j| (i, j))).map(|(i, j)| off(i, j)).fold(0.0, worst);
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
    let v = MatRef::from_row_major_slice(&eigen.vectors, n, n);
    let scaled = Mat::from_fn(n, n, |j, i| roots[j] * v[(j, i)]);
    let root = times(v.transpose(), scaled.as_ref());
    Ok((0..n).flat_map(|i| (0..n).map(move |j| (i, j))).map(|(i, j)| 0.5 * (root[(i, j)] + root[(j, i)])).collect())
}

impl Eigen {
    /// `√λ_j`, with eigenvalues that rounding made negative as 0.
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
        Ok(self.values.iter().map(|value| value.max(0.0).sqrt()).collect())
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

/// `a b`, on the calling thread.
pub(super) fn times(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Mat<f64> {
    let mut out = Mat::zeros(a.nrows(), b.ncols());
    matmul(out.as_mut(), Accum::Replace, a, b, 1.0, Par::Seq);
    out
}

/// The larger of two, NaN if one is.
fn worst(a: f64, b: f64) -> f64 {
    if a.is_nan() || a >= b { a } else { b }
}
