//! What layers a network has, and the tensors of each.

use serde::{Deserialize, Serialize};

pub(super) use super::activation::Activation;
use super::pictures::{BatchNormSpec, ConvSpec, DropoutSpec, Picture};
use super::tensor_spec::TensorSpec;
use crate::shape::{DenseDims, GmDims, stride};
use crate::{Error, Result};

/// One entry of a model's `layers`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum LayerSpec {
    /// A Gaussian mixture over neurons.
    Gm {
        /// Components `K`.
        components: usize,
        /// Inputs `d`.
        inputs: usize,
        /// Outputs `L`.
        outputs: usize,
    },
    /// A dense layer and its activation.
    Dense {
        /// Inputs `d`.
        inputs: usize,
        /// Outputs `L`.
        outputs: usize,
        /// What follows.
        #[serde(default)]
        activation: Activation,
    },
    /// A dense layer whose weights and biases are Gaussian variables, its activation, and what is dropped after it. It is certified, not trained; `metadata` says how it stands in files.
    #[serde(skip)]
    Stochastic {
        /// Inputs `d`.
        inputs: usize,
        /// Outputs `L`.
        outputs: usize,
        /// What follows.
        activation: Activation,
        /// Probability with which a coordinate is dropped after the activation, the others being divided by `1 − p`.
        dropout: f64,
        /// Whether the weights, and the biases, have a full covariance in place of deviations of independent ones.
        correlated: [bool; 2],
    },
    /// Every row divided by its norm, as the paper does between stacked GM layers.
    UnitNorm {
        /// Inputs, which are also the outputs.
        inputs: usize,
    },
    /// A 3×3 convolution.
    Conv(ConvSpec),
    /// Batch normalisation by channel.
    BatchNorm(BatchNormSpec),
    /// The largest of every 2×2 pixels; a last odd row or column is dropped.
    MaxPool(Picture),
    /// Dropout, which does nothing outside of training.
    Dropout(DropoutSpec),
}

impl LayerSpec {
    /// Inputs of the layer.
    pub fn inputs(&self) -> usize {
        match *self {
            Self::Gm { inputs, .. }
            | Self::Dense { inputs, .. }
            | Self::Stochastic { inputs, .. }
            | Self::UnitNorm { inputs } => inputs,
            Self::Conv(conv) => conv.picture().values(),
            Self::BatchNorm(norm) => norm.picture().values(),
            Self::MaxPool(picture) => picture.values(),
            Self::Dropout(dropout) => dropout.inputs,
        }
    }

    /// Outputs of the layer.
    pub fn outputs(&self) -> usize {
        match *self {
            Self::Gm { outputs, .. } | Self::Dense { outputs, .. } | Self::Stochastic { outputs, .. } => outputs,
            Self::UnitNorm { inputs } => inputs,
            Self::Conv(conv) => conv.made().values(),
            Self::BatchNorm(norm) => norm.picture().values(),
            Self::MaxPool(picture) => picture.pooled().values(),
            Self::Dropout(dropout) => dropout.inputs,
        }
    }

    /// The layer's tensors; none for a layer without parameters.
    pub fn tensors(&self) -> Vec<TensorSpec> {
        match *self {
            Self::Gm { components: k, inputs: d, outputs: l } => {
                let dims = gm_dims(1, 1, k, d, l);
                vec![
                    TensorSpec::new("mu", &[k, d], dims.mu()),
                    TensorSpec::new("sigma", &[k, d], dims.sigma()),
                    TensorSpec::new("u", &[k, l, d], dims.u()),
                    TensorSpec::new("v", &[k, l], dims.v()),
                ]
            }
            Self::Dense { inputs: d, outputs: l, .. } => {
                let dims = DenseDims { runs: 1, batch: 1, inputs: d, outputs: l };
                vec![TensorSpec::new("weight", &[l, d], dims.weight()), TensorSpec::new("bias", &[l], dims.bias())]
            }
            Self::Stochastic { inputs: d, outputs: l, correlated, .. } => {
                let mut start = 0;
                let mut next = |name, shape: &[usize], len: usize| {
                    start += len;
                    TensorSpec::new(name, shape, start - len..start)
                };
                let (weights, biases, n) = (l * stride(d), stride(l), l * d);
                let mut tensors = vec![next("weight_mean", &[l, d], weights)];
                tensors.push(match correlated[0] {
                    true => next("weight_covariance", &[n, n], n * stride(n)),
                    false => next("weight_std", &[l, d], weights),
                });
                tensors.push(next("bias_mean", &[l], biases));
                tensors.push(match correlated[1] {
                    true => next("bias_covariance", &[l, l], l * stride(l)),
                    false => next("bias_std", &[l], biases),
                });
                tensors
            }
            Self::Conv(conv) => conv.tensors(),
            Self::BatchNorm(norm) => norm.tensors(),
            Self::UnitNorm { .. } | Self::MaxPool(_) | Self::Dropout(_) => Vec::new(),
        }
    }

    /// Length of a run's flat parameters, pads included.
    pub fn params_len(&self) -> usize {
        self.tensors().last().map_or(0, |tensor| tensor.range.end)
    }
}

/// Sizes of a GM layer with its runs and batch.
pub(super) fn gm_dims(runs: usize, batch: usize, components: usize, inputs: usize, outputs: usize) -> GmDims {
    GmDims { runs, batch, components, inputs, outputs }
}

/// The layers of a network, first to last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NetworkSpec {
    /// Its layers.
    pub layers: Vec<LayerSpec>,
}

impl NetworkSpec {
    /// GM layers of `components` components each, from `inputs` through the widths `hidden` to `outputs`, with a unit
    /// norm between (Section 5, Figure 7).
    pub fn gm(inputs: usize, hidden: &[usize], outputs: usize, components: usize) -> Self {
        let mut layers = Vec::new();
        let mut width = inputs;
        for &next in hidden {
            layers.push(LayerSpec::Gm { components, inputs: width, outputs: next });
            layers.push(LayerSpec::UnitNorm { inputs: next });
            width = next;
        }
        layers.push(LayerSpec::Gm { components, inputs: width, outputs });
        Self { layers }
    }

    /// Dense layers from `inputs` through the widths `hidden`, each followed by a ReLU, to `outputs`.
    pub fn fc(inputs: usize, hidden: &[usize], outputs: usize) -> Self {
        let mut layers = Vec::new();
        let mut width = inputs;
        for &next in hidden {
            layers.push(LayerSpec::Dense { inputs: width, outputs: next, activation: Activation::Relu });
            width = next;
        }
        layers.push(LayerSpec::Dense { inputs: width, outputs, activation: Activation::None });
        Self { layers }
    }

    /// Refuses a network without layers, with a layer of size 0, or whose layers do not fit one another.
    ///
    /// # Errors
    /// [`Error::Config`] naming the layer.
    pub fn check(&self) -> Result<()> {
        if self.layers.is_empty() {
            return Err(Error::Config("a network needs at least one layer".to_owned()));
        }
        for (i, layer) in self.layers.iter().enumerate() {
            let components = if let LayerSpec::Gm { components, .. } = *layer { components } else { 1 };
            if components == 0 || layer.inputs() == 0 || layer.outputs() == 0 {
                let what = format!("layer {i} has a size of 0: {layer:?}; every size must be at least 1");
                return Err(Error::Config(what));
            }
            let rows = match layer {
                LayerSpec::UnitNorm { .. }
                | LayerSpec::BatchNorm(_)
                | LayerSpec::MaxPool(_)
                | LayerSpec::Dropout(_) => 1,
                LayerSpec::Conv(conv) => conv.outputs.saturating_mul(9),
                layer => layer.outputs().saturating_add(3),
            };
            let whole = matches!(layer, LayerSpec::Stochastic { correlated, .. } if correlated.contains(&true));
            let covariance = if whole { layer.inputs().saturating_mul(rows) } else { 1 };
            let elements =
                [components, layer.inputs(), rows, 4, covariance].into_iter().try_fold(1, usize::checked_mul);
            if elements.is_none_or(|elements| elements > 1 << 40) {
                return Err(Error::Config(format!("layer {i} is too large: {layer:?}")));
            }
        }
        for (i, pair) in self.layers.windows(2).enumerate() {
            if pair[0].outputs() != pair[1].inputs() {
                let (out, into) = (pair[0].outputs(), pair[1].inputs());
                let what = format!("layer {i} has {out} outputs but layer {} takes {into} inputs", i + 1);
                return Err(Error::Config(what));
            }
        }
        self.check_pictures()
    }

    /// Refuses a network with random weights: it is certified, and a pass cannot run it.
    ///
    /// # Errors
    /// [`Error::Config`] naming the layer.
    pub fn check_runs(&self) -> Result<()> {
        match self.layers.iter().position(|layer| matches!(layer, LayerSpec::Stochastic { .. })) {
            None => Ok(()),
            Some(i) => Err(Error::Config(format!(
                "the weights of layer {i} are random: such a network is for bures certify, and cannot be trained, evaluated or run"
            ))),
        }
    }

    /// Inputs of the first layer.
    pub fn inputs(&self) -> usize {
        self.layers.first().map_or(0, LayerSpec::inputs)
    }

    /// Outputs of the last layer.
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, LayerSpec::outputs)
    }

    /// Number of parameters, pads not counted.
    pub fn parameters(&self) -> usize {
        let tensors = self.layers.iter().flat_map(LayerSpec::tensors);
        tensors.map(|tensor| tensor.shape.iter().product::<usize>()).sum()
    }

    /// One line for people, such as `GM layer 784 → 9, K = 20`.
    pub fn describe(&self) -> String {
        if let Some(text) = self.describe_pictures() {
            return text;
        }
        let widths: Vec<String> = std::iter::once(self.inputs())
            .chain(self.layers.iter().filter(|l| !l.tensors().is_empty()).map(LayerSpec::outputs))
            .map(|width| width.to_string())
            .collect();
        let path = widths.join(" → ");
        let components: Vec<usize> = self
            .layers
            .iter()
            .filter_map(|l| if let LayerSpec::Gm { components, .. } = *l { Some(components) } else { None })
            .collect();
        match components[..] {
            [] => format!("dense network {path}, {}", self.activations()),
            [k] if widths.len() == 2 => format!("GM layer {path}, K = {k}"),
            [k, ..] if components.iter().all(|&other| other == k) => format!("network {path} with GM layers, K = {k}"),
            _ => format!("network {path} with GM layers, K = {components:?}"),
        }
    }

    /// What stands between its dense layers: `ReLU`, `tanh`, `linear`, or several of them; nothing where there is no between.
    pub fn activations(&self) -> String {
        let mut names: Vec<&str> = Vec::new();
        for layer in &self.layers[..self.layers.len().saturating_sub(1)] {
            let (LayerSpec::Dense { activation, .. } | LayerSpec::Stochastic { activation, .. }) = layer else {
                continue;
            };
            let name = match activation {
                Activation::None => "linear",
                Activation::Relu => "ReLU",
                Activation::Tanh => "tanh",
            };
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names.join(" and ")
    }
}
