//! The largest of every 2×2 pixels, in steps of two. Among equal ones the first counts, in the order of rows; a last odd row or column
//! is dropped.

use rayon::prelude::*;

use super::Real;
use super::threads::each_of;
use crate::Result;
use crate::shape::{ImageDims, expect_len};

/// `h [R,B,C·⌊H/2⌋·⌊W/2⌋]` from `x [R,B,C·H·W]`; pads come out 0.
///
/// # Errors
/// [`crate::Error::Shape`] when an array's length does not fit `dims`.
pub fn forward<T: Real>(dims: ImageDims, x: &[T], h: &mut [T]) -> Result<()> {
    const OP: &str = "max-pool, forward";
    let small = dims.pooled();
    expect_len(OP, "x [R,B,C·H·W]", x.len(), dims.len())?;
    expect_len(OP, "h", h.len(), small.len())?;
    each_of(dims.len(), h.par_chunks_exact_mut(small.stride()).zip(x.par_chunks_exact(dims.stride())), |(h, x)| {
        for (line, out) in h[..small.values()].chunks_exact_mut(small.width).enumerate() {
            let (c, y) = (line / small.height, line % small.height);
            for (column, out) in out.iter_mut().enumerate() {
                *out = x[largest(dims, x, [c, y, column])];
            }
        }
        h[small.values()..].fill(T::ZERO);
    });
    Ok(())
}

/// `dx [R,B,C·H·W]`: each `dh` goes to the pixel that was taken, all others get 0.
///
/// # Errors
/// [`crate::Error::Shape`] when an array's length does not fit `dims`.
pub fn backward<T: Real>(dims: ImageDims, x: &[T], dh: &[T], dx: &mut [T]) -> Result<()> {
    const OP: &str = "max-pool, backward";
    let small = dims.pooled();
    expect_len(OP, "x [R,B,C·H·W]", x.len(), dims.len())?;
    expect_len(OP, "dh", dh.len(), small.len())?;
    expect_len(OP, "dx [R,B,C·H·W]", dx.len(), dims.len())?;
    let rows = dx.par_chunks_exact_mut(dims.stride()).zip(x.par_chunks_exact(dims.stride()));
    each_of(dims.len(), rows.zip(dh.par_chunks_exact(small.stride())), |((dx, x), dh)| {
        dx.fill(T::ZERO);
        for (line, dh) in dh[..small.values()].chunks_exact(small.width).enumerate() {
            let (c, y) = (line / small.height, line % small.height);
            for (column, &dh) in dh.iter().enumerate() {
                dx[largest(dims, x, [c, y, column])] = dh;
            }
        }
    });
    Ok(())
}

/// Where the largest of the four pixels of a place lies in its picture.
fn largest<T: Real>(dims: ImageDims, x: &[T], [c, y, column]: [usize; 3]) -> usize {
    let first = (c * dims.height + 2 * y) * dims.width + 2 * column;
    let rest = [first + 1, first + dims.width, first + dims.width + 1];
    rest.into_iter().fold(first, |best, other| if x[other] > x[best] { other } else { best })
}
