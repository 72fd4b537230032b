//! Random crops of pictures with a margin of zeros, and random mirror images: what widens a data set of photographs.

use rayon::prelude::*;

use super::Real;
use super::philox::Philox;
use super::threads::each_of;
use crate::Result;
use crate::shape::{ImageDims, expect_len};

/// Width of the margin of zeros.
pub const MARGIN: usize = 4;

/// What is done to one picture, a word: right shift in the lower eight bits, down shift in the next eight (both with [`MARGIN`] for none), and
/// whether it is mirrored in the bit above.
pub fn moves(seed: u64, stream: u64, pictures: usize) -> Vec<u32> {
    let mut random = Philox::new(seed, stream);
    let places = 2 * MARGIN as u32 + 1;
    (0..pictures).map(|_| random.below(places) | random.below(places) << 8 | random.below(2) << 16).collect()
}

/// `out [M,C·H·W]` from `x [M,C·H·W]`, both with `M` pictures in all and row stride `dims.stride()`: pixel `(y, x)` comes from
/// `(y + down − 4, x + right − 4)`, or `x` counted from the right for a mirror image; what lies outside is 0.
///
/// # Errors
/// [`crate::Error::Shape`] when an array's length does not fit.
pub fn augment<T: Real>(dims: ImageDims, moves: &[u32], x: &[T], out: &mut [T]) -> Result<()> {
    const OP: &str = "augmentation";
    expect_len(OP, "x [M,C·H·W]", x.len(), moves.len() * dims.stride())?;
    expect_len(OP, "results [M,C·H·W]", out.len(), x.len())?;
    let rows = out.par_chunks_exact_mut(dims.stride()).zip(x.par_chunks_exact(dims.stride()));
    each_of(x.len(), rows.zip(moves.par_iter()), |((out, picture), &word)| {
        let [right, down] = [word & 255, word >> 8 & 255].map(|shift| shift as usize);
        let mirrored = word >> 16 & 1 == 1;
        for (line, out) in out[..dims.values()].chunks_exact_mut(dims.width).enumerate() {
            let (c, y) = (line / dims.height, line % dims.height + down);
            for (at, out) in out.iter_mut().enumerate() {
                let x = right + if mirrored { dims.width - 1 - at } else { at };
                let inside = |place: usize, size: usize| (MARGIN..MARGIN + size).contains(&place);
                *out = match inside(y, dims.height) && inside(x, dims.width) {
                    true => picture[(c * dims.height + y - MARGIN) * dims.width + x - MARGIN],
                    false => T::ZERO,
                };
            }
        }
        out[dims.values()..].fill(T::ZERO);
    });
    Ok(())
}
