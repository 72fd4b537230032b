//! Products whose second factor is never written down: row `k` of it is a stretch of one array that begins at `shifts[k]`. A
//! convolution's columns are such stretches of the padded picture, so that no array nine times its size is made.

use pulp::{Arch, Simd, WithSimd};

use super::super::Real;
use super::super::matrix::View;

/// Columns are computed in whole vectors, of 16 values at most. Results have room for them, and arguments are as long.
pub(super) const LANES: usize = 16;

/// Vectors of columns that share a coefficient.
const VECTORS: usize = 3;

/// Rows that one call should have to use the registers well.
pub(super) const ROWS: usize = 8;

/// Columns rounded up to whole vectors.
pub(super) const fn whole(columns: usize) -> usize {
    columns.next_multiple_of(LANES)
}

/// `out[r, j] = Σ_k a[r, k] x[shifts[k] + j]` for `j` below `whole(columns)`, or `out += …` with `ADD`; rows of `out` are `stride`
/// apart. Sums run over `k` in order.
pub(super) fn product<T: Real, const ADD: bool>(
    (out, stride): (&mut [T], usize),
    a: View<'_, T>,
    (x, shifts): (&[T], &[usize]),
    columns: usize,
) {
    Arch::new().dispatch(Product::<T, ADD> { out, stride, a, x, shifts, columns: whole(columns) });
}

struct Product<'a, T, const ADD: bool> {
    out: &'a mut [T],
    stride: usize,
    a: View<'a, T>,
    x: &'a [T],
    shifts: &'a [usize],
    columns: usize,
}

impl<T: Real, const ADD: bool> WithSimd for Product<'_, T, ADD> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let rows = self.a.rows();
        let mut row = 0;
        // Eight rows of three vectors fit the registers of AVX-512 and NEON, four those of AVX2.
        while S::REGISTER_COUNT >= 32 && row + ROWS <= rows {
            self.columns::<S, ROWS>(simd, row);
            row += ROWS;
        }
        while row + 4 <= rows {
            self.columns::<S, 4>(simd, row);
            row += 4;
        }
        while row < rows {
            self.columns::<S, 1>(simd, row);
            row += 1;
        }
    }
}

impl<T: Real, const ADD: bool> Product<'_, T, ADD> {
    #[inline(always)]
    fn columns<S: Simd, const R: usize>(&mut self, simd: S, row: usize) {
        let lanes = size_of::<T::Vector<S>>() / size_of::<T>();
        let mut j = 0;
        while j + VECTORS * lanes <= self.columns {
            self.tile::<S, R, VECTORS>(simd, row, j, lanes);
            j += VECTORS * lanes;
        }
        while j < self.columns {
            self.tile::<S, R, 1>(simd, row, j, lanes);
            j += lanes;
        }
    }

    /// `R × V` vectors of sums, held in registers.
    #[inline(always)]
    fn tile<S: Simd, const R: usize, const V: usize>(&mut self, simd: S, row: usize, j: usize, lanes: usize) {
        let inner = self.shifts.len();
        let a: [&[T]; R] = std::array::from_fn(|r| &self.a.row(row + r)[..inner]);
        let x = &self.x[j..];
        let mut sums = [[T::splat(simd, T::ZERO); V]; R];
        for (k, &shift) in self.shifts.iter().enumerate() {
            let x = T::vectors::<S>(&x[shift..][..V * lanes]).0;
            let x: [T::Vector<S>; V] = std::array::from_fn(|v| x[v]);
            for r in 0..R {
                let a = T::splat(simd, a[r][k]);
                for v in 0..V {
                    sums[r][v] = T::mul_add(simd, a, x[v], sums[r][v]);
                }
            }
        }
        let one = T::splat(simd, T::ONE);
        for (r, sums) in sums.iter().enumerate() {
            let out = &mut self.out[(row + r) * self.stride + j..][..V * lanes];
            for (out, &sum) in T::vectors_mut::<S>(out).0.iter_mut().zip(sums) {
                *out = if ADD { T::mul_add(simd, one, *out, sum) } else { sum };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Odd numbers of rows and columns, overlapping stretches, and sums on top of what is there.
    #[test]
    fn against_plain_loops() {
        for [rows, inner, columns] in [[1, 1, 1], [8, 5, 48], [13, 27, 70], [7, 9, 16]] {
            let value = |k: usize| ((k * 7919 % 1000) as f64 - 400.0) / 37.0;
            let a: Vec<f64> = (0..rows * inner).map(value).collect();
            let shifts: Vec<usize> = (0..inner).map(|k| k * 5 % 23).collect();
            let x: Vec<f64> = (0..22 + whole(columns)).map(|k| value(3 * k + 1)).collect();
            let (a, stride) = (View::new(&a, rows, inner, inner), whole(columns));
            let mut out = vec![f64::NAN; rows * stride];
            product::<_, false>((&mut out, stride), a, (&x, &shifts), columns);
            product::<_, true>((&mut out, stride), a, (&x, &shifts), columns);
            for i in 0..rows {
                for j in 0..columns {
                    let plain: f64 = shifts.iter().zip(a.row(i)).map(|(shift, a)| 2.0 * a * x[shift + j]).sum();
                    assert!((out[i * stride + j] - plain).abs() <= 1e-11 * (1.0 + plain.abs()), "{rows} × {inner}");
                }
            }
        }
    }
}
