//! The largest eigenpairs of a symmetric matrix without the others: Householder's tridiagonal form, then bisection and inverse iteration for the
//! wanted ones alone. The time does not depend on the spectrum, and repeated eigenvalues are no special case.

use faer::dyn_stack::{MemBuffer, MemStack, StackReq};
use faer::linalg::evd::tridiag::{tridiag_in_place, tridiag_in_place_scratch};
use faer::linalg::householder::{
    apply_block_householder_sequence_on_the_left_in_place_scratch as apply_scratch,
    apply_block_householder_sequence_on_the_left_in_place_with_conj as apply,
};
use faer::linalg::qr::no_pivoting::factor::recommended_block_size;
use faer::{Conj, Mat, MatRef, Par};

use super::eigen::{Eigen, check, finish, scaled, symmetric};
use super::tridiagonal::Tridiagonal;
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
        // Symmetric, so either order of the entries will do; this one is copied without strides.
        let a = MatRef::from_column_major_slice(&scaled, n, n);
        let (values, vectors) = by_tridiagonal(a, count);
        // Inverse iteration can fail on clusters of eigenvalues; the check tells.
        if let Ok(found) = finish(a, scale, values, vectors) {
            return Ok(found);
        }
    }
    let mut all = symmetric(matrix, n)?;
    all.values.truncate(count);
    all.vectors.truncate(count * n);
    Ok(all)
}

fn by_tridiagonal(a: MatRef<'_, f64>, count: usize) -> (Vec<f64>, Vec<f64>) {
    let n = a.nrows();
    let block = recommended_block_size::<f64>(n, n);
    let needed = StackReq::any_of(&[
        tridiag_in_place_scratch::<f64>(n, Par::Seq, Default::default()),
        apply_scratch::<f64>(n - 1, block, count),
    ]);
    let mut memory = MemBuffer::new(needed);
    let mut reduced = a.to_owned();
    let mut reflectors = Mat::zeros(block, n - 1);
    tridiag_in_place(reduced.as_mut(), reflectors.as_mut(), Par::Seq, MemStack::new(&mut memory), Default::default());
    let off = (0..n).map(|i| if i + 1 < n { reduced[(i + 1, i)] } else { 0.0 }).collect();
    let small = Tridiagonal::new((0..n).map(|i| reduced[(i, i)]).collect(), off);
    let values = small.largest(count);
    let found = small.vectors(&values);
    let mut vectors = Mat::from_fn(n, count, |i, j| found[j][i]);
    apply(
        reduced.as_ref().submatrix(1, 0, n - 1, n - 1),
        reflectors.as_ref(),
        Conj::No,
        vectors.as_mut().subrows_mut(1, n - 1),
        Par::Seq,
        MemStack::new(&mut memory),
    );
    let rows = (0..count).flat_map(|j| (0..n).map(move |i| (i, j))).map(|(i, j)| vectors[(i, j)]).collect();
    (values, rows)
}
