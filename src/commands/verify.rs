//! `bures verify`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::certify::{json_of, summary, tell_result};
use super::{Common, print_json, show};
use crate::Result;
use crate::certify::verify;

/// Options of `bures verify`.
#[derive(Args, Debug)]
pub(super) struct VerifyArgs {
    /// The folder of a certificate
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Where the model lies now, if it was moved
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
    /// Where the inputs lie now, if they were moved
    #[arg(long, value_name = "X.npy|X.npz|NAME")]
    inputs: Option<String>,
}

pub(super) fn run(common: &Common, args: &VerifyArgs) -> Result<()> {
    let bar = show::progress_bar(common, 0, "verified");
    let mut tell = |done: usize, total: usize| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    };
    let outcome = verify(&args.folder, args.model.as_deref(), args.inputs.as_deref(), &mut tell);
    bar.finish_and_clear();
    let certificate = outcome?;
    let summary = summary(&certificate)?;
    if common.json {
        let mut object = json_of(&certificate, &summary);
        object["verified"] = json!(true);
        return print_json(&object);
    }
    let inputs = show::count(summary.inputs);
    let plural = if summary.inputs == 1 { "" } else { "s" };
    say!(
        "verified: model, inputs and files are those of the certificate; {inputs} bound{plural} proved again, every bit equal"
    )?;
    tell_result(&certificate, &summary)
}
