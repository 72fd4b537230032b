//! All eigenpairs of a symmetric tridiagonal matrix: the QL iteration with implicit shifts.

use super::tridiagonal::Tridiagonal;
use crate::reference::vectorized;

/// Steps for one eigenvalue; two or three are usual.
const STEPS: usize = 60;

/// Below this an entry beside the diagonal counts as 0, however small its neighbours; the matrix is of moderate size.
const NEGLIGIBLE: f64 = 1e-150;

/// Eigenvalues, and their unit vectors as the rows of `[n, n]`; `None` where one does not converge.
pub(super) fn eigenpairs(matrix: &Tridiagonal) -> Option<(Vec<f64>, Vec<f64>)> {
    let n = matrix.diagonal.len();
    let (mut d, mut e) = (matrix.diagonal.clone(), matrix.off.clone());
    let mut vectors = vec![0.0; n * n];
    (0..n).for_each(|j| vectors[j * n + j] = 1.0);
    for first in 0..n {
        let mut steps = 0;
        loop {
            let separate = |i: usize| e[i].abs() <= f64::EPSILON * (d[i].abs() + d[i + 1].abs()) + NEGLIGIBLE;
            let last = (first..n - 1).find(|&i| separate(i)).unwrap_or(n - 1);
            if last == first {
                break;
            }
            if steps == STEPS {
                return None;
            }
            steps += 1;
            step(&mut d, &mut e, (first, last), &mut vectors);
        }
    }
    Some((d, vectors))
}

/// One sweep over the rows `first..=last`, whose off-diagonal entries are not 0, with Wilkinson's shift.
fn step(d: &mut [f64], e: &mut [f64], (first, last): (usize, usize), vectors: &mut [f64]) {
    let n = d.len();
    let half = (d[first + 1] - d[first]) / (2.0 * e[first]);
    let mut bulge = d[last] - d[first] + e[first] / (half + libm::hypot(half, 1.0).copysign(half));
    let (mut sine, mut cosine, mut taken) = (1.0, 1.0, 0.0);
    for i in (first..last).rev() {
        let (moved, kept) = (sine * e[i], cosine * e[i]);
        let length = libm::hypot(moved, bulge);
        e[i + 1] = length;
        if length == 0.0 {
            // The matrix has come apart here.
            d[i + 1] -= taken;
            e[last] = 0.0;
            return;
        }
        (sine, cosine) = (moved / length, bulge / length);
        let rest = d[i + 1] - taken;
        let turned = (d[i] - rest) * sine + 2.0 * cosine * kept;
        taken = sine * turned;
        d[i + 1] = rest + taken;
        bulge = cosine * turned - kept;
        let (upper, lower) = vectors[i * n..].split_at_mut(n);
        rotate(upper, &mut lower[..n], cosine, sine);
    }
    d[first] -= taken;
    e[first] = bulge;
    e[last] = 0.0;
}

fn rotate(upper: &mut [f64], lower: &mut [f64], cosine: f64, sine: f64) {
    vectorized(
        #[inline(always)]
        || {
            for (x, y) in upper.iter_mut().zip(lower) {
                (*x, *y) = (cosine * *x - sine * *y, sine * *x + cosine * *y);
            }
        },
    );
}
