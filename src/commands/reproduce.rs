//! `bures reproduce`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::{Common, print_json, show};
use crate::experiments::{Experiment, Stage, Verdict, reproduce};
use crate::io::write_atomic;
use crate::{Error, Result, report};

/// Options of `bures reproduce`.
#[derive(Args, Debug)]
pub(super) struct ReproduceArgs {
    /// Which experiments: gm, those of the paper on Gaussian-mixture layers; gm-figure8, its convolutional networks on CIFAR-10 and CIFAR-100, for which a GPU is wanted
    #[arg(value_enum)]
    id: Experiments,
    /// The same on small budgets and generated digits, in a minute or two
    #[arg(long)]
    quick: bool,
    /// Folder for data, figures and report; what is there is used again [default: reports/ID]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Experiments {
    Gm,
    GmFigure8,
}

pub(super) fn run(common: &Common, args: &ReproduceArgs) -> Result<()> {
    let (experiment, name) = match args.id {
        Experiments::Gm => (Experiment::Gm, "gm"),
        Experiments::GmFigure8 => (Experiment::GmFigure8, "gm-figure8"),
    };
    let default = || PathBuf::from(format!("reports/{name}{}", if args.quick { "-quick" } else { "" }));
    let out = args.out.clone().unwrap_or_else(default);
    let device = common.device()?;
    let bar = show::progress_bar(common, 1, "");
    let mut tell = |stage: Stage<'_>| match stage {
        Stage::Begins { run, data } => bar.set_message(format!("{data}: {run}")),
        Stage::Trains(progress) => {
            bar.set_length(progress.steps);
            bar.set_position(progress.step);
        }
        Stage::Does(what) => bar.set_message(what.to_owned()),
    };
    let outcome = reproduce(experiment, &device, &out, args.quick, &mut tell);
    bar.finish_and_clear();
    let done = outcome?;
    let page = out.join("report.html");
    write_atomic(&page, |file| file.write_all(report::paper(&done).as_bytes()).map_err(Error::io("write", &page)))?;
    let rows = || done.figures.iter().flat_map(|figure| &figure.rows);
    if common.json {
        let rows: Vec<_> =
            done.figures.iter().flat_map(|f| f.rows.iter().map(|row| json!({"figure": f.name, "row": row}))).collect();
        return print_json(&json!({"out": out, "quick": args.quick, "seconds": done.seconds, "rows": rows}));
    }
    let count = |verdict: Verdict| rows().filter(|row| row.verdict == verdict).count();
    for row in rows().filter(|row| row.verdict == Verdict::Missed) {
        say!("not found: {} ({}): {}", row.what, row.data, row.measured())?;
    }
    let time = show::seconds(done.seconds);
    if args.quick {
        say!("{} figures on small budgets in {time}", done.figures.len())?;
    } else {
        let (found, better, missed) = (count(Verdict::Found), count(Verdict::Better), count(Verdict::Missed));
        say!("{found} numbers and claims found as published, {better} better, {missed} not found, in {time}")?;
    }
    say!("→ {}/  report.html  results.jsonl  figure-*.svg", out.display())?;
    Ok(())
}
