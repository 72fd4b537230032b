//! Estimates of leading eigenvectors. Nothing rests on them: any directions make a sound signature, these make a small one.

use faer::{MatRef, Side};

use super::bures_distance::Merged;
use super::rounding::plain_dot;

/// Dimension of the Krylov space.
const STEPS: usize = 128;

/// At most `count` vectors near the leading eigenvectors of a covariance, the largest eigenvalue's first.
pub(super) fn principal(of: &Merged, count: usize) -> Vec<Vec<f64>> {
    let n = of.mean.len();
    if of.columns.is_empty() {
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&a, &b| of.variances[b].total_cmp(&of.variances[a]).then(a.cmp(&b)));
        let unit = |j: usize| (0..n).map(|i| f64::from(u8::from(i == j))).collect();
        return order.into_iter().take(count).map(unit).collect();
    }
    let size = n.min(STEPS.max(2 * count));
    let (mut basis, mut images): (Vec<Vec<f64>>, Vec<Vec<f64>>) = (Vec::new(), Vec::new());
    // Any start in which all eigenvectors take part.
    let mut next: Vec<f64> = (0..n).map(|j| 1.0 + (j as f64 * 0.618_034).fract()).collect();
    let mut fresh = 0;
    while basis.len() < size && fresh <= n {
        match orthonormal(&basis, next) {
            Some(vector) => {
                next = of.times(&vector);
                images.push(next.clone());
                basis.push(vector);
            }
            // The space is invariant: another one beside it.
            None => {
                next = vec![0.0; n];
                next[fresh.min(n - 1)] = 1.0;
                fresh += 1;
            }
        }
    }
    let size = basis.len();
    let projected: Vec<f64> = (0..size * size).map(|at| plain_dot(&basis[at / size], &images[at % size])).collect();
    let Ok(found) = MatRef::from_row_major_slice(&projected, size, size).self_adjoint_eigen(Side::Lower) else {
        return basis;
    };
    let combined = |k: usize| {
        let mut vector = vec![0.0; n];
        for (i, known) in basis.iter().enumerate() {
            let share = found.U()[(i, size - 1 - k)];
            vector.iter_mut().zip(known).for_each(|(x, b)| *x += share * b);
        }
        vector
    };
    (0..count.min(size)).map(combined).collect()
}

/// What is left of a vector beside an orthonormal basis, with length 1; `None` where nothing is.
fn orthonormal(basis: &[Vec<f64>], mut vector: Vec<f64>) -> Option<Vec<f64>> {
    let before = plain_dot(&vector, &vector).sqrt();
    for _ in 0..2 {
        for known in basis {
            let along = plain_dot(known, &vector);
            vector.iter_mut().zip(known).for_each(|(x, b)| *x -= along * b);
        }
    }
    let length = plain_dot(&vector, &vector).sqrt();
    (length > 1e-12 * before && length.is_finite()).then(|| vector.into_iter().map(|x| x / length).collect())
}
