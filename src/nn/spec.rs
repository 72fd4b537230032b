//! What layers a network has, and the tensors of each.

use serde::{Deserialize, Serialize};

pub(super) use super::activation::Activation;
use super::covariance::{Covariance, Weights};
use super::pictures::{BatchNormSpec, ConvSpec, DropoutSpec, Picture};
use super::tensor_spec::TensorSpec;
use crate::kernels::gm_joint::GmJoint;
use crate::reference::gm_weights;
use crate::shape::{DenseDims, GmDims, stride};

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
        /// Covariances of the components.
        #[serde(default, skip_serializing_if = "Covariance::is_diagonal")]
        covariance: Covariance,
        /// Weights of the components.
        #[serde(default, skip_serializing_if = "Weights::are_equal")]
        weights: Weights,
    },
    /// A Gaussian mixture over neurons with one output, whose weight ω and β are jointly Gaussian (Appendix A.1): means and
    /// covariances `C_k C_kᵀ` of `(ω, β)`, ω first.
    ///
    /// It is run as a GM layer with full covariances over the inputs `(0, x)`, of which ω is a linear function that stays:
    /// `U_k = e_0ᵀ`, `v_k = 0`.
    GmJoint {
        /// Components `K`.
        components: usize,
        /// Inputs `d`.
        inputs: usize,
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
            | Self::GmJoint { inputs, .. }
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
            Self::GmJoint { .. } => 1,
            Self::UnitNorm { inputs } => inputs,
            Self::Conv(conv) => conv.made().values(),
            Self::BatchNorm(norm) => norm.picture().values(),
            Self::MaxPool(picture) => picture.pooled().values(),
            Self::Dropout(dropout) => dropout.inputs,
        }
    }

    /// Sizes of a GM layer with its runs and batch, of a joint one as it is run; none for other layers.
    pub fn gm_dims(&self, runs: usize, batch: usize) -> Option<GmDims> {
        match *self {
            Self::Gm { components, inputs, outputs, covariance, .. } => {
                let rank = covariance.rank(inputs);
                Some(GmDims { runs, batch, components, inputs, outputs, rank })
            }
            Self::GmJoint { components, inputs } => Some(GmJoint::dims(runs, batch, components, inputs)),
            _ => None,
        }
    }

    /// The layer's tensors; none for a layer without parameters.
    pub fn tensors(&self) -> Vec<TensorSpec> {
        match *self {
            Self::Gm { .. } | Self::GmJoint { .. } => self.gm_tensors(),
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

    /// The tensors of a GM layer. A full covariance has no σ: its place stays 0.
    fn gm_tensors(&self) -> Vec<TensorSpec> {
        let Some(dims) = self.gm_dims(1, 1) else { return Vec::new() };
        let (k, d, l, r) = (dims.components, dims.inputs, dims.outputs, dims.rank);
        let mu = TensorSpec::new("mu", &[k, d], dims.mu());
        let c = TensorSpec::transposed("c", &[k, d, d], dims.root());
        let Self::Gm { covariance, weights, .. } = *self else { return vec![mu, c] };
        let sigma = TensorSpec::new("sigma", &[k, d], dims.sigma());
        let outputs = [TensorSpec::new("u", &[k, l, d], dims.u()), TensorSpec::new("v", &[k, l], dims.v())];
        let root = TensorSpec::new("root", &[k, r, d], dims.root());
        let (before, behind) = match covariance {
            Covariance::Full => (vec![mu], vec![c]),
            Covariance::LowRank { rank } if rank > 0 => (vec![mu, sigma], vec![root]),
            Covariance::LowRank { .. } | Covariance::Diagonal => (vec![mu, sigma], Vec::new()),
        };
        let learned =
            (weights == Weights::Learned).then(|| TensorSpec::new("weights", &[k], gm_weights::weights(&dims)));
        before.into_iter().chain(outputs).chain(behind).chain(learned).collect()
    }

    /// A run's flat parameters before any tensor is in its place: 0, and what the layer holds fixed.
    pub fn blank_params(&self) -> Vec<f32> {
        let mut params = vec![0.0; self.params_len()];
        if let (Self::GmJoint { .. }, Some(dims)) = (self, self.gm_dims(1, 1)) {
            params[dims.u()].iter_mut().step_by(dims.input_stride()).for_each(|u| *u = 1.0);
        }
        params
    }

    /// Length of a run's flat parameters, pads included.
    pub fn params_len(&self) -> usize {
        self.tensors().last().map_or(0, |tensor| tensor.range.end)
    }
}
