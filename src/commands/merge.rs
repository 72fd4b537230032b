//! `bures merge`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::certify::{json_of, summary, tell_files, tell_result};
use super::{Common, print_json};
use crate::certify::{Folder, merge};
use crate::{Result, report};

/// Options of `bures merge`.
#[derive(Args, Debug)]
pub(super) struct MergeArgs {
    /// The folders of the shares, in any order
    #[arg(value_name = "DIR", required = true)]
    shares: Vec<PathBuf>,
    /// Folder for the whole
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Replace results in the folder
    #[arg(long)]
    force: bool,
}

pub(super) fn run(common: &Common, args: &MergeArgs) -> Result<()> {
    let folder = Folder::choose(&args.out, args.force)?;
    let certificate = merge(&args.shares)?;
    folder.write(&certificate, || report::certificate(&certificate))?;
    let summary = summary(&certificate)?;
    if common.json {
        let mut object = json_of(&certificate, &summary);
        object["out"] = json!(folder.path());
        object["shares"] = json!(args.shares.len());
        return print_json(&object);
    }
    let [first, end] = certificate.about.inputs.range;
    let plural = if args.shares.len() == 1 { "" } else { "s" };
    say!("{} share{plural} joined: inputs {first}..{end}", args.shares.len())?;
    tell_result(&certificate, &summary)?;
    tell_files(&folder)
}
