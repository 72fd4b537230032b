//! Whether a run fits into this machine's memory, asked before anything is allocated: an allocation that fails ends the
//! program without a word.

use super::choices::OptimizerChoice;
use super::settings::Settings;
use crate::nn::{LayerSpec, NetworkSpec};
use crate::{Error, Result};

const GIB: f64 = (1_u64 << 30) as f64;

/// Refuses a network that is larger than the memory.
///
/// # Errors
/// [`Error::Config`].
pub(super) fn check(spec: &NetworkSpec, settings: &Settings) -> Result<()> {
    let (need, have) = (bytes(spec, settings), crate::memory::total());
    if need <= have {
        return Ok(());
    }
    Err(Error::Config(format!(
        "the run needs about {:.0} GiB of memory and this machine has {:.0}: take fewer --components, a --covariance of smaller \
         rank, a smaller --hidden, a smaller --batch-size or fewer --seeds",
        (need / GIB).ceil(),
        have / GIB
    )))
}

/// Roughly what a run holds at once, in floating point since nothing about it need fit into a `usize`.
fn bytes(spec: &NetworkSpec, settings: &Settings) -> f64 {
    // Parameters of a GM layer, and its arrays for a row of the minibatch: products and moments, projections and their gradient.
    let gm = |components: usize, inputs: f64, outputs: f64, rank: f64| {
        let k = components as f64;
        (k * ((2.0 + outputs + rank) * inputs + outputs), k * (outputs + 4.0 + 2.0 * rank))
    };
    // Parameters, their gradient, and a copy on the host to write from; then the optimiser's arrays.
    let copies = 3.0 + if settings.optimizer == OptimizerChoice::Adam { 2.0 } else { 1.0 };
    let layer = |layer: &LayerSpec| {
        let (inputs, outputs) = (layer.inputs() as f64, layer.outputs() as f64);
        let (params, wide) = match *layer {
            LayerSpec::Gm { components, covariance, weights, .. } => {
                let (params, wide) = gm(components, inputs, outputs, covariance.rank(layer.inputs()) as f64);
                // Learned weights multiply a copy of the parameters, and there is a gradient of the copy.
                let share = if weights.are_equal() { 1.0 } else { (copies + 2.0) / copies };
                (share * params, wide)
            }
            LayerSpec::GmJoint { components, .. } => gm(components, inputs + 1.0, 1.0, inputs + 1.0),
            LayerSpec::Dense { .. } | LayerSpec::Stochastic { .. } => (inputs * outputs + outputs, outputs),
            LayerSpec::UnitNorm { .. } => (0.0, outputs),
            LayerSpec::Conv(_) | LayerSpec::BatchNorm(_) | LayerSpec::MaxPool(_) | LayerSpec::Dropout(_) => {
                (layer.params_len() as f64, outputs)
            }
        };
        copies * params + settings.batch_size as f64 * (inputs + outputs + wide)
    };
    let floats: f64 = spec.layers.iter().map(layer).sum();
    floats * settings.seeds.len() as f64 * size_of::<f32>() as f64
}
