//! Sizes of the layers of convolutional networks. A picture is a row of `channels · height · width` values, channel by channel.

use std::ops::Range;

use super::stride;

/// Side of a convolution's kernel; the picture is padded so that it keeps its size.
pub const KERNEL: usize = 3;

/// Weights of one input channel.
pub const TAPS: usize = KERNEL * KERNEL;

/// Pictures of one minibatch of each of several independent runs, `[R, B, stride(C·H·W)]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageDims {
    /// Independent networks trained at once.
    pub runs: usize,
    /// Pictures of the minibatch of each run.
    pub batch: usize,
    /// Channels `C`.
    pub channels: usize,
    /// Rows of pixels `H`.
    pub height: usize,
    /// Pixels of a row `W`.
    pub width: usize,
}

impl ImageDims {
    /// Pixels of one channel.
    pub const fn pixels(&self) -> usize {
        self.height * self.width
    }

    /// Values of a picture.
    pub const fn values(&self) -> usize {
        self.channels * self.pixels()
    }

    /// Row stride of pictures.
    pub const fn stride(&self) -> usize {
        stride(self.values())
    }

    /// Length of the pictures of all runs.
    pub const fn len(&self) -> usize {
        self.runs * self.batch * self.stride()
    }

    /// Whether there is nothing to do.
    pub const fn is_empty(&self) -> bool {
        self.runs * self.batch * self.values() == 0
    }

    /// The same pictures with other channels.
    pub const fn with_channels(self, channels: usize) -> Self {
        Self { channels, ..self }
    }

    /// What a 2×2 pooling leaves of them; a last odd row or column is dropped.
    pub const fn pooled(self) -> Self {
        Self { height: self.height / 2, width: self.width / 2, ..self }
    }

    /// Length of one run's parameters of a batch normalisation, `gamma | beta | running mean | running variance`, each `[Cp]`.
    pub const fn norm_params_len(&self) -> usize {
        4 * stride(self.channels)
    }
}

/// Sizes of a 3×3 convolution; a run's parameters are `weight [O, stride(9C)] | bias [Op]`, a weight's row running over channels,
/// then rows and columns of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvDims {
    /// What it takes.
    pub images: ImageDims,
    /// Channels `O` that it makes.
    pub outputs: usize,
}

impl ConvDims {
    /// Inputs of an output: the weights of a row.
    pub const fn inner(&self) -> usize {
        TAPS * self.images.channels
    }

    /// Row stride of the weights.
    pub const fn weight_stride(&self) -> usize {
        stride(self.inner())
    }

    /// Where `weight` lies in a run's parameters.
    pub const fn weight(&self) -> Range<usize> {
        0..self.outputs * self.weight_stride()
    }

    /// Where `bias` lies in a run's parameters.
    pub const fn bias(&self) -> Range<usize> {
        let start = self.outputs * self.weight_stride();
        start..start + stride(self.outputs)
    }

    /// Length of one run's parameters, pads included.
    pub const fn params_len(&self) -> usize {
        self.bias().end
    }

    /// What it makes.
    pub const fn made(&self) -> ImageDims {
        self.images.with_channels(self.outputs)
    }
}
