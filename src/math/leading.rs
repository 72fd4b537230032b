//! The largest eigenpairs of a symmetric matrix without the others: Householder's tridiagonal form, then bisection and inverse iteration for the
//! wanted ones alone. The time does not depend on the spectrum, and repeated eigenvalues are no special case.

use super::eigen::{Eigen, check, finish, scaled, symmetric};
use super::householder::Reduced;
use crate::Result;

/// Below this many dimensions the whole decomposition is as quick.
const SMALL: usize = 32;

/// Of this part of the eigenpairs, too.
const SHARE: usize = 4;

/// The `count` largest eigenpairs of the symmetric `[n, n]` matrix. The same bits every time.
///
/// # Errors
/// As [`symmetric`].
pub fn leading(matrix: &[f64], n: usize, count: usize) -> Result<Eigen> {
    check(matrix, n)?;
    if n >= SMALL
        && count * SHARE <= n
        && count > 0
        && let Some((scaled, scale)) = scaled(matrix)
    {
        let (values, vectors) = by_tridiagonal(scaled.clone(), n, count);
        // Inverse iteration can fail on clusters of eigenvalues; the check tells.
        if let Ok(found) = finish(&scaled, scale, values, vectors) {
            return Ok(found);
        }
    }
    let mut all = symmetric(matrix, n)?;
    all.values.truncate(count);
    all.vectors.truncate(count * n);
    Ok(all)
}

fn by_tridiagonal(a: Vec<f64>, n: usize, count: usize) -> (Vec<f64>, Vec<f64>) {
    let reduced = Reduced::new(a, n);
    let values = reduced.small.largest(count);
    let mut vectors = reduced.small.vectors(&values);
    vectors.iter_mut().for_each(|vector| reduced.restore(vector));
    (values, vectors.concat())
}
