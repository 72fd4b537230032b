//! Samples of stochastic dense layers with factorised Gaussian weights and of dropout, from counter-based random numbers.
//!
//! Given its input `a`, such a layer's outputs are independent, `z_i ~ N((M a + b̄)_i, (V a² + B)_i)`: for one input the outputs are drawn
//! instead of the weights (local reparametrisation), and the law is the same.

use super::philox::block;
use super::threads::each;
use super::{Real, dense};
use crate::Result;
use crate::shape::{DenseDims, expect_len};
use rayon::prelude::*;

/// Which random numbers a batch of rows takes: four numbers of a row, together, take the block of the stream whose number is
/// `row · (four-tuples of a row) + (number of the four-tuple)`. Rows drawn in several parts get the numbers that they would get in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// Seed of the stream.
    pub seed: u64,
    /// Number of the stream.
    pub stream: u64,
    /// Number of the first row.
    pub first_row: u64,
}

impl Draw {
    /// Number of the first block, for rows of `quads` four-tuples.
    pub(crate) fn first_block(&self, quads: usize) -> u64 {
        self.first_row.wrapping_mul(quads as u64)
    }

    fn words(&self, number: u64) -> [u32; 4] {
        let split = |wide: u64| [wide as u32, (wide >> 32) as u32];
        let ([low, high], [first, second]) = (split(number), split(self.stream));
        block(split(self.seed), [low, high, first, second])
    }
}

/// Four standard normal numbers from four random words, by Box and Muller: of each pair one word's upper 24 bits give the radius, and the
/// other's lead bits the quadrant and the next 24 the place in it. The largest that can come is 5.9.
pub fn normals<T: Real>(words: [u32; 4]) -> [T; 4] {
    let pair = |radius: u32, angle: u32| {
        let unit = |bits: u32| (f64::from(bits) + 0.5) / f64::from(1u32 << 24);
        let radius = (-2.0 * libm::log(unit(radius >> 8))).sqrt();
        let turn = f64::from(angle >> 30) + unit(angle >> 6 & 0x00ff_ffff) - 0.5;
        let (sine, cosine) = libm::sincos(std::f64::consts::FRAC_PI_2 * turn);
        [T::of(radius * cosine), T::of(radius * sine)]
    };
    let ([a, b], [c, d]) = (pair(words[0], words[1]), pair(words[2], words[3]));
    [a, b, c, d]
}

/// `out [rows, width] = mean + √variance ∘ ξ`, `width` a multiple of 4. `mean` and `variance` are of `[given, width]`; row `r` takes
/// their row `r mod given`.
///
/// # Errors
/// [`crate::Error::Shape`] when a length does not fit.
pub fn gaussians<T: Real>(width: usize, draw: Draw, mean: &[T], variance: &[T], out: &mut [T]) -> Result<()> {
    check_draws(width, mean.len(), variance.len(), out.len())?;
    let given = mean.len() / width;
    each(out.par_chunks_exact_mut(width).enumerate(), |(row, out)| {
        let at = row % given * width;
        let law = mean[at..at + width].chunks_exact(4).zip(variance[at..at + width].chunks_exact(4));
        let first = draw.first_block(width / 4).wrapping_add((row * (width / 4)) as u64);
        for ((quad, out), (mean, variance)) in (0u64..).zip(out.chunks_exact_mut(4)).zip(law) {
            let noise = normals::<T>(draw.words(first.wrapping_add(quad)));
            for (((out, &mean), &variance), noise) in out.iter_mut().zip(mean).zip(variance).zip(noise) {
                *out = mean + variance.root() * noise;
            }
        }
    });
    Ok(())
}

/// Refuses rows that are no whole four-tuples or do not fit together.
pub(crate) fn check_draws(width: usize, mean: usize, variance: usize, out: usize) -> Result<()> {
    const OP: &str = "normal numbers";
    if width == 0 || !width.is_multiple_of(4) || mean == 0 {
        let expected = "rows of a positive multiple of 4 numbers, one at least".to_owned();
        return Err(crate::Error::Shape { op: OP, expected, got: format!("{mean} numbers in rows of {width}") });
    }
    expect_len(OP, "means of whole rows", mean, mean / width * width)?;
    expect_len(OP, "variances", variance, mean)?;
    expect_len(OP, "results of whole rows", out, out / width * width)
}

/// `M a + b̄` and `V a² + B`, both `[B, Lp]`, of the rows of `x [B, dp]`. The parameters are `M` with `b̄` and `V` with `B`
/// ([`DenseDims`], one run). Pads come out 0.
///
/// # Errors
/// [`crate::Error::Shape`] when an array's length does not fit `dims`.
pub fn law<T: Real>(
    dims: DenseDims,
    x: &[T],
    means: &[T],
    variances: &[T],
    mean: &mut [T],
    variance: &mut [T],
) -> Result<()> {
    let squares: Vec<T> = x.iter().map(|&x| x * x).collect();
    mean.fill(T::ZERO);
    variance.fill(T::ZERO);
    dense::forward(dims, x, means, mean)?;
    dense::forward(dims, &squares, variances, variance)
}

/// Inverted dropout: `out = x/(1 − p)` where a random word is at least `p 2³²`, else 0. Rows of `width`, a multiple of 4.
///
/// # Errors
/// [`crate::Error::Shape`] when a length does not fit.
pub fn dropout<T: Real>(width: usize, draw: Draw, p: f32, x: &[T], out: &mut [T]) -> Result<()> {
    check_draws(width, x.len(), x.len(), out.len())?;
    expect_len("dropout", "results", out.len(), x.len())?;
    let (threshold, scale) = (dropout_threshold(p), T::of(1.0 / (1.0 - f64::from(p))));
    each(out.par_chunks_exact_mut(width).zip(x.par_chunks_exact(width)).enumerate(), |(row, (out, x))| {
        let first = draw.first_block(width / 4).wrapping_add((row * (width / 4)) as u64);
        for ((quad, out), x) in (0u64..).zip(out.chunks_exact_mut(4)).zip(x.chunks_exact(4)) {
            let words = draw.words(first.wrapping_add(quad));
            for ((out, &x), word) in out.iter_mut().zip(x).zip(words) {
                *out = if word >= threshold { x * scale } else { T::ZERO };
            }
        }
    });
    Ok(())
}

/// Words below this are dropped.
pub(crate) fn dropout_threshold(p: f32) -> u32 {
    // Saturates for p = 1, NaN gives 0.
    (f64::from(p) * 4_294_967_296.0) as u32
}
