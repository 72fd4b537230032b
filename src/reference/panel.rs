//! Products of a few rows with a long matrix, without packing: the GM layer multiplies ten rows a component with a minibatch that
//! stays in the cache, shapes for which a general product spends a third of its time on copies and on rows that are not there.

use pulp::Simd;

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
        rows::<T, S, 4>(simd, out, stride, a, b)
    } else {
        rows::<T, S, 2>(simd, out, stride, a, b)
    }
}

#[inline(always)]
fn rows<T: Real, S: Simd, const V: usize>(simd: S, out: &mut [T], stride: usize, a: View<'_, T>, b: View<'_, T>) {
    let mut r = 0;
    while r + ROWS <= a.rows() {
        columns::<T, S, ROWS, V>(simd, &mut out[r * stride..], stride, a.rows_from(r), b);
        r += ROWS;
    }
    while r < a.rows() {
        columns::<T, S, 1, V>(simd, &mut out[r * stride..], stride, a.rows_from(r), b);
        r += 1;
    }
}

#[inline(always)]
fn columns<T: Real, S: Simd, const R: usize, const V: usize>(
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
        store::<T, S, R, V>(&mut out[j..], stride, &sums::<T, S, R, V>(simd, a, b, j, lanes), lanes);
        j += V * lanes;
    }
    while j + lanes <= b.columns() {
        store::<T, S, R, 1>(&mut out[j..], stride, &sums::<T, S, R, 1>(simd, a, b, j, lanes), lanes);
        j += lanes;
    }
    while j < b.columns() {
        let width = lanes.min(b.columns() - j);
        for (r, a) in a.iter().enumerate() {
            let mut sum = T::splat(simd, T::ZERO);
            for (k, &a) in a.iter().enumerate() {
                sum = T::mul_add(simd, T::splat(simd, a), T::load_part(simd, &b.row(k)[j..j + width]), sum);
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
fn sums<T: Real, S: Simd, const R: usize, const V: usize>(
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
                sums[r][v] = T::mul_add(simd, a, b[v], sums[r][v]);
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
