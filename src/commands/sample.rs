//! `bures sample`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Common, print_json, show};
use crate::Result;
use crate::nn::{Activation, Model, sample_neurons};

/// Options of `bures sample`.
#[derive(Args, Debug)]
pub(super) struct SampleArgs {
    /// A model with a GM layer, a safetensors file
    model: PathBuf,
    /// How many neurons are drawn from every GM layer
    #[arg(long, value_name = "M")]
    neurons: usize,
    /// Where the network goes: dense layers, which PyTorch can load
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The seed of the draw
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

pub(super) fn run(common: &Common, args: &SampleArgs) -> Result<()> {
    let model = Model::read(&args.model, Some(Activation::Relu))?;
    let sampled = sample_neurons(&model, args.neurons, args.seed)?;
    sampled.write(&args.out)?;
    if common.json {
        let json = json!({"out": args.out, "neurons": args.neurons, "parameters": sampled.spec.parameters()});
        return print_json(&json);
    }
    let parameters = show::count(sampled.spec.parameters());
    say!(
        "{}, {parameters} parameters, neurons drawn from {} → {}",
        sampled.spec.describe(),
        args.model.display(),
        args.out.display()
    )?;
    Ok(())
}
