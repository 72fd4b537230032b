//! Pictures with a margin of zeros, so that a neighbour of every pixel lies at the same distance.

use super::shifted::{LANES, whole};
use crate::reference::Real;
use crate::shape::{ImageDims, KERNEL, TAPS};

/// A picture's pixels with a row of zeros above and below and a zero before each row, which is also the one behind the row
/// before. Sums over all places of the grid are right at pixels, and worth nothing at the zeros.
#[derive(Clone, Copy)]
pub(super) struct Grid {
    height: usize,
    width: usize,
}

impl Grid {
    pub(super) fn of(images: ImageDims) -> Self {
        Self { height: images.height, width: images.width }
    }

    /// From a row to the next.
    fn line(self) -> usize {
        self.width + 1
    }

    /// Values of a channel.
    pub(super) fn plane(self) -> usize {
        (self.height + 2) * self.line()
    }

    /// The first pixel.
    pub(super) fn origin(self) -> usize {
        self.line() + 1
    }

    /// Places from the first pixel to the last, rows whole.
    pub(super) fn places(self) -> usize {
        self.height * self.line()
    }

    /// How far the kernel's tap `(row, column)` lies from the first one.
    fn tap(self, tap: usize) -> usize {
        tap / KERNEL * self.line() + tap % KERNEL
    }

    /// Room for `channels` planes and what whole vectors read beyond them.
    pub(super) fn planes<T: Real>(self, channels: usize) -> Vec<T> {
        vec![T::ZERO; channels * self.plane() + 2 * LANES]
    }

    /// Where the columns of a convolution of `channels` channels begin in the planes.
    pub(super) fn plane_shifts(self, channels: usize) -> Vec<usize> {
        (0..channels * TAPS).map(|k| k / TAPS * self.plane() + self.tap(k % TAPS)).collect()
    }

    /// Room for the channels of every place side by side.
    pub(super) fn pixels<T: Real>(self, channels: usize) -> Vec<T> {
        vec![T::ZERO; (self.plane() + KERNEL) * channels + 2 * LANES]
    }

    /// Where a kernel's row finds the `3 · channels` values of its three columns, for every place.
    pub(super) fn pixel_shifts(self, channels: usize, row: usize) -> Vec<usize> {
        (0..self.places()).map(|place| (place + row * self.line()) * channels).collect()
    }

    /// Writes a picture into planes whose margins are zero.
    pub(super) fn fill_planes<T: Real>(self, picture: &[T], planes: &mut [T]) {
        let pixels = self.height * self.width;
        for (plane, picture) in planes.chunks_exact_mut(self.plane()).zip(picture.chunks_exact(pixels)) {
            for (line, row) in plane[self.origin()..].chunks_mut(self.line()).zip(picture.chunks_exact(self.width)) {
                line[..self.width].copy_from_slice(row);
            }
        }
    }

    /// Writes a picture of `channels` channels into pixels whose margins are zero. Sixteen channels at a time: a cache line of
    /// results for sixteen streams of reads.
    pub(super) fn fill_pixels<T: Real>(self, channels: usize, picture: &[T], out: &mut [T]) {
        let pixels = self.height * self.width;
        for first in (0..channels).step_by(LANES) {
            let some = LANES.min(channels - first);
            for y in 0..self.height {
                let from = first * pixels + y * self.width;
                let to = (self.origin() + y * self.line()) * channels + first;
                for x in 0..self.width {
                    let out = &mut out[to + x * channels..][..some];
                    out.iter_mut().enumerate().for_each(|(c, out)| *out = picture[from + x + c * pixels]);
                }
            }
        }
    }

    /// Takes the pixels out of sums over places, and adds `bias`.
    pub(super) fn take<T: Real>(self, sums: &[T], bias: T, out: &mut [T]) {
        for (sums, out) in sums.chunks(self.line()).zip(out.chunks_exact_mut(self.width)) {
            out.iter_mut().zip(sums).for_each(|(out, &sum)| *out = sum + bias);
        }
    }

    /// Length of a row of sums over places.
    pub(super) fn sums(self) -> usize {
        whole(self.places())
    }
}
