//! Householder's reduction of a symmetric matrix to tridiagonal form, `A = Q T Qᵀ`. Sums run in a fixed order: the same bits on
//! every machine.

use super::tridiagonal::Tridiagonal;
use super::vector::{dot, dot_lanes};
use crate::reference::vectorized;

/// Rows whose squared length is below this count as 0; the largest entry of the matrix is near 1.
const NEGLIGIBLE: f64 = 1e-280;

/// `T`, and the reflections whose product is `Q`.
pub(super) struct Reduced {
    pub(super) small: Tridiagonal,
    n: usize,
    /// Row `i` holds the vector of a reflection of the first `i` coordinates.
    reflectors: Vec<f64>,
    /// `I − factor v vᵀ`; 0 for none.
    factors: Vec<f64>,
}

impl Reduced {
    /// Of the symmetric `[n, n]` matrix, `n ≥ 1`, whose lower triangle is used. Entries are of moderate size.
    ///
    /// Rows are done from the last to the second: what is left of row `i` is mapped to its last entry by a reflection of the first `i`
    /// coordinates, and the leading block follows: `A ← A − v wᵀ − w vᵀ`, `w = p − ½ factor (pᵀv) v`, `p = factor A v`. The block is
    /// changed while it is multiplied by the next `v`, so that every entry is fetched once a row.
    pub(super) fn new(mut a: Vec<f64>, n: usize) -> Self {
        let mut factors = vec![0.0; n];
        let mut off = vec![0.0; n];
        let mut before = (vec![0.0; n], vec![0.0; n]);
        for i in (0..n).rev() {
            let (leading, rest) = a.split_at_mut(i * n);
            let row = &mut rest[..=i];
            subtract_both(row, &before, i);
            let v = &mut row[..i];
            let square = dot(v, v);
            if square >= NEGLIGIBLE {
                let last = v[i - 1];
                let length = if last > 0.0 { -square.sqrt() } else { square.sqrt() };
                off[i - 1] = length;
                // ‖x − length e‖² = 2 length (length − x_last), a sum of equal signs.
                factors[i] = 1.0 / (length * (length - last));
                v[i - 1] -= length;
            }
            let mut w = changed_and_multiplied(leading, n, &before, v);
            w.iter_mut().for_each(|p| *p *= factors[i]);
            let along = 0.5 * factors[i] * dot(&w, v);
            w.iter_mut().zip(&*v).for_each(|(p, v)| *p -= along * v);
            before = if factors[i] == 0.0 { (vec![0.0; i], vec![0.0; i]) } else { (v.to_vec(), w) };
        }
        let diagonal = (0..n).map(|i| a[i * n + i]).collect();
        Self { small: Tridiagonal::new(diagonal, off), n, reflectors: a, factors }
    }

    /// `Q x`: an eigenvector of the matrix from one of `T`.
    pub(super) fn restore(&self, x: &mut [f64]) {
        for (i, &factor) in self.factors.iter().enumerate().filter(|(_, factor)| **factor != 0.0) {
            let v = &self.reflectors[i * self.n..][..i];
            let along = dot(v, &x[..i]);
            add_multiple(&mut x[..i], -factor * along, v);
        }
    }
}

/// Row `r` of the lower triangle of `A − v wᵀ − w vᵀ`.
#[inline(always)]
fn subtract_both(row: &mut [f64], (v, w): &(Vec<f64>, Vec<f64>), r: usize) {
    let (v_r, w_r) = (v[r], w[r]);
    row.iter_mut().zip(v).zip(w).for_each(|((entry, v), w)| *entry -= v_r * w + w_r * v);
}

/// Changes all rows of the lower triangle by [`subtract_both`], and returns what they, as a symmetric matrix, make of `x`.
fn changed_and_multiplied(a: &mut [f64], stride: usize, before: &(Vec<f64>, Vec<f64>), x: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; x.len()];
    vectorized(
        #[inline(always)]
        || {
            for (r, row) in a.chunks_exact_mut(stride).enumerate() {
                subtract_both(&mut row[..=r], before, r);
                let left = &row[..r];
                out[r] += dot_lanes(left, &x[..r]) + row[r] * x[r];
                let x_r = x[r];
                out[..r].iter_mut().zip(left).for_each(|(y, entry)| *y += x_r * entry);
            }
        },
    );
    out
}

/// `x + multiple y`.
fn add_multiple(x: &mut [f64], multiple: f64, y: &[f64]) {
    vectorized(
        #[inline(always)]
        || x.iter_mut().zip(y).for_each(|(x, y)| *x += multiple * y),
    );
}
