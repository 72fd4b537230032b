//! Rows with columns put before them or taken away: host twin of [`crate::kernels::shift_columns`].

use super::Real;
use crate::Result;
use crate::shape::{expect_len, stride};

/// `to[b, j] = from[b, j − lead]`, with `lead` columns of 0 before; a negative `lead` leaves so many columns of `from` out.
/// What `from` does not have is 0, pads included. `columns` are those of `from` and of `to`.
///
/// # Errors
/// [`crate::Error::Shape`] when the arrays have not the same number of rows.
pub fn shift_columns<T: Real>(columns: [usize; 2], lead: isize, from: &[T], to: &mut [T]) -> Result<()> {
    let [width, to_width] = columns.map(stride);
    expect_len("shift of columns", "to [B,columns]", to.len(), from.len() / width * to_width)?;
    for (from, to) in from.chunks_exact(width).zip(to.chunks_exact_mut(to_width)) {
        for (j, to) in to.iter_mut().enumerate() {
            let source = j.checked_add_signed(-lead).filter(|&source| source < columns[0] && j < columns[1]);
            *to = source.map_or(T::ZERO, |source| from[source]);
        }
    }
    Ok(())
}
