//! The layers of a network and what must hold for them.

use serde::{Deserialize, Serialize};

use super::covariance::{Covariance, Weights};
use super::spec::{Activation, LayerSpec};
use crate::{Error, Result};

/// The layers of a network, first to last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NetworkSpec {
    /// Its layers.
    pub layers: Vec<LayerSpec>,
}

/// A GM layer as in the paper.
pub(super) fn gm_layer(components: usize, inputs: usize, outputs: usize) -> LayerSpec {
    let (covariance, weights) = (Covariance::Diagonal, Weights::Equal);
    LayerSpec::Gm { components, inputs, outputs, covariance, weights }
}

impl NetworkSpec {
    /// GM layers of `components` components each with diagonal covariances, from `inputs` through the widths `hidden` to
    /// `outputs`, with a unit norm between (Section 5, Figure 7).
    pub fn gm(inputs: usize, hidden: &[usize], outputs: usize, components: usize) -> Self {
        let (mut layers, inputs) = Self::hidden_gm(inputs, hidden, components);
        layers.push(gm_layer(components, inputs, outputs));
        Self { layers }
    }

    /// Like [`NetworkSpec::gm`], with one output by a joint layer at the end.
    pub fn gm_joint(inputs: usize, hidden: &[usize], components: usize) -> Self {
        let (mut layers, inputs) = Self::hidden_gm(inputs, hidden, components);
        layers.push(LayerSpec::GmJoint { components, inputs });
        Self { layers }
    }

    /// The layers before the last one, and how many outputs they have.
    fn hidden_gm(inputs: usize, hidden: &[usize], components: usize) -> (Vec<LayerSpec>, usize) {
        let mut layers = Vec::new();
        let mut width = inputs;
        for &outputs in hidden {
            layers.push(gm_layer(components, width, outputs));
            layers.push(LayerSpec::UnitNorm { inputs: outputs });
            width = outputs;
        }
        (layers, width)
    }

    /// The same network with these covariances and weights in all its GM layers, joint ones left as they are.
    pub fn with_mixture(mut self, covariance: Covariance, weights: Weights) -> Self {
        for layer in &mut self.layers {
            if let LayerSpec::Gm { covariance: of_layer, weights: weights_of_layer, .. } = layer {
                (*of_layer, *weights_of_layer) = (covariance, weights);
            }
        }
        self
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
            let (components, rank) = match *layer {
                LayerSpec::Gm { components, inputs, covariance, .. } => (components, covariance.rank(inputs)),
                LayerSpec::GmJoint { components, inputs } => (components, inputs.saturating_add(1)),
                _ => (1, 0),
            };
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
                layer => layer.outputs().saturating_add(3).saturating_add(rank),
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
            .filter_map(|l| match *l {
                LayerSpec::Gm { components, .. } | LayerSpec::GmJoint { components, .. } => Some(components),
                _ => None,
            })
            .collect();
        let more = self.describe_mixture();
        match components[..] {
            [] => format!("dense network {path}, {}", self.activations()),
            [k] if widths.len() == 2 => format!("GM layer {path}, K = {k}{more}"),
            [k, ..] if components.iter().all(|&other| other == k) => {
                format!("network {path} with GM layers, K = {k}{more}")
            }
            _ => format!("network {path} with GM layers, K = {components:?}{more}"),
        }
    }

    /// What is to be said of covariances that are not all diagonal, and of weights that are not equal.
    fn describe_mixture(&self) -> String {
        let of = |layer: &LayerSpec| match *layer {
            LayerSpec::Gm { covariance, .. } if !covariance.is_diagonal() => Some(covariance.to_string()),
            LayerSpec::GmJoint { .. } => Some("joint with its output weight".to_owned()),
            _ => None,
        };
        let mut kinds: Vec<String> = self.layers.iter().filter_map(of).collect();
        kinds.dedup();
        let learned = |layer: &LayerSpec| matches!(layer, LayerSpec::Gm { weights: Weights::Learned, .. });
        let weights = if self.layers.iter().any(learned) { ", learned weights" } else { "" };
        let covariance = if kinds.is_empty() { String::new() } else { format!(", covariance {}", kinds.join(" and ")) };
        covariance + weights
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
