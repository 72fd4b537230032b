//! What a run trains and where its parameters start.

use super::choices::{LossChoice, ModelKind};
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

/// Refuses settings that the targets of the data do not allow.
///
/// # Errors
/// [`Error::Config`] for a loss that is not theirs, and for a joint layer where there are classes or several targets.
pub fn check_targets(settings: &Settings, data: &Dataset) -> Result<()> {
    let (has, loss) = match &data.train.targets {
        Targets::Classes { .. } => ("classes".to_owned(), LossChoice::Logistic),
        Targets::Values { outputs, .. } => (format!("{outputs} target values"), LossChoice::Squared),
    };
    if settings.loss.is_some_and(|wanted| wanted != loss) {
        let wanted = if loss == LossChoice::Squared { "squared" } else { "logistic" };
        let what = format!("{} has {has}: its loss is {wanted}, which --loss cannot change", data.name);
        return Err(Error::Config(what));
    }
    let single = matches!(data.train.targets, Targets::Values { outputs: 1, .. });
    if settings.model == ModelKind::GmJoint && !single {
        let what = format!("the model gm-joint is for one target value, and {} has {has}: take --model gm", data.name);
        return Err(Error::Config(what));
    }
    Ok(())
}

/// The network that the settings ask for, or the model they start from, fitted to the data.
///
/// # Errors
/// [`Error::Config`] and [`Error::Data`] when they do not fit one another; what reading the model reports.
pub(super) fn start(settings: &Settings, data: &Dataset) -> Result<Start> {
    check_targets(settings, data)?;
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
