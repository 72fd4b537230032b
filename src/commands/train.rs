//! `bures train`.

use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use serde_json::json;

use super::train_args::TrainArgs;
use super::{Common, print_json, show};
use crate::data::{Dataset, LoadOptions, Targets};
use crate::device::Device;
use crate::nn::{Covariance, Model, Provenance};
use crate::train::{
    Head, ModelKind, OptimizerChoice, Progress, RunFolder, Schedule, Settings, Summary, check_targets, train,
};
use crate::{Error, Result, plot};

pub(super) fn run(common: &Common, args: &TrainArgs) -> Result<()> {
    let (settings, resumed) = match &args.resume {
        Some(path) => {
            let (folder, settings) = RunFolder::open(path)?;
            (settings, Some(folder))
        }
        None => (args.settings()?, None),
    };
    // Generated data are the same for every seed, so that a seed gives the same bits alone and beside others.
    let options = LoadOptions { split: settings.split, ..LoadOptions::default() };
    let data = crate::data::load(&settings.data, &options)?.hold_out(settings.validation)?;
    if settings.batch_size > data.train.n {
        let (batch, n) = (settings.batch_size, data.train.n);
        return Err(Error::Config(format!("batch-size {batch} is larger than the training set, which has {n} rows")));
    }
    check_targets(&settings, &data)?;
    let device = common.device()?;
    let resume = resumed.is_some();
    let folder = match resumed {
        Some(folder) => folder,
        None => {
            let out = args.out.clone().map_or_else(|| default_out(&settings), Ok)?;
            RunFolder::create(&out, &settings.seeds, args.force)?
        }
    };
    let folder = match args.checkpoint_every()? {
        Some(time) => folder.checkpoint_every(time),
        None => folder,
    };
    if common.chatty() {
        announce(&settings, &data, &device)?;
        if common.verbose {
            say!("{}", folder.describe(&settings)?)?;
        }
    }
    let provenance = Provenance::of(&device, &data);
    let bar = show::progress_bar(common, 1, "");
    let mut tell = |progress: Progress| update(&bar, &progress);
    let outcome = train(&device, &settings, &data, &folder, &provenance, resume, &mut tell);
    bar.finish_and_clear();
    let summary = outcome?;
    let title = title(&settings, &data);
    plot::curves(&folder.metrics()?, &title, folder.path())?;
    report(common, &settings, &summary, &folder)
}

/// `runs/DATA-MODEL`, with a number behind it where that folder is taken.
fn default_out(settings: &Settings) -> Result<PathBuf> {
    let data = Path::new(&settings.data).file_stem().map_or("data".into(), |stem| stem.to_string_lossy().into_owned());
    let model = match settings.model {
        ModelKind::Gm => format!("gm-K{}", settings.components),
        ModelKind::GmJoint => format!("gm-joint-K{}", settings.components),
        ModelKind::Fc => "fc".to_owned(),
        ModelKind::Vgg => vgg(settings).to_owned(),
    };
    let hidden: String = settings.hidden.iter().map(|width| format!("-{width}")).collect();
    let covariance = match settings.covariance {
        Covariance::Diagonal => String::new(),
        Covariance::LowRank { rank } => format!("-low-rank-{rank}"),
        Covariance::Full => "-full".to_owned(),
    };
    let base = format!("{data}-{model}{covariance}{hidden}");
    (1..1000)
        .map(|i| Path::new("runs").join(if i == 1 { base.clone() } else { format!("{base}-{i}") }))
        .find(|path| !path.exists())
        .ok_or_else(|| Error::Config(format!("runs/ holds a thousand folders {base}-N; choose another --out")))
}

fn vgg(settings: &Settings) -> &'static str {
    if settings.head == Head::Gm { "vgg-gm" } else { "vgg-dense" }
}

fn announce(settings: &Settings, data: &Dataset, device: &Device) -> Result<()> {
    let rows = format!("{} + {}", show::count(data.train.n), show::count(data.test.n));
    let shape = match &data.image {
        Some(image) => format!("images of {}×{}", image.height, image.width),
        None => format!("rows of {} values", data.inputs),
    };
    let (goal, outputs) = match &data.train.targets {
        Targets::Classes { classes, .. } => (format!("{classes} classes"), classes.saturating_sub(1).max(1)),
        Targets::Values { outputs, .. } => {
            (format!("{outputs} target{}", if *outputs == 1 { "" } else { "s" }), *outputs)
        }
    };
    let built_in = if data.source.is_empty() { " (built in)" } else { "" };
    say!("{}: {rows} {shape}, {goal}{built_in}", data.name)?;
    let spec = match &settings.init {
        Some(path) => Model::read(path, Some(crate::nn::Activation::Relu))?.spec,
        None => settings.network(data.inputs, data.image, outputs)?,
    };
    spec.check()?;
    let optimizer = match settings.optimizer {
        OptimizerChoice::Adam => format!("Adam {}", show::rate(settings.lr)),
        OptimizerChoice::Sgd => format!("SGD {}, σ {}", show::rate(settings.lr), show::rate(settings.lr_sigma)),
    };
    let schedule = if settings.schedule == Schedule::Cosine { ", cosine" } else { "" };
    let seeds: Vec<String> = settings.seeds.iter().map(u64::to_string).collect();
    let plural = if seeds.len() == 1 { "" } else { "s" };
    say!(
        "{}, {} parameters · {optimizer}{schedule}, batch {} · seed{plural} {} · {}",
        spec.describe(),
        show::count(spec.parameters()),
        settings.batch_size,
        seeds.join(", "),
        device.describe()
    )?;
    Ok(())
}

fn update(bar: &ProgressBar, progress: &Progress) {
    bar.set_length(progress.steps);
    bar.set_position(progress.step);
    let per_epoch = progress.steps_per_epoch.max(1);
    let epoch = progress.step.div_ceil(per_epoch);
    bar.set_prefix(format!("epoch {epoch:>3}/{}", progress.steps.div_ceil(per_epoch)));
    let mut message = progress.loss.map_or_else(String::new, |loss| format!("loss {loss:.3}"));
    if let Some(error) = progress.test.and_then(|test| test.error) {
        message += &format!("  test error {:.2} %", 100.0 * error);
    }
    bar.set_message(message);
}

fn title(settings: &Settings, data: &Dataset) -> String {
    let model = match settings.model {
        ModelKind::Gm | ModelKind::GmJoint => format!("GM network, K = {}", settings.components),
        ModelKind::Fc => "dense network".to_owned(),
        ModelKind::Vgg => format!("convolutional network ({})", vgg(settings)),
    };
    let name =
        Path::new(&data.name).file_name().map_or_else(|| data.name.clone(), |n| n.to_string_lossy().into_owned());
    format!("{model}, on {name}")
}

fn report(common: &Common, settings: &Settings, summary: &Summary, folder: &RunFolder) -> Result<()> {
    let losses: Vec<f64> = summary.test.iter().map(|test| test.loss).collect();
    let errors: Option<Vec<f64>> = summary.test.iter().map(|test| test.error).collect();
    // The root of the mean squared error, in the units of a single target.
    let rmse: Option<Vec<f64>> = match (&summary.targets, &errors) {
        (Some(scale), None) if scale.std.len() == 1 => {
            Some(losses.iter().map(|loss| loss.sqrt() * scale.std[0]).collect())
        }
        _ => None,
    };
    let split = if settings.validation > 0 { "validation" } else { "test" };
    if common.json {
        return print_json(&json!({
            "out": folder.path(),
            "seeds": settings.seeds,
            "steps": summary.steps,
            "seconds": summary.seconds,
            "split": split,
            "loss": losses,
            "error": errors,
            "rmse": rmse,
        }));
    }
    let result = match (&errors, &rmse) {
        (Some(errors), _) => format!("{split} error {}", show::percent(errors)),
        (None, Some(rmse)) => format!("{split} RMSE {:.4}", show::mean_and_error(rmse).0),
        (None, None) => format!("{split} loss {:.4}", show::mean_and_error(&losses).0),
    };
    let epochs = match settings.max_steps {
        Some(_) => format!("{} steps", show::count(summary.steps as usize)),
        None => format!("{} epochs", settings.epochs),
    };
    say!("{result} after {epochs} in {}", show::seconds(summary.seconds))?;
    let model = if settings.seeds.len() > 1 { "seed-*/model.safetensors" } else { "model.safetensors" };
    say!("→ {}/  {model}  metrics.jsonl  curves.svg  curves.png", folder.path().display())?;
    Ok(())
}
