//! Layers of convolutional networks, and the network of the paper's Figure 8.

use serde::{Deserialize, Serialize};

use super::activation::Activation;
use super::network_spec::{NetworkSpec, gm_layer};
use super::spec::LayerSpec;
use super::tensor_spec::TensorSpec;
use crate::shape::{ConvDims, ImageDims, KERNEL, stride};
use crate::{Error, Result};

/// A picture: a row of `channels · height · width` values, channel by channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Picture {
    /// Channels.
    pub channels: usize,
    /// Rows of pixels.
    pub height: usize,
    /// Pixels of a row.
    pub width: usize,
}

/// A 3×3 convolution with a margin of one zero, and its activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvSpec {
    /// Channels that it takes.
    pub channels: usize,
    /// Rows of pixels.
    pub height: usize,
    /// Pixels of a row.
    pub width: usize,
    /// Channels that it makes.
    pub outputs: usize,
    /// What follows.
    #[serde(default)]
    pub activation: Activation,
}

/// Batch normalisation by channel, and its activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchNormSpec {
    /// Channels.
    pub channels: usize,
    /// Rows of pixels.
    pub height: usize,
    /// Pixels of a row.
    pub width: usize,
    /// What follows.
    #[serde(default)]
    pub activation: Activation,
}

/// Dropout: in training, values become 0 with probability `probability` and the others are divided by the rest.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropoutSpec {
    /// Inputs, which are also the outputs.
    pub inputs: usize,
    /// Below 1.
    pub probability: f32,
}

impl Picture {
    /// Values of a picture; the largest number there is where there are more.
    pub fn values(self) -> usize {
        self.channels.saturating_mul(self.height).saturating_mul(self.width)
    }

    /// What a 2×2 pooling leaves.
    pub fn pooled(self) -> Self {
        Self { height: self.height / 2, width: self.width / 2, ..self }
    }

    /// Minibatches of such pictures.
    pub(super) fn dims(self, runs: usize, batch: usize) -> ImageDims {
        ImageDims { runs, batch, channels: self.channels, height: self.height, width: self.width }
    }
}

impl ConvSpec {
    /// What it takes.
    pub fn picture(self) -> Picture {
        Picture { channels: self.channels, height: self.height, width: self.width }
    }

    /// What it makes.
    pub fn made(self) -> Picture {
        Picture { channels: self.outputs, ..self.picture() }
    }

    pub(super) fn dims(self, runs: usize, batch: usize) -> ConvDims {
        ConvDims { images: self.picture().dims(runs, batch), outputs: self.outputs }
    }

    pub(super) fn tensors(self) -> Vec<TensorSpec> {
        let dims = self.dims(1, 1);
        let weight = TensorSpec::new("weight", &[self.outputs, self.channels, KERNEL, KERNEL], dims.weight());
        vec![weight.in_rows_of(dims.inner()), TensorSpec::new("bias", &[self.outputs], dims.bias())]
    }
}

impl BatchNormSpec {
    /// What it takes and makes.
    pub fn picture(self) -> Picture {
        Picture { channels: self.channels, height: self.height, width: self.width }
    }

    pub(super) fn tensors(self) -> Vec<TensorSpec> {
        let padded = stride(self.channels);
        let names = ["gamma", "beta", "running_mean", "running_var"];
        let tensor = |(at, name)| TensorSpec::new(name, &[self.channels], at * padded..(at + 1) * padded);
        names.into_iter().enumerate().map(tensor).collect()
    }
}

impl LayerSpec {
    /// How many inputs an output looks at.
    pub(super) fn fan_in(&self) -> usize {
        if let Self::Conv(conv) = self { conv.dims(1, 1).inner() } else { self.inputs() }
    }
}

/// What ends a [`NetworkSpec::vgg`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VggHead {
    /// Two dense layers with a ReLU between.
    Dense,
    /// A Gaussian-mixture layer of so many components.
    Gm(usize),
}

impl NetworkSpec {
    /// The VGG-like network of the paper's Appendix B: four convolutions to 64, 128, 256 and 256 channels, each with a batch normalisation
    /// and a ReLU, a pooling after the second and the fourth; a dense layer to 256 with ReLU and dropout of a half; then either dense layers to 128 and
    /// to `outputs`, or a GM layer. All widths are divided by `narrow`.
    pub fn vgg(picture: Picture, outputs: usize, head: VggHead, narrow: usize) -> Self {
        let width = |full: usize| full.div_ceil(narrow.max(1));
        let (mut layers, mut at) = (Vec::new(), picture);
        for (channels, pool) in [(64, false), (128, true), (256, false), (256, true)] {
            let Picture { channels: before, height, width: across } = at;
            let (outputs, activation) = (width(channels), Activation::None);
            layers.push(LayerSpec::Conv(ConvSpec { channels: before, height, width: across, outputs, activation }));
            let norm = BatchNormSpec { channels: outputs, height, width: across, activation: Activation::Relu };
            layers.push(LayerSpec::BatchNorm(norm));
            at.channels = outputs;
            if pool {
                layers.push(LayerSpec::MaxPool(at));
                at = at.pooled();
            }
        }
        let dense = |inputs, outputs, activation| LayerSpec::Dense { inputs, outputs, activation };
        layers.push(dense(at.values(), width(256), Activation::Relu));
        layers.push(LayerSpec::Dropout(DropoutSpec { inputs: width(256), probability: 0.5 }));
        match head {
            VggHead::Dense => layers.extend([
                dense(width(256), width(128), Activation::Relu),
                dense(width(128), outputs, Activation::None),
            ]),
            VggHead::Gm(components) => layers.push(gm_layer(components, width(256), outputs)),
        }
        Self { layers }
    }

    /// Refuses a dropout whose probability is none below 1, and a network that does not begin with weights.
    pub(super) fn check_pictures(&self) -> Result<()> {
        for (i, layer) in self.layers.iter().enumerate() {
            let what = match layer {
                LayerSpec::Dropout(dropout) if !(0.0..1.0).contains(&dropout.probability) => {
                    format!("layer {i} drops with probability {}, which is not in [0, 1)", dropout.probability)
                }
                LayerSpec::BatchNorm(_) | LayerSpec::MaxPool(_) | LayerSpec::Dropout(_) if i == 0 => {
                    format!("a network cannot begin with {layer:?}; put a convolution, a dense or a GM layer first")
                }
                _ => continue,
            };
            return Err(Error::Config(what));
        }
        Ok(())
    }

    /// One line about a convolutional network, such as `convolutions 64-128-256-256, dense layers 256 → 128 → 9`.
    pub(super) fn describe_pictures(&self) -> Option<String> {
        let channels: Vec<String> = self
            .layers
            .iter()
            .filter_map(|l| if let LayerSpec::Conv(c) = l { Some(c.outputs.to_string()) } else { None })
            .collect();
        let rest = |layer: &LayerSpec| match *layer {
            LayerSpec::Dense { outputs, .. } => Some(format!("dense {outputs}")),
            LayerSpec::Gm { components, outputs, .. } => Some(format!("GM {outputs} with K = {components}")),
            _ => None,
        };
        let rest: Vec<String> = self.layers.iter().filter_map(rest).collect();
        (!channels.is_empty()).then(|| format!("convolutions {}, then {}", channels.join("-"), rest.join(", ")))
    }
}
