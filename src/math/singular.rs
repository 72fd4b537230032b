//! Singular values and vectors by Jacobi's one-sided rotations: small singular values are as accurate, relative to themselves, as large ones.

use super::vector::dot;

/// Sweeps after which columns are taken as they are; six to ten make them orthogonal.
const SWEEPS: usize = 40;

/// Columns whose cosine is below this count as orthogonal.
const ORTHOGONAL: f64 = 4.0 * f64::EPSILON;

/// `A = Σ_k σ_k x_k y_kᵀ`, in no order.
#[derive(Clone, Debug, PartialEq)]
pub struct Singular {
    /// `σ_k`, `[n]`.
    pub values: Vec<f64>,
    /// `x_k`, `[n, n]`: row `k`, 0 where `σ_k` is.
    pub left: Vec<f64>,
    /// `y_k`, `[n, n]`: row `k`.
    pub right: Vec<f64>,
}

/// Of a matrix `[n, n]`, row by row. Entries that are not finite make vectors that are not.
pub fn singular(matrix: &[f64], n: usize) -> Singular {
    // Row k holds column k of the rotated matrix, so that a rotation combines two rows.
    let mut left: Vec<f64> = (0..n * n).map(|at| matrix[at % n * n + at / n]).collect();
    let mut right: Vec<f64> = (0..n * n).map(|at| f64::from(u8::from(at / n == at % n))).collect();
    for _ in 0..SWEEPS {
        let mut turned = false;
        for p in 1..n {
            for q in 0..p {
                if let Some((cosine, sine)) = rotation(&left[q * n..][..n], &left[p * n..][..n]) {
                    turned = true;
                    for rows in [&mut left, &mut right] {
                        let (before, after) = rows.split_at_mut(p * n);
                        for (x, y) in before[q * n..][..n].iter_mut().zip(&mut after[..n]) {
                            (*x, *y) = (cosine * *x - sine * *y, sine * *x + cosine * *y);
                        }
                    }
                }
            }
        }
        if !turned {
            break;
        }
    }
    let values: Vec<f64> = left.chunks_exact(n.max(1)).map(|x| dot(x, x).sqrt()).collect();
    for (x, &value) in left.chunks_exact_mut(n.max(1)).zip(&values) {
        let scale = if value > f64::MIN_POSITIVE { 1.0 / value } else { 0.0 };
        x.iter_mut().for_each(|x| *x *= scale);
    }
    Singular { values, left, right }
}

/// The rotation that makes two columns orthogonal; `None` where they are.
fn rotation(x: &[f64], y: &[f64]) -> Option<(f64, f64)> {
    let (xx, xy, yy) = (dot(x, x), dot(x, y), dot(y, y));
    let turned = xy.abs() > ORTHOGONAL * (xx.sqrt() * yy.sqrt());
    if !turned {
        return None;
    }
    let zeta = (yy - xx) / (2.0 * xy);
    let tangent = zeta.signum() / (zeta.abs() + (1.0 + zeta * zeta).sqrt());
    let cosine = 1.0 / (1.0 + tangent * tangent).sqrt();
    Some((cosine, cosine * tangent))
}
