//! Matrix products on row-major slices, by faer on the calling thread.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use super::Real;
use super::threads::each;

/// A row-major matrix inside a slice.
#[derive(Clone, Copy)]
pub(super) struct View<'a, T> {
    data: &'a [T],
    rows: usize,
    columns: usize,
    stride: usize,
}

impl<'a, T: Real> View<'a, T> {
    /// `rows × columns` with `stride` elements from row to row.
    pub(super) fn new(data: &'a [T], rows: usize, columns: usize, stride: usize) -> Self {
        Self { data, rows, columns, stride }
    }

    pub(super) fn rows(self) -> usize {
        self.rows
    }

    pub(super) fn columns(self) -> usize {
        self.columns
    }

    #[inline(always)]
    pub(super) fn row(self, row: usize) -> &'a [T] {
        &self.data[row * self.stride..][..self.columns]
    }

    /// The rows from `row` on.
    pub(super) fn rows_from(self, row: usize) -> Self {
        Self { data: &self.data[row * self.stride..], rows: self.rows - row, ..self }
    }

    /// A range of the rows.
    pub(super) fn row_range(self, rows: std::ops::Range<usize>) -> Self {
        Self { rows: rows.len(), ..self.rows_from(rows.start) }
    }

    /// A range of the columns.
    pub(super) fn column_range(self, columns: std::ops::Range<usize>) -> Self {
        Self { data: &self.data[columns.start..], columns: columns.len(), ..self }
    }

    fn faer(self) -> MatRef<'a, T> {
        MatRef::from_row_major_slice_with_stride(self.data, self.rows, self.columns, self.stride)
    }
}

/// By way of the transpose: faer 0.24.4's `from_row_major_slice_with_stride_mut` swaps the two strides and lets a
/// product write out of bounds.
fn target<T: Real>(out: &mut [T], rows: usize, columns: usize, stride: usize) -> MatMut<'_, T> {
    MatMut::from_column_major_slice_with_stride_mut(out, columns, rows, stride).transpose_mut()
}

/// `out = aᵀ b`, or `out += aᵀ b`; rows of `out` are `stride` apart.
pub(super) fn product_tn<T: Real>(how: Accum, out: &mut [T], stride: usize, a: View<'_, T>, b: View<'_, T>) {
    let out = target(out, a.columns, b.columns, stride);
    matmul(out, how, a.faer().transpose(), b.faer(), T::ONE, Par::Seq);
}

/// `out = a bᵀ`; rows of `out` are `stride` apart.
pub(super) fn product_nt<T: Real>(out: &mut [T], stride: usize, a: View<'_, T>, b: View<'_, T>) {
    let out = target(out, a.rows, b.rows, stride);
    matmul(out, Accum::Replace, a.faer(), b.faer().transpose(), T::ONE, Par::Seq);
}

/// `out = a b`, or `out += a b`; rows of `out` are `stride` apart.
pub(super) fn product_nn<T: Real>(how: Accum, out: &mut [T], stride: usize, a: View<'_, T>, b: View<'_, T>) {
    let out = target(out, a.rows, b.columns, stride);
    matmul(out, how, a.faer(), b.faer(), T::ONE, Par::Seq);
}

/// `out = a bᵀ` with the columns of `out` cut into blocks of `block` that run on any thread. The cut is the same
/// on every machine, so the bits are too.
pub(super) fn par_product_nt<T: Real>(out: &mut [T], stride: usize, a: View<'_, T>, b: View<'_, T>, block: usize) {
    let out = target(out, a.rows, b.rows, stride);
    par_columns(out, block, |first, out| {
        let b = b.faer().subrows(first, out.ncols());
        matmul(out, Accum::Replace, a.faer(), b.transpose(), T::ONE, Par::Seq);
    });
}

/// `out = a b`, cut by columns like [`par_product_nt`].
pub(super) fn par_product_nn<T: Real>(out: &mut [T], stride: usize, a: View<'_, T>, b: View<'_, T>, block: usize) {
    let out = target(out, a.rows, b.columns, stride);
    par_columns(out, block, |first, out| {
        let b = b.faer().subcols(first, out.ncols());
        matmul(out, Accum::Replace, a.faer(), b, T::ONE, Par::Seq);
    });
}

/// `out += Σ a b` over the pairs `(a, b)` in their order, cut by columns like [`par_product_nt`].
pub(super) fn par_sum_of_products<T: Real>(
    out: &mut [T],
    stride: usize,
    pairs: &[(View<'_, T>, View<'_, T>)],
    block: usize,
) {
    let Some((a, b)) = pairs.first() else { return };
    let out = target(out, a.rows, b.columns, stride);
    par_columns(out, block, |first, mut out| {
        for (a, b) in pairs {
            let b = b.faer().subcols(first, out.ncols());
            matmul(out.as_mut(), Accum::Add, a.faer(), b, T::ONE, Par::Seq);
        }
    });
}

fn par_columns<'a, T: Real>(out: MatMut<'a, T>, block: usize, work: impl Fn(usize, MatMut<'_, T>) + Sync) {
    let mut blocks = Vec::new();
    let (mut first, mut rest) = (0, out);
    while rest.ncols() > block {
        let (head, tail) = rest.split_at_col_mut(block);
        blocks.push((first, head));
        first += block;
        rest = tail;
    }
    blocks.push((first, rest));
    each(blocks, |(first, out)| work(first, out));
}
