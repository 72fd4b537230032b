//! A split of a data set on the device, ready to be gathered from.

use crate::data::{Features, Normalization, Split, TargetScale, Targets};
use crate::device::{Buffer, Device, Stream};
use crate::kernels::gather::{Gather, GatherRowsArgs, Normalization as Affine, Source};
use crate::shape::stride;
use crate::{Error, Result};

/// Features, normalisation and targets of one split, uploaded once.
pub struct Resident {
    n: usize,
    inputs: usize,
    rows: Rows,
    affine: Table,
    targets: Resolved,
    gather: Gather,
}

enum Rows {
    Bytes(Buffer<u8>),
    Floats(Buffer<f32>),
}

enum Table {
    Global(f32, f32),
    PerRow(Buffer<f32>),
    PerColumn(Buffer<f32>),
}

enum Resolved {
    Labels(Buffer<u32>),
    Values { values: Buffer<f32>, width: usize },
}

/// Minibatches gathered from a [`Resident`]: inputs `[slots, R, B, dp]`, and labels `[slots, R, B]` or targets
/// `[slots, R, B, Lp]` (the other array is empty).
pub struct Minibatches {
    /// Inputs.
    pub x: Buffer<f32>,
    /// Classes.
    pub labels: Buffer<u32>,
    /// Regression targets, normalised.
    pub values: Buffer<f32>,
}

impl Resident {
    /// Uploads a split. Regression targets are brought to the scale `targets`.
    ///
    /// # Errors
    /// What the device reports, [`Error::Limit`] when it cannot hold the split.
    pub fn new(
        device: &Device,
        split: &Split,
        inputs: usize,
        normalize: &Normalization,
        targets: Option<&TargetScale>,
    ) -> Result<Self> {
        let rows = match &split.features {
            Features::U8(bytes) => Rows::Bytes(Buffer::from_vec(device, padded(bytes, inputs))?),
            Features::F32(values) => Rows::Floats(Buffer::from_vec(device, padded(values, inputs))?),
        };
        let affine = table(device, &split.features, inputs, normalize)?;
        let targets = match &split.targets {
            Targets::Classes { labels, .. } => Resolved::Labels(Buffer::from_slice(device, labels)?),
            Targets::Values { values, outputs } => {
                let mut values = values.clone();
                if let Some(scale) = targets {
                    scale.apply(&mut values);
                }
                let values = Buffer::from_vec(device, padded(&values, *outputs))?;
                Resolved::Values { values, width: stride(*outputs) }
            }
        };
        Ok(Self { n: split.n, inputs, rows, affine, targets, gather: Gather::new(device)? })
    }

    /// Rows of the split.
    pub fn len(&self) -> usize {
        self.n
    }

    /// Whether the split has no rows.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// Whether targets are classes.
    pub fn has_classes(&self) -> bool {
        matches!(self.targets, Resolved::Labels(_))
    }

    /// Room for `rows` gathered rows in all.
    ///
    /// # Errors
    /// What the device reports.
    pub fn room(&self, device: &Device, rows: usize) -> Result<Minibatches> {
        let (labels, width) = match &self.targets {
            Resolved::Labels(_) => (rows, 0),
            Resolved::Values { width, .. } => (0, *width),
        };
        Ok(Minibatches {
            x: Buffer::zeros(device, rows * stride(self.inputs))?,
            labels: Buffer::zeros(device, labels)?,
            values: Buffer::zeros(device, rows * width)?,
        })
    }

    /// Records the gathering of the rows `indices` into `out`, which must have room for exactly as many.
    ///
    /// # Errors
    /// [`Error::Shape`] when it has not; what the device reports.
    pub fn gather(&self, stream: &mut Stream, indices: &Buffer<u32>, out: &mut Minibatches) -> Result<()> {
        let args = GatherRowsArgs {
            inputs: self.inputs,
            source: match &self.rows {
                Rows::Bytes(bytes) => Source::Bytes(bytes),
                Rows::Floats(values) => Source::Floats(values),
            },
            normalization: match &self.affine {
                Table::Global(scale, shift) => Affine::Global(*scale, *shift),
                Table::PerRow(table) => Affine::PerRow(table),
                Table::PerColumn(table) => Affine::PerColumn(table),
            },
            indices,
            x: &mut out.x,
        };
        self.gather.rows(stream, args)?;
        match &self.targets {
            Resolved::Labels(labels) => self.gather.copies(stream, 1, labels, indices, &mut out.labels),
            Resolved::Values { values, width } => {
                self.gather.copies(stream, *width, values, indices, &mut out.values)
            }
        }
    }
}

/// Rows of `width` elements with their stride rounded up to a multiple of four.
fn padded<T: Copy + Default>(values: &[T], width: usize) -> Vec<T> {
    let mut out = vec![T::default(); values.len() / width.max(1) * stride(width)];
    for (out, row) in out.chunks_exact_mut(stride(width)).zip(values.chunks_exact(width)) {
        out[..width].copy_from_slice(row);
    }
    out
}

/// A normalisation as scale and shift of the stored values; bytes carry the division by 255 in the scale.
fn table(device: &Device, features: &Features, inputs: usize, normalize: &Normalization) -> Result<Table> {
    let unit = if matches!(features, Features::U8(_)) { 1.0 / 255.0 } else { 1.0 };
    let affine = |mean: f64, std: f64| if std > 0.0 { (unit / std, -mean / std) } else { (0.0, 0.0) };
    Ok(match normalize {
        Normalization::None => Table::Global(unit as f32, 0.0),
        Normalization::Global { mean, std } => {
            let (scale, shift) = affine(*mean, *std);
            Table::Global(scale as f32, shift as f32)
        }
        Normalization::PerImage => {
            let moments = |row: &mut dyn Iterator<Item = f64>| -> [f32; 2] {
                let values: Vec<f64> = row.collect();
                let mean = values.iter().sum::<f64>() / inputs as f64;
                let variance = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / inputs as f64;
                let (scale, shift) = affine(mean, variance.sqrt());
                [scale as f32, shift as f32]
            };
            let rows: Vec<f32> = match features {
                Features::U8(bytes) => bytes
                    .chunks_exact(inputs)
                    .flat_map(|row| moments(&mut row.iter().map(|&byte| f64::from(byte) / 255.0)))
                    .collect(),
                Features::F32(values) => {
                    values.chunks_exact(inputs).flat_map(|row| moments(&mut row.iter().map(|&x| f64::from(x)))).collect()
                }
            };
            Table::PerRow(Buffer::from_vec(device, rows)?)
        }
        Normalization::PerFeature { mean, std } => {
            if mean.len() != inputs || std.len() != inputs {
                let got = format!("{} and {}", mean.len(), std.len());
                let expected = format!("{inputs} means and standard deviations");
                return Err(Error::Shape { op: "normalisation", expected, got });
            }
            let dp = stride(inputs);
            let mut columns = vec![0.0_f32; 2 * dp];
            for (j, (&mean, &std)) in mean.iter().zip(std).enumerate() {
                let (scale, shift) = affine(mean, std);
                (columns[j], columns[dp + j]) = (scale as f32, shift as f32);
            }
            Table::PerColumn(Buffer::from_vec(device, columns)?)
        }
    })
}
