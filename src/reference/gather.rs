//! Minibatches gathered from a resident data set and normalised on the way.

use rayon::prelude::*;

use super::threads::each;
use super::{Real, vectorized};
use crate::shape::{expect_len, stride};
use crate::{Error, Result};

/// Rows of a data set, `[n, dp]`, pads included.
#[derive(Clone, Copy, Debug)]
pub enum Rows<'a> {
    /// Bytes, as images are published.
    Bytes(&'a [u8]),
    /// Floats.
    Floats(&'a [f32]),
}

/// A normalisation as `x ← scale · x + shift`. For bytes, `x` is 0 to 255 and the scale holds the division by 255.
#[derive(Clone, Copy, Debug)]
pub enum Affine<'a> {
    /// The same for every entry.
    Global {
        /// Factor.
        scale: f32,
        /// Summand.
        shift: f32,
    },
    /// Its own for every row of the data set: `[n, 2]`, scale and shift.
    PerRow(&'a [f32]),
    /// Its own for every column: `[2, dp]`, scales then shifts.
    PerColumn(&'a [f32]),
}

/// Rows that one thread takes at a time.
const BLOCK: usize = 16;

/// `x [M, dp]` from the rows named by `indices [M]`.
///
/// # Errors
/// [`Error::Shape`] when a length does not fit, or naming an index beyond the data.
pub fn rows<T: Real>(inputs: usize, source: Rows<'_>, affine: Affine<'_>, indices: &[u32], x: &mut [T]) -> Result<()> {
    const OP: &str = "gather";
    let dp = stride(inputs);
    expect_len(OP, "x [M,dp]", x.len(), indices.len() * dp)?;
    let n = match source {
        Rows::Bytes(data) => data.len(),
        Rows::Floats(data) => data.len(),
    } / dp;
    check_indices(OP, indices, n)?;
    let blocks = x.par_chunks_mut(BLOCK * dp).zip(indices.par_chunks(BLOCK));
    each(blocks, |(x, indices)| {
        for (&index, x) in indices.iter().zip(x.chunks_exact_mut(dp)) {
            row(inputs, source, affine, index as usize, x);
        }
    });
    Ok(())
}

/// One row of `source`, normalised, into `x`.
fn row<T: Real>(inputs: usize, source: Rows<'_>, affine: Affine<'_>, index: usize, x: &mut [T]) {
    let dp = stride(inputs);
    let row = index * dp..index * dp + inputs;
    let x = &mut x[..inputs];
    vectorized(
        #[inline(always)]
        || {
            match source {
                Rows::Bytes(data) => {
                    x.iter_mut().zip(&data[row]).for_each(|(x, &byte)| *x = T::of(f64::from(byte)));
                }
                Rows::Floats(data) => {
                    x.iter_mut().zip(&data[row]).for_each(|(x, &value)| *x = T::of(f64::from(value)));
                }
            }
            normalize(affine, index, dp, x);
        },
    );
}

#[inline(always)]
fn normalize<T: Real>(affine: Affine<'_>, index: usize, dp: usize, x: &mut [T]) {
    let uniform = |x: &mut [T], scale: f32, shift: f32| {
        let (scale, shift) = (T::of(f64::from(scale)), T::of(f64::from(shift)));
        x.iter_mut().for_each(|x| *x = *x * scale + shift);
    };
    match affine {
        Affine::Global { scale, shift } => uniform(x, scale, shift),
        Affine::PerRow(table) => uniform(x, table[2 * index], table[2 * index + 1]),
        Affine::PerColumn(table) => {
            let (scales, shifts) = table.split_at(dp);
            for ((x, &scale), &shift) in x.iter_mut().zip(scales).zip(shifts) {
                *x = *x * T::of(f64::from(scale)) + T::of(f64::from(shift));
            }
        }
    }
}

/// `out [M, W]` from the rows of `source [n, W]` named by `indices [M]`: labels (`W = 1`) or targets.
///
/// # Errors
/// [`Error::Shape`] when a length does not fit, or naming an index beyond the data.
pub fn copies<T: Copy>(width: usize, source: &[T], indices: &[u32], out: &mut [T]) -> Result<()> {
    const OP: &str = "gather of targets";
    expect_len(OP, "targets [M,W]", out.len(), indices.len() * width)?;
    check_indices(OP, indices, source.len() / width)?;
    for (&index, out) in indices.iter().zip(out.chunks_exact_mut(width)) {
        out.copy_from_slice(&source[index as usize * width..][..width]);
    }
    Ok(())
}

fn check_indices(op: &'static str, indices: &[u32], n: usize) -> Result<()> {
    match indices.iter().find(|&&index| index as usize >= n) {
        None => Ok(()),
        Some(index) => Err(Error::Shape { op, expected: format!("indices below {n}"), got: index.to_string() }),
    }
}
