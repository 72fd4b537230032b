//! Minibatches from a data set that stays on the device.

use super::Kernel;
use crate::Result;
use crate::device::{Buffer, Device, Element, Stream};
use crate::reference::gather as host;
use crate::shape::{expect_len, stride};

/// Rows of a data set `[n, dp]` on a device; pads are part of the rows.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    /// Bytes, as images are published.
    Bytes(&'a Buffer<u8>),
    /// Floats.
    Floats(&'a Buffer<f32>),
}

/// A normalisation as `x ← scale · x + shift`; for bytes `x` is 0 to 255, so the scale holds the division by 255.
#[derive(Clone, Copy)]
pub enum Normalization<'a> {
    /// The same for every entry: scale and shift.
    Global(f32, f32),
    /// Its own for every row of the data set: `[n, 2]`, scale and shift.
    PerRow(&'a Buffer<f32>),
    /// Its own for every column: `[2, dp]`, scales then shifts.
    PerColumn(&'a Buffer<f32>),
}

/// Gathers rows, labels and targets by index.
#[cfg_attr(not(feature = "gpu"), allow(dead_code))]
pub struct Gather {
    /// By normalisation, then bytes or floats.
    rows: [[Kernel; 2]; 3],
    copies: Kernel,
    /// Stands in for the table where there is none.
    no_table: Buffer<f32>,
}

/// Arguments of [`Gather::rows`].
pub struct GatherRowsArgs<'a> {
    /// Inputs `d` of a row.
    pub inputs: usize,
    /// The data set.
    pub source: Source<'a>,
    /// How rows are normalised.
    pub normalization: Normalization<'a>,
    /// Rows to take, `[M]` with `M` = slots · R · B.
    pub indices: &'a Buffer<u32>,
    /// Inputs `[M, dp]`, overwritten.
    pub x: &'a mut Buffer<f32>,
}

impl Gather {
    /// The operations on `device`.
    ///
    /// # Errors
    /// [`crate::Error::Gpu`] where the driver refuses a shader.
    pub fn new(device: &Device) -> Result<Self> {
        let kernel = |affine, bytes| Kernel::new(device, "gather_rows", &[("AFFINE", affine), ("BYTES", bytes)]);
        let pair = |affine| -> Result<[Kernel; 2]> { Ok([kernel(affine, 1)?, kernel(affine, 0)?]) };
        Ok(Self {
            rows: [pair(0)?, pair(1)?, pair(2)?],
            copies: Kernel::new(device, "gather_copies", &[])?,
            no_table: Buffer::zeros(device, 4)?,
        })
    }

    /// Records the gathering of rows into the inputs of any number of minibatches. Indices beyond the data are refused
    /// on the CPU and clamped on a GPU.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] where an array does not fit; otherwise what the driver reports.
    pub fn rows(&self, stream: &mut Stream, args: GatherRowsArgs<'_>) -> Result<()> {
        const OP: &str = "gather";
        let dp = stride(args.inputs);
        let len = match args.source {
            Source::Bytes(data) => data.len(),
            Source::Floats(data) => data.len(),
        };
        let n = len / dp.max(1);
        expect_len(OP, "data [n,dp]", len, n * dp)?;
        expect_len(OP, "x [M,dp]", args.x.len(), args.indices.len() * dp)?;
        match args.normalization {
            Normalization::Global(..) => {}
            Normalization::PerRow(table) => expect_len(OP, "table [n,2]", table.len(), 2 * n)?,
            Normalization::PerColumn(table) => expect_len(OP, "table [2,dp]", table.len(), 2 * dp)?,
        }
        match stream {
            Stream::Cpu => {
                let source = match args.source {
                    Source::Bytes(data) => host::Rows::Bytes(data.host()?),
                    Source::Floats(data) => host::Rows::Floats(data.host()?),
                };
                let affine = match args.normalization {
                    Normalization::Global(scale, shift) => host::Affine::Global { scale, shift },
                    Normalization::PerRow(table) => host::Affine::PerRow(table.host()?),
                    Normalization::PerColumn(table) => host::Affine::PerColumn(table.host()?),
                };
                host::rows(args.inputs, source, affine, args.indices.host()?, args.x.host_mut()?)
            }
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => {
                let (which, data) = match args.source {
                    Source::Bytes(data) => (0, data.raw()?),
                    Source::Floats(data) => (1, data.raw()?),
                };
                let (affine, table, [scale, shift]) = match args.normalization {
                    Normalization::Global(scale, shift) => (0, &self.no_table, [scale, shift]),
                    Normalization::PerRow(table) => (1, table, [0.0; 2]),
                    Normalization::PerColumn(table) => (2, table, [0.0; 2]),
                };
                let sizes = [args.indices.len(), dp / 4, args.inputs, n].map(|size| size as u32);
                let params = [sizes[0], sizes[1], sizes[2], sizes[3], scale.to_bits(), shift.to_bits(), 0, 0];
                let bindings = [data, args.indices.raw()?, table.raw()?, args.x.raw()?];
                let threads = args.indices.len() * dp / 4;
                self.rows[affine][which].run(recorder, bytemuck::cast_slice(&params), &bindings, threads)
            }
        }
    }

    /// Records the copying of the rows of `source [n, W]` that `indices [M]` name into `out [M, W]`: labels (`W` = 1) or
    /// targets (`W` = `Lp`).
    ///
    /// # Errors
    /// [`crate::Error::Shape`] where an array does not fit; otherwise what the driver reports.
    pub fn copies<T: Word>(
        &self,
        stream: &mut Stream,
        width: usize,
        source: &Buffer<T>,
        indices: &Buffer<u32>,
        out: &mut Buffer<T>,
    ) -> Result<()> {
        const OP: &str = "gather of targets";
        let n = source.len() / width.max(1);
        expect_len(OP, "source [n,W]", source.len(), n * width)?;
        expect_len(OP, "copies [M,W]", out.len(), indices.len() * width)?;
        match stream {
            Stream::Cpu => host::copies(width, source.host()?, indices.host()?, out.host_mut()?),
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => {
                let params = [indices.len(), width, n, 0].map(|size| size as u32);
                let bindings = [source.raw()?, indices.raw()?, out.raw()?];
                self.copies.run(recorder, bytemuck::cast_slice(&params), &bindings, out.len())
            }
        }
    }
}

/// Elements of four bytes, which copies move as words.
pub trait Word: Element {}
impl Word for f32 {}
impl Word for u32 {}
