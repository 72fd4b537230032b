//! Products of a few rows with a long matrix, without packing: the GM layer multiplies ten rows a component with a minibatch that
//! stays in the cache, shapes for which a general product spends a third of its time on copies and on rows that are not there.

use pulp::{Arch, Simd, WithSimd};

use super::Real;
use super::matrix::View;

/// Rows that share the loads of the matrix, and vectors of columns that share the loads of a coefficient: 20 running sums fit
/// the registers of AVX-512 and NEON, 10 those of AVX2.
const ROWS: usize = 5;

/// `out[r, j] = Σ_k a[r, k] b[k, j]` for the rows of `a` and all columns of `b`; rows of `out` are `stride` apart.
/// Sums run over `k` in order, whatever the width of the machine's vectors.
#[inline(always)]
pub(super) fn product<T: Real, S: Simd>(simd: S, out: &mut [T], stride: usize, a: View<'_, T>, b: View<'_, T>) {
    if S::REGISTER_COUNT >= 32 {
        rows::<T, S, 4, false>(simd, out, stride, a, b)
    } else {
        rows::<T, S, 2, false>(simd, out, stride, a, b)
    }
}

/// `out = a b` for `a [rows, inner]` and `b [inner, columns]`; rows of `out` and of `b` are as far apart as is said with them. Every
/// entry is `Σ_k a_ik b_kj` in the order of `k`, every product added with one rounding: the same bits on every machine, whatever its
/// vectors.
pub(crate) fn product_in_order<T: Real>(
    (out, stride): (&mut [T], usize),
    a: &[T],
    (b, b_stride): (&[T], usize),
    [rows, inner, columns]: [usize; 3],
) {
    let (a, b) = (View::new(a, rows, inner, inner), View::new(b, inner, columns, b_stride));
    Arch::new().dispatch(InOrder { out, stride, a, b });
}

struct InOrder<'a, T> {
    out: &'a mut [T],
    stride: usize,
    a: View<'a, T>,
    b: View<'a, T>,
}

impl<T: Real> WithSimd for InOrder<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if S::REGISTER_COUNT >= 32 { self.panels::<S, 4>(simd) } else { self.panels::<S, 2>(simd) }
    }
}

impl<T: Real> InOrder<'_, T> {
    /// Where many rows use them, the columns of `b` are brought together first, a register tile's worth at a time: rows that are a power of 2
    /// apart would push each other out of the cache.
    #[inline(always)]
    fn panels<S: Simd, const V: usize>(self, simd: S) {
        let Self { out, stride, a, b } = self;
        if a.rows() < 4 * ROWS {
            return rows::<T, S, V, true>(simd, out, stride, a, b);
        }
        let tile = V * size_of::<T::Vector<S>>() / size_of::<T>();
        let mut packed = Vec::with_capacity(b.rows() * tile);
        for first in (0..b.columns()).step_by(tile) {
            let panel = b.column_range(first..b.columns().min(first + tile));
            packed.clear();
            (0..panel.rows()).for_each(|k| packed.extend_from_slice(panel.row(k)));
            let panel = View::new(&packed, panel.rows(), panel.columns(), panel.columns());
            rows::<T, S, V, true>(simd, &mut out[first..], stride, a, panel);
        }
    }
}

/// `a b + c`, rounded once where that is wanted, and else as is quickest.
#[inline(always)]
fn add_product<T: Real, S: Simd, const EXACT: bool>(
    simd: S,
    a: T::Vector<S>,
    b: T::Vector<S>,
    c: T::Vector<S>,
) -> T::Vector<S> {
    if EXACT { T::fused(simd, a, b, c) } else { T::mul_add(simd, a, b, c) }
}

#[inline(always)]
fn rows<T: Real, S: Simd, const V: usize, const EXACT: bool>(
    simd: S,
    out: &mut [T],
    stride: usize,
    a: View<'_, T>,
    b: View<'_, T>,
) {
    let mut r = 0;
    while r + ROWS <= a.rows() {
        columns::<T, S, ROWS, V, EXACT>(simd, &mut out[r * stride..], stride, a.rows_from(r), b);
        r += ROWS;
    }
    while r < a.rows() {
        columns::<T, S, 1, V, EXACT>(simd, &mut out[r * stride..], stride, a.rows_from(r), b);
        r += 1;
    }
}

#[inline(always)]
fn columns<T: Real, S: Simd, const R: usize, const V: usize, const EXACT: bool>(
    simd: S,
    out: &mut [T],
    stride: usize,
    a: View<'_, T>,
    b: View<'_, T>,
) {
    let lanes = size_of::<T::Vector<S>>() / size_of::<T>();
    let a: [&[T]; R] = std::array::from_fn(|r| a.row(r));
    let mut j = 0;
    while j + V * lanes <= b.columns() {
        store::<T, S, R, V>(&mut out[j..], stride, &sums::<T, S, R, V, EXACT>(simd, a, b, j, lanes), lanes);
        j += V * lanes;
    }
    while j + lanes <= b.columns() {
        store::<T, S, R, 1>(&mut out[j..], stride, &sums::<T, S, R, 1, EXACT>(simd, a, b, j, lanes), lanes);
        j += lanes;
    }
    while j < b.columns() {
        let width = lanes.min(b.columns() - j);
        for (r, a) in a.iter().enumerate() {
            let mut sum = T::splat(simd, T::ZERO);
            for (k, &a) in a.iter().enumerate() {
                let b = T::load_part(simd, &b.row(k)[j..j + width]);
                sum = add_product::<T, S, EXACT>(simd, T::splat(simd, a), b, sum);
            }
            T::store_part(simd, &mut out[r * stride + j..][..width], sum);
        }
        j += width;
    }
}

#[inline(always)]
fn store<T: Real, S: Simd, const R: usize, const V: usize>(
    out: &mut [T],
    stride: usize,
    sums: &[[T::Vector<S>; V]; R],
    lanes: usize,
) {
    for (r, sums) in sums.iter().enumerate() {
        T::vectors_mut::<S>(&mut out[r * stride..][..V * lanes]).0.copy_from_slice(sums);
    }
}

/// `R × V` vectors of sums, held in registers.
#[inline(always)]
fn sums<T: Real, S: Simd, const R: usize, const V: usize, const EXACT: bool>(
    simd: S,
    a: [&[T]; R],
    b: View<'_, T>,
    j: usize,
    lanes: usize,
) -> [[T::Vector<S>; V]; R] {
    let inner = a[0].len();
    let a = a.map(|a| &a[..inner]);
    let mut sums = [[T::splat(simd, T::ZERO); V]; R];
    for k in 0..inner {
        let b = T::vectors::<S>(&b.row(k)[j..j + V * lanes]).0;
        let b: [T::Vector<S>; V] = std::array::from_fn(|v| b[v]);
        for r in 0..R {
            let a = T::splat(simd, a[r][k]);
            for v in 0..V {
                sums[r][v] = add_product::<T, S, EXACT>(simd, a, b[v], sums[r][v]);
            }
        }
    }
    sums
}

/// `⟨a, b⟩`.
#[inline(always)]
pub(super) fn dot<T: Real, S: Simd>(simd: S, a: &[T], b: &[T]) -> T {
    let ((a, a_rest), (b, b_rest)) = (T::vectors::<S>(a), T::vectors::<S>(b));
    let mut sum = T::splat(simd, T::ZERO);
    for (&a, &b) in a.iter().zip(b) {
        sum = T::mul_add(simd, a, b, sum);
    }
    T::sum_lanes(simd, sum) + a_rest.iter().zip(b_rest).map(|(&a, &b)| a * b).sum::<T>()
}

/// `out = a ⊙ b`, and `⟨a, c⟩` of the same pass over `a`.
#[inline(always)]
pub(super) fn scale_and_dot<T: Real, S: Simd>(simd: S, a: &[T], b: &[T], c: &[T], out: &mut [T]) -> T {
    let ((a, a_rest), (b, b_rest), (c, c_rest)) = (T::vectors::<S>(a), T::vectors::<S>(b), T::vectors::<S>(c));
    let (out, out_rest) = T::vectors_mut::<S>(out);
    let zero = T::splat(simd, T::ZERO);
    let mut sum = zero;
    for (((&a, &b), &c), out) in a.iter().zip(b).zip(c).zip(out) {
        *out = T::mul_add(simd, a, b, zero);
        sum = T::mul_add(simd, a, c, sum);
    }
    let mut rest = T::ZERO;
    for (((&a, &b), &c), out) in a_rest.iter().zip(b_rest).zip(c_rest).zip(out_rest) {
        *out = a * b;
        rest += a * c;
    }
    T::sum_lanes(simd, sum) + rest
}

/// The transpose of a `[rows, columns]` matrix.
pub(crate) fn transposed<T: Real>(a: &[T], rows: usize, columns: usize) -> Vec<T> {
    let mut out = vec![T::ZERO; rows * columns];
    for (i, row) in a.chunks_exact(columns.max(1)).enumerate() {
        for (j, &x) in row.iter().enumerate() {
            out[j * rows + i] = x;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Odd sizes, so that every path has its part: against the plain loops, bit for bit.
    #[test]
    fn products_in_order_have_the_bits_of_plain_loops() {
        for [rows, inner, columns] in [[1, 1, 1], [7, 3, 5], [5, 16, 32], [12, 130, 75], [6, 0, 4]] {
            let value = |k: usize| ((k * 7919 % 1000) as f64 - 400.0) / 37.0;
            let a: Vec<f64> = (0..rows * inner).map(value).collect();
            let b: Vec<f64> = (0..inner * columns).map(|k| value(3 * k + 1)).collect();
            let mut out = vec![f64::NAN; rows * columns];
            product_in_order((&mut out, columns), &a, (&b, columns), [rows, inner, columns]);
            for i in 0..rows {
                for j in 0..columns {
                    let plain = (0..inner).fold(0.0, |sum, k| a[i * inner + k].mul_add(b[k * columns + j], sum));
                    assert_eq!(out[i * columns + j].to_bits(), plain.to_bits(), "{rows} × {inner} × {columns}");
                }
            }
        }
    }
}
