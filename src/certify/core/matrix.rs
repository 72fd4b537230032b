//! Products of row-major matrices, and a proved bound of the largest eigenvalue.
//!
//! A product is, entry by entry, a sum of products in a fixed order, each added with one rounding: its error is at most `γ_n |A||B|` (Higham, *Accuracy and
//! Stability*, §3.5), and its bits are the same on every machine, so that a certificate verifies on all of them.

use super::rounding::{U, add_up, cover, down, gamma, larger, mul_up, plain_dot, smaller, sqrt_up, sum_up, up};
pub(in crate::certify) use crate::reference::transposed;
use crate::reference::{Real, product_in_order, vectorized};

/// `a b`, `[rows, inner] × [inner, columns]`.
pub(in crate::certify) fn product<T: Real>(a: &[T], rows: usize, inner: usize, b: &[T], columns: usize) -> Vec<T> {
    let mut out = vec![T::ZERO; rows * columns];
    product_in_order((&mut out, columns), a, (b, columns), [rows, inner, columns]);
    out
}

/// `a b` where it is known to be symmetric, `[n, inner] × [inner, n]`: one half computed, the other copied.
pub(in crate::certify) fn symmetric_product<T: Real>(a: &[T], b: &[T], n: usize, inner: usize) -> Vec<T> {
    const BLOCK: usize = 16;
    let mut out = upper_product(a, b, n, inner);
    // Block by block, so that what is read and what is written stay in the nearest cache.
    for first in (0..n).step_by(BLOCK) {
        for (i, j) in
            (0..n.min(first + BLOCK)).flat_map(|i| (first.max(i + 1)..n.min(first + BLOCK)).map(move |j| (i, j)))
        {
            out[j * n + i] = out[i * n + j];
        }
    }
    out
}

/// The entries of [`symmetric_product`] from the diagonal on; of those before it some are there and some are 0.
pub(in crate::certify) fn upper_product<T: Real>(a: &[T], b: &[T], n: usize, inner: usize) -> Vec<T> {
    let width = 256 / size_of::<T>();
    let mut out = vec![T::ZERO; n * n];
    for first in (0..n).step_by(width) {
        let (rows, columns) = (n.min(first + width), width.min(n - first));
        product_in_order((&mut out[first..], n), &a[..rows * inner], (&b[first..], n), [rows, inner, columns]);
    }
    out
}

/// `Σ_j x_j w_ji` or more for every `i`; `w` is `[x, outputs]`, and no number is negative.
pub(super) fn weighted_up(x: &[f64], w: &[f64]) -> Vec<f64> {
    let n = x.len();
    // Products that are subnormal would be a hundred times slower.
    let x: Vec<f64> = x.iter().map(|&x| if x > 0.0 && x < 1e-250 { 1e-250 } else { x }).collect();
    product(&x, 1, n, w, w.len() / n).into_iter().map(|sum| cover(sum, n + 1, n)).collect()
}

/// `max_j x_j w_ji` or more for every `i`, for finite numbers that are not negative: rounding keeps their order.
pub(super) fn largest_weighted(x: &[f64], w: &[f64]) -> Vec<f64> {
    let mut most = vec![0.0; w.len() / x.len()];
    for (&x, row) in x.iter().zip(w.chunks_exact(most.len())) {
        vectorized(
            #[inline(always)]
            || most.iter_mut().zip(row).for_each(|(most, w)| *most = if x * w > *most { x * w } else { *most }),
        );
    }
    most.into_iter().map(up).collect()
}

/// At least the largest eigenvalue of any symmetric matrix whose distance to `a` (`[n, n]`, entries not NaN, positive
/// semidefinite up to rounding) is at most `off` in the spectral norm.
///
/// The least of Frobenius norm, largest absolute row sum, and a shift `λ` for which `λI − A` factorises.
pub(super) fn largest_eigenvalue(a: &[f64], n: usize, off: f64) -> f64 {
    let absolute: Vec<f64> = a.iter().map(|x| x.abs()).collect();
    let frobenius = sqrt_up(cover(plain_dot(a, a), n * n + 1, n * n));
    let rows = absolute.chunks_exact(n).map(sum_up).fold(0.0, larger);
    let cheap = smaller(frobenius, rows);
    let guess = rayleigh(a, n);
    let normal = (1e-150..1e150).contains(&guess);
    let shifted = [1e-7, 1e-4, 1e-2].into_iter().filter(|_| normal).find_map(|more| shift(a, n, guess * (1.0 + more)));
    add_up(shifted.map_or(cheap, |found| smaller(cheap, found)), off)
}

/// A lower estimate of the largest eigenvalue, by power iteration.
fn rayleigh(a: &[f64], n: usize) -> f64 {
    let mut x = vec![1.0; n];
    let mut value = 0.0;
    for _ in 0..300 {
        let image: Vec<f64> = a.chunks_exact(n).map(|row| plain_dot(row, &x)).collect();
        let length = plain_dot(&image, &image).sqrt();
        if !(length > 0.0 && length.is_finite()) {
            return 0.0;
        }
        x = image.into_iter().map(|y| y / length).collect();
        value = length;
    }
    value
}

/// `λ` with its rounding, if `λI − A` is proved to be positive semidefinite up to that.
fn shift(a: &[f64], n: usize, lambda: f64) -> Option<f64> {
    let mut h: Vec<f64> = a.iter().map(|x| -x).collect();
    (0..n).for_each(|i| h[i * n + i] += lambda);
    let largest = (0..n).map(|i| a[i * n + i].abs()).fold(lambda, larger);
    // The diagonal of H is rounded.
    defect(&mut h, n).map(|defect| add_up(add_up(lambda, defect), mul_up(4.0 * U, largest)))
}

/// A number `d` for which `H ⪰ −d I`, if the Cholesky factorisation of `H` runs through; it is destroyed.
///
/// Then `RᵀR = H + ΔH` with `|ΔH| ≤ γ_{n+1} |Rᵀ||R|` and `‖r_i‖² ≤ h_ii/(1 − γ_{n+1})`, so that
/// `H ⪰ −γ_{n+1}/(1 − γ_{n+1}) tr H` (Higham, Theorem 10.3; Rump 2006). 10⁻³⁰⁰ covers products that underflow.
pub(super) fn defect(h: &mut [f64], n: usize) -> Option<f64> {
    let trace = (0..n).fold(0.0, |sum, i| add_up(sum, h[i * n + i]));
    let step = gamma(n + 1);
    factorises(h, n, n).then(|| add_up(mul_up(trace, up(step / down(1.0 - step))), 1e-300))
}

/// Cholesky's factorisation `H = RᵀR` of the first `n` columns of `h` `[n, width]`, in place from the diagonal on; what is in further
/// columns is multiplied by `R⁻ᵀ`. False at a pivot that is not positive.
pub(in crate::certify) fn factorises<T: Real>(h: &mut [T], n: usize, width: usize) -> bool {
    const BLOCK: usize = 32;
    let mut update = vec![T::ZERO; BLOCK * width];
    for first in (0..n).step_by(BLOCK) {
        let (done, rest) = h.split_at_mut(first * width);
        let count = BLOCK.min(n - first);
        if first > 0 {
            let across: Vec<T> =
                (first..first + count).flat_map(|i| done.chunks_exact(width).map(move |row| row[i])).collect();
            product_in_order((&mut update, width), &across, (&done[first..], width), [count, first, width - first]);
        }
        for (row, update) in rest.chunks_exact_mut(width).zip(update.chunks_exact(width)).take(count) {
            row[first..].iter_mut().zip(update).for_each(|(x, y)| *x -= *y);
        }
        let block = &mut rest[..count * width];
        if !vectorized(
            #[inline(always)]
            || eliminates(block, first, width),
        ) {
            return false;
        }
    }
    true
}

/// The rows of one block of a factorisation, whose part of the matrix begins at column `first`. Rows are changed from there on, also where
/// they have nothing to say any more: loops of one length are quicker than the shortest ones.
#[inline(always)]
fn eliminates<T: Real>(block: &mut [T], first: usize, width: usize) -> bool {
    for k in 0..block.len() / width {
        let (row, below) = block[k * width..].split_at_mut(width);
        let row = &mut row[first..];
        if !(row[k] > T::ZERO) {
            return false;
        }
        let root = row[k].root();
        row.iter_mut().for_each(|x| *x /= root);
        for (j, below) in (k + 1..).zip(below.chunks_exact_mut(width)) {
            let factor = row[j];
            below[first..].iter_mut().zip(&*row).for_each(|(x, y)| *x -= factor * *y);
        }
    }
    true
}
