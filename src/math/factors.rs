//! Covariances in factors, `blockdiag(F_qF_qᵀ) + Σ_r u_r u_rᵀ`: made from matrices, and merged. The same bits every time.

use super::eigen::symmetric;
use super::vector::dot;

/// Pivots below this part of the largest, a dimension, are rounding.
const ROUNDING: f64 = f64::EPSILON / 2.0;

/// Squares of columns below this part of the longest are rounding.
const SHORT: f64 = 1e-15;

/// `N(mean, blockdiag(FFᵀ) + Σ_r u_r u_rᵀ)`: `mean [n]`, `factors [n / size, size, size]`, columns `[n]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// `[n]`.
    pub mean: Vec<f64>,
    /// `F` of every block.
    pub factors: Vec<f64>,
    /// Orthogonal, the longest first, at most `n`.
    pub columns: Vec<Vec<f64>>,
}

/// The Gaussian with mean and covariance of a mixture of components `(weight, mean, factors)`; `None` where there is none. Of equal factors
/// it keeps the bits.
pub fn merged(members: &[(f64, &[f64], &[f64])], size: usize) -> Option<Merged> {
    let (&(_, first_mean, first), others) = members.split_first()?;
    let weight: f64 = members.iter().map(|member| member.0).sum();
    let toward = |to: &mut [f64], share: f64, from: &[f64], own: &[f64]| {
        to.iter_mut().zip(from.iter().zip(own)).for_each(|(x, (a, b))| *x += share * (a - b));
    };
    let mut mean = first_mean.to_vec();
    others.iter().for_each(|(own, from, _)| toward(&mut mean, own / weight, from, first_mean));
    let mut factors = first.to_vec();
    if others.iter().any(|(.., other)| *other != first) {
        let own = squares(first, size);
        let mut blocks = own.clone();
        others.iter().for_each(|(part, _, other)| toward(&mut blocks, part / weight, &squares(other, size), &own));
        factors = blocks.chunks_exact(size * size).flat_map(|block| factor(block, size)).collect();
    }
    let column = |(own, from, _): &(f64, &[f64], &[f64])| {
        let root = (own / weight).sqrt();
        from.iter().zip(&mean).map(|(a, b)| root * (a - b)).collect::<Vec<f64>>()
    };
    let columns = members.iter().map(column).filter(|u| u.iter().any(|&x| x != 0.0)).collect();
    let columns = turned(columns, mean.len());
    Some(Merged { mean, factors, columns })
}

/// `FFᵀ` of every block.
pub fn squares(factors: &[f64], size: usize) -> Vec<f64> {
    if size == 1 {
        return factors.iter().map(|f| f * f).collect();
    }
    let mut blocks = Vec::with_capacity(factors.len());
    for factor in factors.chunks_exact((size * size).max(1)) {
        for row in factor.chunks_exact(size) {
            blocks.extend(factor.chunks_exact(size).map(|other| dot(row, other)));
        }
    }
    blocks
}

/// `F [n, n]` with `FFᵀ` nearly the positive semidefinite `matrix`: Cholesky's factorisation, the largest pivot first, until only rounding
/// is left.
pub fn factor(matrix: &[f64], n: usize) -> Vec<f64> {
    if let [variance] = matrix {
        return vec![variance.max(0.0).sqrt()];
    }
    let (mut rest, mut factor) = (matrix.to_vec(), vec![0.0; n * n]);
    let largest = |rest: &[f64]| {
        let pivots = (0..n).map(|j| (j, rest[j * n + j]));
        pivots.fold((0, 0.0), |best, pivot| if pivot.1 > best.1 { pivot } else { best })
    };
    let floor = n as f64 * ROUNDING * largest(&rest).1;
    for k in 0..n {
        let (p, pivot) = largest(&rest);
        if pivot <= floor {
            break;
        }
        let root = pivot.sqrt();
        let column: Vec<f64> = (0..n).map(|i| if i == p { root } else { rest[i * n + p] / root }).collect();
        for (i, x) in column.iter().enumerate() {
            rest[i * n..][..n].iter_mut().zip(&column).for_each(|(entry, y)| *entry -= x * y);
            factor[i * n + k] = *x;
        }
        for i in 0..n {
            (rest[i * n + p], rest[p * n + i]) = (0.0, 0.0);
        }
    }
    factor
}

/// Orthogonal columns with nearly the same `UUᵀ`, not more than there are rows and the longest first.
fn turned(columns: Vec<Vec<f64>>, n: usize) -> Vec<Vec<f64>> {
    let r = columns.len();
    let small = r.min(n);
    let mut gram = vec![0.0; small * small];
    for p in 0..small {
        for q in 0..=p {
            let entry = if r <= n { dot(&columns[p], &columns[q]) } else { columns.iter().map(|u| u[p] * u[q]).sum() };
            (gram[p * small + q], gram[q * small + p]) = (entry, entry);
        }
    }
    let Ok(found) = symmetric(&gram, small) else { return columns };
    let floor = SHORT * found.values.first().copied().unwrap_or(0.0);
    let kept = found.values.iter().zip(found.vectors.chunks_exact(small.max(1))).filter(|(value, _)| **value > floor);
    let column = |(value, vector): (&f64, &[f64])| {
        if r > n {
            return vector.iter().map(|x| value.sqrt() * x).collect();
        }
        let mut sum = vec![0.0; n];
        for (weight, u) in vector.iter().zip(&columns) {
            sum.iter_mut().zip(u).for_each(|(sum, x)| *sum += weight * x);
        }
        sum
    };
    kept.map(column).collect()
}
