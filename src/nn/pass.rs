//! The forward and backward pass of a network at one minibatch size: operations and intermediate arrays.

use super::covariance::Weights;
use super::network::Network;
use super::network_spec::NetworkSpec;
use super::picture_pass::{Back, Draws, PictureOperation};
use super::pictures::{BatchNormSpec, ConvSpec};
use super::spec::{Activation, LayerSpec};
use crate::Result;
use crate::device::{Buffer, Device, Stream};
use crate::kernels::activation::{Activation as ActivationKernel, ActivationKind};
use crate::kernels::dense::{Dense, DenseBackwardArgs, DenseForwardArgs};
use crate::kernels::gm_backward::{GmBackward, GmBackwardArgs};
use crate::kernels::gm_forward::{GmForward, GmForwardArgs};
use crate::kernels::gm_joint::{GmJoint, GmJointBackwardArgs, GmJointForwardArgs};
use crate::kernels::gm_state::GmState;
use crate::kernels::gm_weighted::GmWeighted;
use crate::shape::{DenseDims, GmDims, stride};

/// One operation of the chain; a dense layer with an activation is two.
struct Stage {
    operation: Operation,
    /// The layer whose parameters it takes.
    layer: usize,
    /// Its outputs, `[R, B, Lp]`.
    out: Buffer<f32>,
    /// Gradient with respect to its outputs; empty for a pass that only goes forward. The last stage's is the loss's.
    d_out: Buffer<f32>,
}

#[allow(clippy::large_enum_variant)] // one per layer
enum Operation {
    Gm { forward: GmForward, backward: GmBackward, state: GmState },
    GmWeighted(GmWeighted),
    GmJoint(GmJoint),
    Dense { kernel: Dense, dims: DenseDims },
    Activation(ActivationKernel),
    Picture(PictureOperation),
}

/// Everything that running a network on minibatches of `batch` rows needs.
pub struct Pass {
    batch: usize,
    stages: Vec<Stage>,
    /// Gradients, one array per layer as [`Network::params`]; empty for a pass that only goes forward.
    grads: Vec<Buffer<f32>>,
    draws: Draws,
}

impl Pass {
    /// For `runs` networks of the layers `spec` at `batch` rows each. With `backward`, gradients can be had, and layers behave as in
    /// training: a batch normalisation goes by its minibatch, and dropout drops.
    ///
    /// # Errors
    /// [`crate::Error::Config`] for a network with random weights; what the device reports.
    pub fn new(device: &Device, spec: &NetworkSpec, runs: usize, batch: usize, backward: bool) -> Result<Self> {
        spec.check_runs()?;
        let rows = runs * batch;
        let if_backward = |len| if backward { len } else { 0 };
        let mut stages = Vec::new();
        let mut push = |operation, layer, columns| -> Result<()> {
            let len = rows * stride(columns);
            let out = Buffer::zeros(device, len)?;
            stages.push(Stage { operation, layer, out, d_out: Buffer::zeros(device, if_backward(len))? });
            Ok(())
        };
        for (i, layer) in spec.layers.iter().enumerate() {
            match *layer {
                LayerSpec::Gm { components, inputs, outputs, covariance, weights } => {
                    let rank = covariance.rank(inputs);
                    let dims = GmDims { runs, batch, components, inputs, outputs, rank };
                    let operation = match weights {
                        Weights::Learned => Operation::GmWeighted(GmWeighted::new(device, dims)?),
                        Weights::Equal => Operation::Gm {
                            forward: GmForward::new(device, dims)?,
                            backward: GmBackward::new(device, dims)?,
                            state: GmState::new(device, dims)?,
                        },
                    };
                    push(operation, i, outputs)?;
                }
                LayerSpec::GmJoint { components, inputs } => {
                    push(Operation::GmJoint(GmJoint::new(device, runs, batch, components, inputs)?), i, 1)?;
                }
                LayerSpec::Dense { inputs, outputs, activation } => {
                    let dims = DenseDims { runs, batch, inputs, outputs };
                    push(Operation::Dense { kernel: Dense::new(device)?, dims }, i, outputs)?;
                    if let Some(kernel) = kernel_of(device, activation)? {
                        push(Operation::Activation(kernel), i, outputs)?;
                    }
                }
                // Refused by check_runs.
                LayerSpec::Stochastic { .. } => {}
                LayerSpec::UnitNorm { inputs } => {
                    let kernel = ActivationKernel::new(device, ActivationKind::UnitNorm { columns: inputs })?;
                    push(Operation::Activation(kernel), i, inputs)?;
                }
                LayerSpec::Conv(ConvSpec { activation, .. })
                | LayerSpec::BatchNorm(BatchNormSpec { activation, .. }) => {
                    let operation = PictureOperation::new(device, (i, layer), [runs, batch], backward)?;
                    operation.map_or(Ok(()), |operation| push(Operation::Picture(operation), i, layer.outputs()))?;
                    if let Some(kernel) = kernel_of(device, activation)? {
                        push(Operation::Activation(kernel), i, layer.outputs())?;
                    }
                }
                LayerSpec::MaxPool(_) | LayerSpec::Dropout(_) => {
                    let operation = PictureOperation::new(device, (i, layer), [runs, batch], backward)?;
                    operation.map_or(Ok(()), |operation| push(Operation::Picture(operation), i, layer.outputs()))?;
                }
            }
        }
        let grads = spec.layers.iter().map(|layer| Buffer::zeros(device, if_backward(runs * layer.params_len())));
        let draws = Draws { seeds: vec![0; runs], step: 0, batch };
        Ok(Self { batch, stages, grads: grads.collect::<Result<_>>()?, draws })
    }

    /// Says which step comes next, and the seed of every run: dropout takes the random numbers that they name.
    pub fn at_step(&mut self, seeds: &[u64], step: u64) {
        self.draws = Draws { seeds: seeds.to_vec(), step, batch: self.batch };
    }

    /// Records that the statistics of the last forward pass go into the running ones of the batch normalisations.
    ///
    /// # Errors
    /// As [`Pass::forward`].
    pub fn keep_statistics(&self, stream: &mut Stream, network: &mut Network) -> Result<()> {
        for stage in &self.stages {
            if let Operation::Picture(PictureOperation::BatchNorm { kernel, .. }) = &stage.operation {
                kernel.keep(stream, network.params_mut(stage.layer))?;
            }
        }
        Ok(())
    }

    /// Rows of the minibatch of each run.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Records the forward pass of block `slot` of `x [slots, R, B, dp]`.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] when `x` or the network does not fit; what the device reports.
    pub fn forward(&mut self, stream: &mut Stream, network: &Network, x: &Buffer<f32>, slot: usize) -> Result<()> {
        for at in 0..self.stages.len() {
            let (before, rest) = self.stages.split_at_mut(at);
            let Some(stage) = rest.first_mut() else { break };
            let (input, slot) = before.last().map_or((x, slot), |previous| (&previous.out, 0));
            let params = network.params(stage.layer);
            match &mut stage.operation {
                Operation::Gm { forward, state, .. } => {
                    let args = GmForwardArgs { x: input, slot, params, state, h: &mut stage.out };
                    forward.record(stream, args)?;
                }
                Operation::GmWeighted(layer) => layer.forward(stream, (input, slot), params, &mut stage.out)?,
                Operation::GmJoint(layer) => {
                    layer.forward(stream, GmJointForwardArgs { x: input, slot, params, h: &mut stage.out })?;
                }
                Operation::Dense { kernel, dims } => {
                    let args = DenseForwardArgs { dims: *dims, x: input, slot, params, h: &mut stage.out };
                    kernel.forward(stream, args)?;
                }
                Operation::Activation(kernel) => kernel.forward(stream, input, &mut stage.out)?,
                Operation::Picture(picture) => {
                    picture.forward(stream, (input, slot), params, &self.draws, &mut stage.out)?;
                }
            }
        }
        Ok(())
    }

    /// The last layer's outputs, `[R, B, Lp]`.
    pub fn outputs(&self) -> &Buffer<f32> {
        &self.stages[self.stages.len() - 1].out
    }

    /// The last layer's outputs, and the array that takes the loss's gradient with respect to them.
    pub fn outputs_and_gradient(&mut self) -> (&Buffer<f32>, &mut Buffer<f32>) {
        let last = self.stages.len() - 1;
        let stage = &mut self.stages[last];
        (&stage.out, &mut stage.d_out)
    }

    /// Records the backward pass from the gradient that the loss has left in [`Pass::outputs_and_gradient`].
    ///
    /// # Errors
    /// As [`Pass::forward`].
    pub fn backward(&mut self, stream: &mut Stream, network: &Network, x: &Buffer<f32>, slot: usize) -> Result<()> {
        for at in (0..self.stages.len()).rev() {
            let (before, rest) = self.stages.split_at_mut(at);
            let Some(stage) = rest.first_mut() else { break };
            // The first stage's input is data: nothing asks for its gradient.
            let (input, slot, d_input) = match before.last_mut() {
                Some(previous) => (&previous.out, 0, Some(&mut previous.d_out)),
                None => (x, slot, None),
            };
            let (params, dh, grads) = (network.params(stage.layer), &stage.d_out, &mut self.grads[stage.layer]);
            match &mut stage.operation {
                Operation::Gm { backward, state, .. } => {
                    let args = GmBackwardArgs { x: input, slot, params, state, dh, grads, dx: d_input };
                    backward.record(stream, args)?;
                }
                Operation::GmWeighted(layer) => {
                    layer.backward(stream, (input, slot), params, dh, (grads, d_input))?;
                }
                Operation::GmJoint(layer) => {
                    layer.backward(stream, GmJointBackwardArgs { params, dh, grads, dx: d_input })?;
                }
                Operation::Dense { kernel, dims } => {
                    let args = DenseBackwardArgs { dims: *dims, x: input, slot, params, dh, grads, dx: d_input };
                    kernel.backward(stream, args)?;
                }
                Operation::Activation(kernel) => {
                    if let Some(d_input) = d_input {
                        kernel.backward(stream, input, dh, d_input)?;
                    }
                }
                Operation::Picture(picture) => {
                    let args = Back { x: input, slot, params, dh, grads, dx: d_input };
                    picture.backward(stream, &self.draws, args)?;
                }
            }
        }
        Ok(())
    }

    /// The gradients of layer `layer`, `[R, P]`, as the last backward pass left them.
    pub fn grads(&self, layer: usize) -> &Buffer<f32> {
        &self.grads[layer]
    }
}

fn kernel_of(device: &Device, activation: Activation) -> Result<Option<ActivationKernel>> {
    let kind = match activation {
        Activation::None => return Ok(None),
        Activation::Relu => ActivationKind::Relu,
        Activation::Tanh => ActivationKind::Tanh,
    };
    ActivationKernel::new(device, kind).map(Some)
}
