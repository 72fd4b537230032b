//! `bures predict`.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::{Common, print_json, show};
use crate::data::Features;
use crate::io::{ArrayData, read_npy, write_npy_f32};
use crate::nn::{Activation, Model};
use crate::train::predict;
use crate::{Error, Result};

/// Options of `bures predict`.
#[derive(Args, Debug)]
pub(super) struct PredictArgs {
    /// The model, a safetensors file
    model: PathBuf,
    /// Inputs: an array [n, …] of floats, or of bytes (which are divided by 255); the model's normalisation is applied
    #[arg(long, value_name = "X.npy")]
    inputs: PathBuf,
    /// Where the outputs [n, L] go: logits of classes 1..L (class 0 has logit 0), or predicted targets in their units
    #[arg(long, value_name = "Y.npy")]
    out: PathBuf,
    /// What follows the dense layers of a model that does not say so itself
    #[arg(long, value_name = "relu|tanh|none", value_parser = activation)]
    activation: Option<Activation>,
}

/// Parses an activation's name.
pub(super) fn activation(text: &str) -> std::result::Result<Activation, String> {
    match text {
        "relu" => Ok(Activation::Relu),
        "tanh" => Ok(Activation::Tanh),
        "none" => Ok(Activation::None),
        _ => Err("an activation is relu, tanh or none".to_owned()),
    }
}

pub(super) fn run(common: &Common, args: &PredictArgs) -> Result<()> {
    let model = Model::read(&args.model, args.activation)?;
    let (n, features) = read_inputs(&args.inputs, model.spec.inputs())?;
    let outputs = predict(&common.device()?, &model, features)?;
    if let Some(at) = outputs.iter().position(|value| !value.is_finite()) {
        let (row, value) = (at / model.spec.outputs(), outputs[at]);
        return Err(Error::data(
            &args.inputs,
            format!("row {row} gives the output {value}; its values may be too large"),
        ));
    }
    let shape = [n, model.spec.outputs()];
    write_npy_f32(&args.out, &shape, &outputs)?;
    if common.json {
        return print_json(&json!({"out": args.out, "shape": shape}));
    }
    say!("{} rows of {} outputs → {}", show::count(n), model.spec.outputs(), args.out.display())?;
    Ok(())
}

/// Rows of `inputs` values each; trailing dimensions are flattened.
fn read_inputs(path: &Path, inputs: usize) -> Result<(usize, Features)> {
    let array = read_npy(path)?;
    let n = array.shape.first().copied().unwrap_or(0);
    let width: usize = array.shape.iter().skip(1).product();
    if n == 0 || array.shape.len() < 2 || width != inputs {
        let what = format!("an array of shape {:?}; the model takes [n, {inputs}] with n at least 1", array.shape);
        return Err(Error::format(path, what));
    }
    let features = match array.data {
        ArrayData::U8(bytes) => Features::U8(bytes),
        _ => Features::F32(array.finite_f32(path, "inputs")?),
    };
    Ok((n, features))
}
