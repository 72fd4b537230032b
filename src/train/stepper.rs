//! One optimisation step of a network, recorded without waiting: fused where the network is a single GM layer with diagonal
//! covariances, layer by layer otherwise.

use super::choices::OptimizerChoice;
use super::resident::Minibatches;
use super::settings::Settings;
use crate::Result;
use crate::device::{Buffer, Device, Stream};
use crate::kernels::gm_step::{GmStep, GmStepArgs};
use crate::kernels::loss::{Loss, LossArgs, LossDims, Target};
use crate::kernels::optimizer::{AdamSettings, MAX_GROUPS, Optimizer, OptimizerArgs, OptimizerKind, Update};
use crate::kernels::simplex_step::{SimplexStep, SimplexStepArgs};
use crate::nn::{LayerSpec, Network, Pass, Weights};

/// The optimiser's arrays and the operations of a step.
pub struct Stepper {
    kind: OptimizerKind,
    plan: Plan,
    /// Adam's running means of gradients, or the momentum; per layer `[R, P]`, empty for plain SGD.
    first: Vec<Buffer<f32>>,
    /// Adam's running means of squared gradients.
    second: Vec<Buffer<f32>>,
    classes: Option<bool>,
}

#[allow(clippy::large_enum_variant)] // one per run
enum Plan {
    Fused(GmStep),
    Layers { pass: Pass, loss: Loss, optimizer: Optimizer, simplex: SimplexStep },
}

/// What steps leave behind, one block a step.
pub struct Totals {
    /// Mean loss of the minibatch before the update, `[slots, R]`.
    pub losses: Buffer<f32>,
    /// Wrong predictions on the minibatch before the update, `[slots, R]`.
    pub errors: Buffer<u32>,
}

impl Totals {
    /// Room for `slots` steps of `runs` networks.
    ///
    /// # Errors
    /// What the device reports.
    pub fn new(device: &Device, slots: usize, runs: usize) -> Result<Self> {
        Ok(Self { losses: Buffer::zeros(device, slots * runs)?, errors: Buffer::zeros(device, slots * runs)? })
    }
}

/// Where a step stands in the run.
#[derive(Clone, Copy, Debug)]
pub struct StepAt {
    /// Number of the step, the first is 1.
    pub step: u64,
    /// Share of the run that lies before it, for the schedule.
    pub progress: f64,
    /// Block of the minibatches, losses and errors to take.
    pub slot: usize,
}

impl Stepper {
    /// For minibatches of `batch` rows. `classes` is `Some(reference)` for classification (with `reference`, class 0 has
    /// logit 0), `None` for regression.
    ///
    /// # Errors
    /// What the device reports.
    pub fn new(
        device: &Device,
        network: &Network,
        batch: usize,
        settings: &Settings,
        classes: Option<bool>,
    ) -> Result<Self> {
        let kind = match settings.optimizer {
            OptimizerChoice::Adam => OptimizerKind::Adam,
            OptimizerChoice::Sgd if settings.momentum > 0.0 => OptimizerKind::Momentum,
            OptimizerChoice::Sgd => OptimizerKind::Sgd,
        };
        let (runs, spec) = (network.runs(), network.spec());
        let single = match &spec.layers[..] {
            [LayerSpec::Gm { weights: Weights::Learned, .. }] => None,
            [layer] => layer.gm_dims(runs, batch),
            _ => None,
        };
        let plan = match (single.filter(|dims| dims.rank == 0), classes) {
            (Some(dims), Some(reference)) => Plan::Fused(GmStep::new(device, dims, reference, kind)?),
            _ => Plan::Layers {
                pass: Pass::new(device, spec, runs, batch, true)?,
                loss: Loss::new(device, LossDims { runs, batch, outputs: spec.outputs(), valid: batch })?,
                optimizer: Optimizer::new(device, kind)?,
                simplex: SimplexStep::new(device)?,
            },
        };
        let state = |wanted: bool| -> Result<Vec<Buffer<f32>>> {
            let len = |layer: &LayerSpec| if wanted { runs * layer.params_len() } else { 0 };
            spec.layers.iter().map(|layer| Buffer::zeros(device, len(layer))).collect()
        };
        let (first, second) = (state(kind != OptimizerKind::Sgd)?, state(kind == OptimizerKind::Adam)?);
        Ok(Self { kind, plan, first, second, classes })
    }

    /// The optimiser's arrays by their names in checkpoints, per layer `[R, P]` (empty where the optimiser has none).
    pub fn state(&self) -> [(&'static str, &[Buffer<f32>]); 2] {
        [("first", &self.first), ("second", &self.second)]
    }

    /// The same, to be filled from a checkpoint.
    pub fn state_mut(&mut self) -> [(&'static str, &mut [Buffer<f32>]); 2] {
        [("first", &mut self.first), ("second", &mut self.second)]
    }

    /// Records one step on block `at.slot` of `data`; its loss and errors go to the same block of `totals`.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] when an array does not fit; what the device reports.
    pub fn record(
        &mut self,
        stream: &mut Stream,
        network: &mut Network,
        data: &Minibatches,
        settings: &Settings,
        at: StepAt,
        totals: &mut Totals,
    ) -> Result<()> {
        let Totals { losses, errors } = totals;
        let kind = self.kind;
        let StepAt { step, progress, slot } = at;
        match &mut self.plan {
            Plan::Fused(fused) => {
                let groups = settings.groups(&network.spec().layers[0], progress);
                let by_tensor =
                    |of: fn(&crate::kernels::optimizer::Group) -> f32| std::array::from_fn(|i| of(&groups[i]));
                let args = GmStepArgs {
                    x: &data.x,
                    labels: &data.labels,
                    slot,
                    rates: by_tensor(|group| group.rate),
                    l2: by_tensor(|group| group.l2),
                    params: network.params_mut(0),
                    update: update(kind, settings, step, &mut self.first[0], &mut self.second[0]),
                    losses,
                    errors,
                };
                fused.record(stream, args)
            }
            Plan::Layers { pass, loss, optimizer, simplex } => {
                pass.at_step(&settings.seeds, step);
                pass.forward(stream, network, &data.x, slot)?;
                let target = match self.classes {
                    Some(reference) => Target::Labels { labels: &data.labels, reference },
                    None => Target::Values(&data.values),
                };
                let valid = pass.batch();
                let (h, dh) = pass.outputs_and_gradient();
                loss.record(stream, LossArgs { valid, h, target, slot, dh, losses, errors })?;
                pass.backward(stream, network, &data.x, slot)?;
                let layers = network.spec().layers.clone();
                for (i, layer) in layers.iter().enumerate().filter(|(_, layer)| layer.params_len() > 0) {
                    for groups in settings.groups(layer, progress).chunks(MAX_GROUPS) {
                        let args = OptimizerArgs {
                            params_len: layer.params_len(),
                            groups,
                            params: network.params_mut(i),
                            grads: pass.grads(i),
                            update: update(kind, settings, step, &mut self.first[i], &mut self.second[i]),
                        };
                        optimizer.record(stream, args)?;
                    }
                    let rate = settings.weight_rate(progress);
                    move_weights(simplex, stream, layer, rate, network.params_mut(i), pass.grads(i))?;
                }
                pass.keep_statistics(stream, network)
            }
        }
    }
}

/// Moves the weights of a layer's components, where they are learned. The Wasserstein part of the flow divides a component's other
/// gradients by its weight: Adam forgets their scale anyway; with SGD, heavy components move faster than in the flow.
fn move_weights(
    simplex: &SimplexStep,
    stream: &mut Stream,
    layer: &LayerSpec,
    rate: f32,
    params: &mut Buffer<f32>,
    grads: &Buffer<f32>,
) -> Result<()> {
    let Some(tensor) = layer.tensors().into_iter().find(|tensor| tensor.name == "weights") else { return Ok(()) };
    let weights = tensor.range.start..tensor.range.start + tensor.shape[0];
    simplex.record(stream, SimplexStepArgs { weights, params_len: layer.params_len(), rate, params, grads })
}

fn update<'a>(
    kind: OptimizerKind,
    settings: &Settings,
    step: u64,
    first: &'a mut Buffer<f32>,
    second: &'a mut Buffer<f32>,
) -> Update<'a> {
    match kind {
        OptimizerKind::Sgd => Update::Sgd,
        OptimizerKind::Momentum => Update::Momentum { decay: settings.momentum, buffer: first },
        OptimizerKind::Adam => Update::Adam { settings: AdamSettings::default(), step, first, second },
    }
}
