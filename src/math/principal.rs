//! Leading eigenpairs of a covariance of blocks and columns, `Σ = blockdiag(B_1 … B_g) + Σ_r u_r u_rᵀ`, without the whole matrix where it is
//! large. The same bits every time.

use super::eigen::symmetric;
use super::leading::leading;
use super::vector::dot;
use crate::Result;

/// Up to so many dimensions the matrix is written out.
const DENSE: usize = 256;

/// Powers of `Σ` that the search space of a large one holds.
const POWERS: usize = 4;

/// What is left of a vector beside a basis counts as nothing below this part of it.
const DEPENDENT: f64 = 1e-10;

/// Eigenvalues, descending, and an eigenvector of length 1 for each; of a large matrix, good approximations.
#[derive(Clone, Debug, PartialEq)]
pub struct Principal {
    /// `λ_j`, not below 0.
    pub values: Vec<f64>,
    /// `[n]` each.
    pub vectors: Vec<Vec<f64>>,
}

/// At most `count` leading eigenpairs; `blocks [g, size, size]` symmetric, every column `[g · size]`.
///
/// # Errors
/// As for [`symmetric`].
pub fn principal(blocks: &[f64], size: usize, columns: &[Vec<f64>], count: usize) -> Result<Principal> {
    let n = blocks.len() / size.max(1);
    let count = count.min(n);
    if columns.is_empty() || count == 0 {
        return of_blocks(blocks, size, count);
    }
    if n > DENSE {
        return searched(blocks, size, columns, count);
    }
    let mut matrix = vec![0.0; n * n];
    for (q, block) in blocks.chunks_exact(size * size).enumerate() {
        for (p, row) in block.chunks_exact(size).enumerate() {
            matrix[(q * size + p) * n + q * size..][..size].copy_from_slice(row);
        }
    }
    for u in columns {
        for (row, x) in matrix.chunks_exact_mut(n).zip(u) {
            row.iter_mut().zip(u).for_each(|(sum, y)| *sum += x * y);
        }
    }
    let found = leading(&matrix, n, count)?;
    let values = found.values.iter().map(|value| value.max(0.0)).collect();
    Ok(Principal { values, vectors: found.vectors.chunks_exact(n).map(<[f64]>::to_vec).collect() })
}

/// Without columns: the largest of the blocks' own.
fn of_blocks(blocks: &[f64], size: usize, count: usize) -> Result<Principal> {
    let n = blocks.len() / size.max(1);
    let mut all = Vec::new();
    for (q, block) in blocks.chunks_exact((size * size).max(1)).enumerate() {
        if size == 1 {
            all.push((block[0], q, vec![1.0]));
            continue;
        }
        let found = leading(block, size, count.min(size))?;
        all.extend(found.values.iter().zip(found.vectors.chunks_exact(size)).map(|(&l, v)| (l, q, v.to_vec())));
    }
    // Stable: of equals the first.
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    all.truncate(count);
    let whole = |(_, q, part): &(f64, usize, Vec<f64>)| {
        let mut vector = vec![0.0; n];
        vector[q * size..][..size].copy_from_slice(part);
        vector
    };
    Ok(Principal {
        values: all.iter().map(|found| found.0.max(0.0)).collect(),
        vectors: all.iter().map(whole).collect(),
    })
}

/// Rayleigh and Ritz in the space of columns and the blocks' leading eigenvectors, and of their images under powers of `Σ`.
fn searched(blocks: &[f64], size: usize, columns: &[Vec<f64>], count: usize) -> Result<Principal> {
    let mut fresh = of_blocks(blocks, size, count)?.vectors;
    fresh.extend_from_slice(columns);
    let (mut basis, mut images): (Vec<Vec<f64>>, Vec<Vec<f64>>) = (Vec::new(), Vec::new());
    for _ in 0..POWERS {
        let start = basis.len();
        fresh.into_iter().for_each(|vector| basis.extend(beside(&basis, vector)));
        images.extend(basis[start..].iter().map(|vector| times(blocks, size, columns, vector)));
        fresh = images[start..].to_vec();
    }
    let k = basis.len();
    let small: Vec<f64> = (0..k * k).map(|at| dot(&basis[at / k.max(1)], &images[at % k.max(1)])).collect();
    let symmetrised: Vec<f64> = (0..k * k).map(|at| 0.5 * (small[at] + small[at % k * k + at / k])).collect();
    let found = symmetric(&symmetrised, k)?;
    let combined = |weights: &[f64]| {
        let mut vector = vec![0.0; basis[0].len()];
        for (weight, known) in weights.iter().zip(&basis) {
            vector.iter_mut().zip(known).for_each(|(sum, x)| *sum += weight * x);
        }
        vector
    };
    let count = count.min(k);
    Ok(Principal {
        values: found.values[..count].iter().map(|value| value.max(0.0)).collect(),
        vectors: found.vectors.chunks_exact(k.max(1)).take(count).map(combined).collect(),
    })
}

fn times(blocks: &[f64], size: usize, columns: &[Vec<f64>], v: &[f64]) -> Vec<f64> {
    let rows = blocks.chunks_exact(size * size).zip(v.chunks_exact(size));
    let mut out: Vec<f64> = rows.flat_map(|(block, v)| block.chunks_exact(size).map(|row| dot(row, v))).collect();
    for u in columns {
        let along = dot(u, v);
        out.iter_mut().zip(u).for_each(|(sum, x)| *sum += along * x);
    }
    out
}

/// What is left of a vector beside an orthonormal basis, with length 1; `None` where that is nothing.
fn beside(basis: &[Vec<f64>], mut vector: Vec<f64>) -> Option<Vec<f64>> {
    let before = dot(&vector, &vector).sqrt();
    for _ in 0..2 {
        for known in basis {
            let along = dot(known, &vector);
            vector.iter_mut().zip(known).for_each(|(x, b)| *x -= along * b);
        }
    }
    let length = dot(&vector, &vector).sqrt();
    (length > DEPENDENT * before && length.is_normal()).then(|| {
        vector.iter_mut().for_each(|x| *x /= length);
        vector
    })
}
