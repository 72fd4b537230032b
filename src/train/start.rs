//! What a run trains and where its parameters start.

use super::memory;
use super::settings::Settings;
use crate::data::{Dataset, Normalization, TargetScale, Targets};
use crate::nn::{Model, NetworkSpec, Provenance, initialize};
use crate::{Error, Result};

/// The model to train, and every run's first parameters.
pub(super) struct Start {
    pub(super) model: Model,
    pub(super) runs: Vec<Vec<Vec<f32>>>,
}

/// The network that the settings ask for, or the model they start from, fitted to the data.
///
/// # Errors
/// [`Error::Config`] and [`Error::Data`] when they do not fit one another; what reading the model reports.
pub(super) fn start(settings: &Settings, data: &Dataset) -> Result<Start> {
    let (classes, outputs, targets) = match &data.train.targets {
        Targets::Classes { classes, .. } => (Some(*classes), classes.saturating_sub(1).max(1), None),
        Targets::Values { values, outputs } => (None, *outputs, Some(TargetScale::fit(values, *outputs))),
    };
    let normalize = Normalization::fit(settings.normalize, &data.train.features, data.inputs);
    let model = |spec: NetworkSpec, params| Model {
        spec,
        classes,
        normalize: normalize.clone(),
        targets: targets.clone(),
        provenance: Provenance::default(),
        params,
    };
    let Some(path) = &settings.init else {
        let spec = settings.network(data.inputs, data.image, outputs)?;
        spec.check()?;
        memory::check(&spec, settings)?;
        let runs = settings.seeds.iter().map(|&seed| initialize(&spec, &settings.start(), seed)).collect();
        return Ok(Start { model: model(spec, Vec::new()), runs });
    };
    let given = Model::read(path, Some(crate::nn::Activation::Relu))?;
    let fits = given.spec.inputs() == data.inputs
        && (given.spec.outputs() == outputs || classes == Some(given.spec.outputs()));
    if !fits {
        let what = format!(
            "the model takes {} inputs and has {} outputs, but {} has {} inputs and wants {outputs} outputs",
            given.spec.inputs(),
            given.spec.outputs(),
            data.name,
            data.inputs
        );
        return Err(Error::data(path, what));
    }
    given.spec.check_runs()?;
    memory::check(&given.spec, settings)?;
    let runs = vec![given.params; settings.seeds.len()];
    Ok(Start { model: model(given.spec, Vec::new()), runs })
}
