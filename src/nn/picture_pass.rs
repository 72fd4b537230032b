//! Passes through the layers of convolutional networks.

use super::spec::LayerSpec;
use crate::Result;
use crate::device::{Buffer, Device, Stream};
use crate::kernels::batch_norm::{BatchNorm, BatchNormBackwardArgs, Statistics};
use crate::kernels::conv::{Conv, ConvBackwardArgs, ConvForwardArgs};
use crate::kernels::max_pool::MaxPool;
use crate::kernels::stochastic::{Draw, Dropout};
use crate::shape::stride;

/// Philox streams of dropout, one for each layer, above those of shuffling and below those of augmentation.
const DROPOUT_STREAM: u64 = 2 << 32;

/// An operation of a convolutional network.
#[allow(clippy::large_enum_variant)] // one per layer
pub(super) enum PictureOperation {
    Conv(Conv),
    BatchNorm { kernel: BatchNorm, by: Statistics },
    MaxPool(MaxPool),
    Dropout { kernel: Dropout, width: usize, stream: u64 },
}

/// Which random numbers a step takes.
pub(super) struct Draws {
    /// Seeds of the runs.
    pub(super) seeds: Vec<u64>,
    /// Number of the step.
    pub(super) step: u64,
    /// Rows of a run's minibatch.
    pub(super) batch: usize,
}

impl Draws {
    fn of(&self, stream: u64) -> Vec<Draw> {
        let first_row = self.step.wrapping_mul(self.batch as u64);
        self.seeds.iter().map(|&seed| Draw { seed, stream, first_row }).collect()
    }
}

/// What an operation finds on its way back.
pub(super) struct Back<'a> {
    pub(super) x: &'a Buffer<f32>,
    pub(super) slot: usize,
    pub(super) params: &'a Buffer<f32>,
    pub(super) dh: &'a Buffer<f32>,
    pub(super) grads: &'a mut Buffer<f32>,
    pub(super) dx: Option<&'a mut Buffer<f32>>,
}

impl PictureOperation {
    /// The operation of layer `number`; none for other layers, and for those that do nothing outside of `training`.
    pub(super) fn new(
        device: &Device,
        (number, layer): (usize, &LayerSpec),
        [runs, batch]: [usize; 2],
        training: bool,
    ) -> Result<Option<Self>> {
        Ok(Some(match *layer {
            LayerSpec::Conv(conv) => Self::Conv(Conv::new(device, conv.dims(runs, batch), training)?),
            LayerSpec::BatchNorm(norm) => {
                let kernel = BatchNorm::new(device, norm.picture().dims(runs, batch))?;
                Self::BatchNorm { kernel, by: if training { Statistics::Minibatch } else { Statistics::Running } }
            }
            LayerSpec::MaxPool(picture) => Self::MaxPool(MaxPool::new(device, picture.dims(runs, batch))?),
            LayerSpec::Dropout(dropout) if training => Self::Dropout {
                kernel: Dropout::new(device, dropout.probability)?,
                width: stride(dropout.inputs),
                stream: DROPOUT_STREAM + number as u64,
            },
            _ => return Ok(None),
        }))
    }

    pub(super) fn forward(
        &mut self,
        stream: &mut Stream,
        (x, slot): (&Buffer<f32>, usize),
        params: &Buffer<f32>,
        draws: &Draws,
        h: &mut Buffer<f32>,
    ) -> Result<()> {
        match self {
            Self::Conv(kernel) => kernel.forward(stream, ConvForwardArgs { x, slot, params, h }),
            Self::BatchNorm { kernel, by } => kernel.forward(stream, *by, x, params, h),
            Self::MaxPool(kernel) => kernel.forward(stream, x, h),
            Self::Dropout { kernel, width, stream: number } => {
                kernel.record_runs(stream, *width, &draws.of(*number), x, h)
            }
        }
    }

    pub(super) fn backward(&mut self, stream: &mut Stream, draws: &Draws, args: Back<'_>) -> Result<()> {
        let Back { x, slot, params, dh, grads, dx } = args;
        match (self, dx) {
            (Self::Conv(kernel), dx) => kernel.backward(stream, ConvBackwardArgs { x, slot, params, dh, grads, dx }),
            (Self::BatchNorm { kernel, .. }, dx) => {
                kernel.backward(stream, BatchNormBackwardArgs { x, params, dh, grads, dx })
            }
            (Self::MaxPool(kernel), Some(dx)) => kernel.backward(stream, x, dh, dx),
            // What was dropped gets nothing back, and the rest is divided as it was: the same operation on the gradient.
            (Self::Dropout { kernel, width, stream: number }, Some(dx)) => {
                kernel.record_runs(stream, *width, &draws.of(*number), dh, dx)
            }
            (Self::MaxPool(_) | Self::Dropout { .. }, None) => Ok(()),
        }
    }
}
