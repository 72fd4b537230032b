//! `bures eval`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Common, print_json, show};
use crate::data::{Dataset, LoadOptions, Targets};
use crate::nn::{Activation, Model, Network};
use crate::train::{Evaluator, Resident};
use crate::{Error, Result};

/// Options of `bures eval`.
#[derive(Args, Debug)]
pub(super) struct EvalArgs {
    /// The model, a safetensors file
    model: PathBuf,
    /// Data set: a name or a path
    #[arg(long, value_name = "NAME|PATH")]
    data: String,
    /// Which published split of a UCI set [default: 0]
    #[arg(long, value_name = "I")]
    split: Option<usize>,
    /// What follows the dense layers of a model that does not say so itself
    #[arg(long, value_name = "relu|tanh|none", value_parser = super::predict::activation)]
    activation: Option<Activation>,
}

pub(super) fn run(common: &Common, args: &EvalArgs) -> Result<()> {
    let mut model = Model::read(&args.model, args.activation)?;
    let options = LoadOptions { split: args.split, ..LoadOptions::default() };
    let data = crate::data::load(&args.data, &options)?;
    fit(&mut model, &data, args)?;
    let device = common.device()?;
    let split = Resident::new(&device, &data.test, data.inputs, &model.normalize, model.targets.as_ref())?;
    let network = Network::new(&device, &model.spec, std::slice::from_ref(&model.params))?;
    let mut evaluator = Evaluator::new(&device, &model.spec, 1, &split, model.has_reference_class())?;
    let result = evaluator.evaluate(&mut device.stream()?, &network, &split)?[0];
    let rmse = match (&model.targets, result.error) {
        (Some(scale), None) if scale.std.len() == 1 => Some(result.loss.sqrt() * scale.std[0]),
        _ => None,
    };
    if common.json {
        let fields =
            json!({"data": data.name, "rows": data.test.n, "loss": result.loss, "error": result.error, "rmse": rmse});
        return print_json(&fields);
    }
    let figure = match (result.error, rmse) {
        (Some(error), _) => format!("error {:.2} %", 100.0 * error),
        (None, Some(rmse)) => format!("RMSE {rmse:.4}"),
        (None, None) => String::new(),
    };
    say!("{}: {} test rows, loss {:.4}, {figure}", data.name, show::count(data.test.n), result.loss)?;
    Ok(())
}

/// Refuses a data set that the model cannot be evaluated on, and settles how many classes a model has that does not say.
fn fit(model: &mut Model, data: &Dataset, args: &EvalArgs) -> Result<()> {
    let (inputs, outputs) = (model.spec.inputs(), model.spec.outputs());
    let refuse = |what: String| Err(Error::data(&args.model, what));
    if inputs != data.inputs {
        return refuse(format!("the model takes {inputs} inputs, but {} has {}", data.name, data.inputs));
    }
    match &data.test.targets {
        Targets::Classes { classes, .. } => {
            if model.targets.is_some() || (*classes != outputs && *classes != outputs + 1) {
                return refuse(format!(
                    "the model's {outputs} outputs do not fit the {classes} classes of {}",
                    data.name
                ));
            }
            model.classes = model.classes.or(Some(*classes));
        }
        Targets::Values { outputs: wanted, .. } => {
            if *wanted != outputs || model.classes.is_some() {
                return refuse(format!("the model does not predict the {wanted} targets of {}", data.name));
            }
        }
    }
    Ok(())
}
