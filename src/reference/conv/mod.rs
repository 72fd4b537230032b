//! The 3×3 convolution with a margin of one zero and steps of one pixel:
//! `h[o, y, x] = b_o + Σ_{c,i,j} W[o, c, i, j] x[c, y + i − 1, x + j − 1]`.
//!
//! Its gradients are two more products: `∂x` is the convolution of `∂h` with the kernels turned by half a turn and with their channels
//! exchanged, and `∂W[o, c, i, j] = Σ_{b,y,x} ∂h[o, y, x] x[c, y + i − 1, x + j − 1]`. The product is in `shifted.rs`.

mod grid;
mod shifted;

use rayon::prelude::*;

use self::grid::Grid;
use self::shifted::{LANES, ROWS, product, whole};
use super::Real;
use super::matrix::View;
use super::sums::sum;
use super::threads::each_of;
use crate::Result;
use crate::shape::{ConvDims, KERNEL, TAPS, expect_len};

/// Pictures that one thread takes at a time.
const IMAGES: usize = 4;

/// Parts of a minibatch whose gradients are summed apart, whatever the number of threads: the cut decides the bits.
const PARTS: usize = 16;

/// `h [R,B,O·H·W]` from `x [R,B,C·H·W]` and the parameters of every run (layout: [`ConvDims`]); pads come out 0.
///
/// # Errors
/// [`crate::Error::Shape`] when an array's length does not fit `dims`.
pub fn forward<T: Real>(dims: ConvDims, x: &[T], params: &[T], h: &mut [T]) -> Result<()> {
    const OP: &str = "convolution, forward";
    let (images, made) = (dims.images, dims.made());
    expect_len(OP, "x [R,B,C·H·W]", x.len(), images.len())?;
    expect_len(OP, "parameters [R,P]", params.len(), images.runs * dims.params_len())?;
    expect_len(OP, "h [R,B,O·H·W]", h.len(), made.len())?;
    let runs = x.chunks_exact(images.batch * images.stride()).zip(params.chunks_exact(dims.params_len()));
    for ((x, params), h) in runs.zip(h.chunks_exact_mut(images.batch * made.stride())) {
        let kernels = Kernels::new(dims, View::new(params, dims.outputs, dims.inner(), dims.weight_stride()));
        let bias = &params[dims.bias()];
        let blocks = x.par_chunks(IMAGES * images.stride()).zip(h.par_chunks_mut(IMAGES * made.stride()));
        each_of(operations(dims), blocks, |(x, h)| {
            let mut scratch = kernels.scratch();
            for (x, h) in x.chunks_exact(images.stride()).zip(h.chunks_exact_mut(made.stride())) {
                kernels.grid.fill_planes(x, &mut scratch.planes);
                kernels.convolve(&mut scratch, |o| bias[o], h);
            }
        });
    }
    Ok(())
}

/// Gradients with respect to the parameters (`grads`, overwritten) and, when wanted, to the input (`dx [R,B,C·H·W]`, overwritten).
///
/// # Errors
/// [`crate::Error::Shape`] when an array's length does not fit `dims`.
pub fn backward<T: Real>(
    dims: ConvDims,
    x: &[T],
    params: &[T],
    dh: &[T],
    grads: &mut [T],
    mut dx: Option<&mut [T]>,
) -> Result<()> {
    const OP: &str = "convolution, backward";
    let (images, made) = (dims.images, dims.made());
    expect_len(OP, "x [R,B,C·H·W]", x.len(), images.len())?;
    expect_len(OP, "parameters [R,P]", params.len(), images.runs * dims.params_len())?;
    expect_len(OP, "dh [R,B,O·H·W]", dh.len(), made.len())?;
    expect_len(OP, "gradients [R,P]", grads.len(), images.runs * dims.params_len())?;
    if let Some(dx) = &dx {
        expect_len(OP, "dx [R,B,C·H·W]", dx.len(), images.len())?;
    }
    let (x_len, h_len) = (images.batch * images.stride(), images.batch * made.stride());
    for (run, grads) in grads.chunks_exact_mut(dims.params_len()).enumerate() {
        let turned = turned(dims, &params[run * dims.params_len()..][..dims.params_len()]);
        let back = ConvDims { images: made, outputs: images.channels };
        let kernels = Kernels::new(back, View::new(&turned, images.channels, back.inner(), back.inner()));
        let (x, dh) = (&x[run * x_len..][..x_len], &dh[run * h_len..][..h_len]);
        let part = images.batch.div_ceil(PARTS);
        let mut sums: Vec<Gradient<T>> = (0..images.batch.div_ceil(part)).map(|_| Gradient::new(dims)).collect();
        let pictures = x.par_chunks(part * images.stride()).zip(dh.par_chunks(part * made.stride()));
        match dx.as_deref_mut().map(|dx| &mut dx[run * x_len..][..x_len]) {
            None => each_of(operations(dims), pictures.zip(&mut sums), |((x, dh), sum)| {
                sum.add(&kernels, x, dh, &mut []);
            }),
            Some(dx) => {
                let all = pictures.zip(&mut sums).zip(dx.par_chunks_mut(part * images.stride()));
                each_of(operations(dims), all, |(((x, dh), sum), dx)| sum.add(&kernels, x, dh, dx));
            }
        }
        total(dims, &sums, grads);
    }
    Ok(())
}

/// The work of a product, in operations on single values: a vector's products count as one.
fn operations(dims: ConvDims) -> usize {
    dims.images.batch * dims.images.pixels() * dims.outputs * dims.inner() / LANES
}

/// The kernels of the way back, `[C, 9 O]`: turned by half a turn, channels exchanged.
fn turned<T: Real>(dims: ConvDims, params: &[T]) -> Vec<T> {
    let (inner, outputs) = (dims.inner(), dims.outputs);
    let mut turned = vec![T::ZERO; inner * outputs];
    for (o, row) in params.chunks_exact(dims.weight_stride()).take(outputs).enumerate() {
        for (k, &weight) in row[..inner].iter().enumerate() {
            turned[(k / TAPS * outputs + o) * TAPS + TAPS - 1 - k % TAPS] = weight;
        }
    }
    turned
}

/// A convolution without its bias.
struct Kernels<'a, T> {
    dims: ConvDims,
    grid: Grid,
    weights: View<'a, T>,
    shifts: Vec<usize>,
}

/// What a thread needs for it.
struct Scratch<T> {
    planes: Vec<T>,
    sums: Vec<T>,
}

impl<'a, T: Real> Kernels<'a, T> {
    fn new(dims: ConvDims, weights: View<'a, T>) -> Self {
        let grid = Grid::of(dims.images);
        Self { dims, grid, weights, shifts: grid.plane_shifts(dims.images.channels) }
    }

    fn scratch(&self) -> Scratch<T> {
        let sums = vec![T::ZERO; ROWS * self.grid.sums()];
        Scratch { planes: self.grid.planes(self.dims.images.channels), sums }
    }

    /// The picture in the scratch's planes, with kernels of a few outputs at a time.
    fn convolve(&self, scratch: &mut Scratch<T>, bias: impl Fn(usize) -> T, out: &mut [T]) {
        let (pixels, sums) = (self.dims.images.pixels(), self.grid.sums());
        for first in (0..self.dims.outputs).step_by(ROWS) {
            let rows = ROWS.min(self.dims.outputs - first);
            let weights = self.weights.row_range(first..first + rows);
            let columns = (&scratch.planes[..], &self.shifts[..]);
            product::<T, false>((&mut scratch.sums, sums), weights, columns, self.grid.places());
            for (row, sums) in scratch.sums.chunks_exact(sums).take(rows).enumerate() {
                self.grid.take(sums, bias(first + row), &mut out[(first + row) * pixels..][..pixels]);
            }
        }
        out[self.dims.outputs * pixels..].fill(T::ZERO);
    }
}

/// The gradient of one part of a minibatch: `[O, 3, whole(3 C)]`, a kernel's row at a time with its columns' channels side by side, then
/// the biases.
struct Gradient<T> {
    dims: ConvDims,
    weight: Vec<T>,
    bias: Vec<T>,
}

impl<T: Real> Gradient<T> {
    fn new(dims: ConvDims) -> Self {
        let weight = vec![T::ZERO; dims.outputs * KERNEL * Self::stride(dims)];
        Self { dims, weight, bias: vec![T::ZERO; dims.outputs] }
    }

    fn stride(dims: ConvDims) -> usize {
        whole(KERNEL * dims.images.channels)
    }

    /// Adds some pictures, and writes the gradient of their inputs where `dx` has room for it. `back` is the convolution of that
    /// gradient.
    fn add(&mut self, back: &Kernels<'_, T>, x: &[T], dh: &[T], dx: &mut [T]) {
        let (dims, grid) = (self.dims, back.grid);
        let (channels, stride) = (dims.images.channels, Self::stride(dims));
        let shifts: [Vec<usize>; KERNEL] = std::array::from_fn(|row| grid.pixel_shifts(channels, row));
        let (mut pixels, mut scratch) = (grid.pixels(channels), back.scratch());
        let mut dx = dx.chunks_exact_mut(dims.images.stride());
        for (x, dh) in x.chunks_exact(dims.images.stride()).zip(dh.chunks_exact(dims.made().stride())) {
            grid.fill_pixels(channels, x, &mut pixels);
            grid.fill_planes(dh, &mut scratch.planes);
            for first in (0..dims.outputs).step_by(ROWS) {
                let rows = ROWS.min(dims.outputs - first);
                let dh = &scratch.planes[first * grid.plane() + grid.origin()..];
                let dh = View::new(dh, rows, grid.places(), grid.plane());
                for (row, shifts) in shifts.iter().enumerate() {
                    let out = &mut self.weight[(first * KERNEL + row) * stride..];
                    product::<T, true>((out, KERNEL * stride), dh, (&pixels, shifts), KERNEL * channels);
                }
            }
            for (bias, dh) in self.bias.iter_mut().zip(dh.chunks_exact(dims.images.pixels())) {
                *bias += T::of(sum(dh, |dh| dh));
            }
            if let Some(dx) = dx.next() {
                back.convolve(&mut scratch, |_| T::ZERO, dx);
            }
        }
    }
}

/// Adds the parts in order, in the layout of the parameters.
fn total<T: Real>(dims: ConvDims, parts: &[Gradient<T>], grads: &mut [T]) {
    let (weight, bias) = grads.split_at_mut(dims.weight().end);
    let (channels, stride) = (dims.images.channels, Gradient::<T>::stride(dims));
    each_of(
        dims.params_len() * parts.len(),
        weight.par_chunks_exact_mut(dims.weight_stride()).enumerate(),
        |(o, out)| {
            out.fill(T::ZERO);
            for part in parts {
                for (k, out) in out[..dims.inner()].iter_mut().enumerate() {
                    let (c, tap) = (k / TAPS, k % TAPS);
                    *out += part.weight[(o * KERNEL + tap / KERNEL) * stride + tap % KERNEL * channels + c];
                }
            }
        },
    );
    bias.fill(T::ZERO);
    for part in parts {
        bias.iter_mut().zip(&part.bias).for_each(|(out, &sum)| *out += sum);
    }
}
