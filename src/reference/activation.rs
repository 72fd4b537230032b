//! Activations between layers: ReLU, tanh, and the unit norm that the paper puts between stacked GM layers.

use super::{Real, vectorized};
use crate::Result;
use crate::shape::{expect_len, stride};

/// `z = max(h, 0)`.
///
/// # Errors
/// [`crate::Error::Shape`] when the lengths differ.
pub fn relu<T: Real>(h: &[T], z: &mut [T]) -> Result<()> {
    expect_len("ReLU, forward", "z", z.len(), h.len())?;
    vectorized(
        #[inline(always)]
        || z.iter_mut().zip(h).for_each(|(z, &h)| *z = if h > T::ZERO { h } else { T::ZERO }),
    );
    Ok(())
}

/// `dh = dz` where `h > 0`, else 0 (also at `h = 0`).
///
/// # Errors
/// [`crate::Error::Shape`] when the lengths differ.
pub fn relu_backward<T: Real>(h: &[T], dz: &[T], dh: &mut [T]) -> Result<()> {
    const OP: &str = "ReLU, backward";
    expect_len(OP, "dz", dz.len(), h.len())?;
    expect_len(OP, "dh", dh.len(), h.len())?;
    vectorized(
        #[inline(always)]
        || {
            for ((dh, &dz), &h) in dh.iter_mut().zip(dz).zip(h) {
                *dh = if h > T::ZERO { dz } else { T::ZERO };
            }
        },
    );
    Ok(())
}

/// `z = tanh h`.
///
/// # Errors
/// [`crate::Error::Shape`] when the lengths differ.
pub fn tanh<T: Real>(h: &[T], z: &mut [T]) -> Result<()> {
    expect_len("tanh, forward", "z", z.len(), h.len())?;
    z.iter_mut().zip(h).for_each(|(z, &h)| *z = Real::tanh(h));
    Ok(())
}

/// `dh = dz (1 − tanh² h)`.
///
/// # Errors
/// [`crate::Error::Shape`] when the lengths differ.
pub fn tanh_backward<T: Real>(h: &[T], dz: &[T], dh: &mut [T]) -> Result<()> {
    const OP: &str = "tanh, backward";
    expect_len(OP, "dz", dz.len(), h.len())?;
    expect_len(OP, "dh", dh.len(), h.len())?;
    for ((dh, &dz), &h) in dh.iter_mut().zip(dz).zip(h) {
        let z = Real::tanh(h);
        *dh = dz * (T::ONE - z * z);
    }
    Ok(())
}

/// `z = h / ‖h‖` for every row of `columns` entries (rows lie [`stride`]`(columns)` apart); a zero row stays zero.
/// A row of subnormal numbers counts as zero, as it does on GPUs, which flush them: `1/‖h‖` would be infinite.
///
/// # Errors
/// [`crate::Error::Shape`] when the lengths differ.
pub fn unit_norm<T: Real>(columns: usize, h: &[T], z: &mut [T]) -> Result<()> {
    expect_len("unit norm, forward", "z", z.len(), h.len())?;
    for (h, z) in h.chunks_exact(stride(columns)).zip(z.chunks_exact_mut(stride(columns))) {
        let scale = inverse_norm(h);
        h.iter().zip(z).for_each(|(&h, z)| *z = h * scale);
    }
    Ok(())
}

/// `dh = (dz − z ⟨z, dz⟩) / ‖h‖` with `z = h / ‖h‖`; 0 for a row that counts as zero.
///
/// # Errors
/// [`crate::Error::Shape`] when the lengths differ.
pub fn unit_norm_backward<T: Real>(columns: usize, h: &[T], dz: &[T], dh: &mut [T]) -> Result<()> {
    const OP: &str = "unit norm, backward";
    expect_len(OP, "dz", dz.len(), h.len())?;
    expect_len(OP, "dh", dh.len(), h.len())?;
    let width = stride(columns);
    for ((h, dz), dh) in h.chunks_exact(width).zip(dz.chunks_exact(width)).zip(dh.chunks_exact_mut(width)) {
        let scale = inverse_norm(h);
        let along: T = h.iter().zip(dz).map(|(&h, &dz)| h * scale * dz).sum();
        for ((&h, &dz), dh) in h.iter().zip(dz).zip(dh) {
            *dh = (dz - h * scale * along) * scale;
        }
    }
    Ok(())
}

/// `1/‖row‖`, or 0 for a row that counts as zero. The row is scaled by its largest entry first, so that no square
/// overflows or vanishes.
fn inverse_norm<T: Real>(row: &[T]) -> T {
    let largest = row.iter().fold(T::ZERO, |largest, &h| largest.larger(if h < T::ZERO { -h } else { h }));
    if largest < T::SMALLEST_NORMAL {
        return T::ZERO;
    }
    let squares: T = row.iter().map(|&h| (h / largest) * (h / largest)).sum();
    T::ONE / squares.root() / largest
}
