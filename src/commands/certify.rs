//! `bures certify`.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::certify_args::CertifyArgs;
use super::{Common, print_json, show};
use crate::certify::{
    About, Certificate, Folder, Inputs, Progress, Settings, Subject, Summary, failure, median, round_up, run,
};
use crate::device::Device;
use crate::{Error, Result, report};

pub(super) fn run_command(common: &Common, args: &CertifyArgs) -> Result<()> {
    let settings = Settings {
        method: args.method.name().to_owned(),
        points: args.points,
        placement: args.placement.name().to_owned(),
        components: args.components,
        epsilon: args.epsilon,
        max_components: args.max_components,
        samples: args.samples,
        seed: args.seed,
        joint: args.joint,
    };
    settings.check()?;
    let out = args.out.clone().unwrap_or_else(|| default_out(&args.model));
    let folder = Folder::choose(&out, args.force)?;
    let subject = Subject::read(&args.model, args.activation, args.dropout)?;
    let (width, normalize) = (subject.model.spec.inputs(), &subject.model.normalize);
    let inputs = Inputs::read(&args.inputs, args.split, width, normalize, args.range.clone())?;
    if common.chatty() {
        let count = show::count(inputs.range.len());
        let plural = if inputs.range.len() == 1 { "" } else { "s" };
        let device = Device::Cpu.describe();
        let joint = if settings.joint { " jointly" } else { "" };
        say!("{} · {count} input{plural}{joint} · {} bound · {device}", subject.describe(), settings.method)?;
    }
    let bar = show::progress_bar(common, inputs.range.len() as u64, "certified");
    let mut tell = |progress: Progress| {
        bar.set_position(progress.done as u64);
        let (median, worst) = (round_up(progress.median, 2), round_up(progress.worst, 2));
        bar.set_message(format!("median {median}  worst {worst}"));
    };
    let started = std::time::Instant::now();
    let outcome = folder.during(|| run(&subject, &inputs, &settings, &mut tell));
    bar.finish_and_clear();
    let certificate = Certificate::new(About::new(&subject, &inputs, &settings), outcome?);
    let seconds = started.elapsed().as_secs_f64();
    folder.write(&certificate, || report::certificate(&certificate))?;
    let summary = summary(&certificate)?;
    if common.json {
        let mut object = json_of(&certificate, &summary);
        object["out"] = json!(folder.path());
        object["seconds"] = json!(seconds);
        print_json(&object)?;
    } else {
        tell_result(&certificate, &summary)?;
        tell_files(&folder)?;
    }
    match &certificate.about.failed[..] {
        [] => Ok(()),
        failed => Err(failure(&inputs.given, failed)),
    }
}

/// `runs/certify-MODEL`.
fn default_out(model: &Path) -> PathBuf {
    let stem = model.file_stem().map_or("model".into(), |stem| stem.to_string_lossy());
    Path::new("runs").join(format!("certify-{stem}"))
}

pub(super) fn summary(certificate: &Certificate) -> Result<Summary> {
    Summary::of(&certificate.records).ok_or_else(|| Error::Config("the certificate holds no input".to_owned()))
}

/// The fields that `certify`, `verify` and `merge` share.
pub(super) fn json_of(certificate: &Certificate, summary: &Summary) -> serde_json::Value {
    let shares = summary.shares.iter();
    let shares: Vec<_> = shares.map(|s| json!({"layer": s.layer, "kind": s.kind, "fraction": s.fraction})).collect();
    let [first, end] = certificate.about.inputs.range;
    let failed: Vec<usize> = certificate.about.failed.iter().map(|failed| failed.input).collect();
    json!({
        "inputs": end - first - failed.len(),
        "failed": failed,
        "range": [first, end],
        "joint": certificate.about.settings.joint,
        "method": certificate.about.settings.method,
        "median": summary.median,
        "worst": summary.worst,
        "worst_input": summary.worst_input,
        "worst_from": shares,
    })
}

/// The lines for people: the bounds, rounded up, and where the worst comes from.
pub(super) fn tell_result(certificate: &Certificate, summary: &Summary) -> Result<()> {
    let (median, worst) = (round_up(summary.median, 2), round_up(summary.worst, 2));
    let [first, end] = certificate.about.inputs.range;
    if certificate.about.settings.joint {
        let inputs = show::count(end - first);
        say!("relative W2 distance to the true joint distribution of the outputs at {inputs} inputs, proven: {worst}")?;
    } else {
        say!(
            "relative W2 distance to the network's true output distribution, proven: median {median}, worst {worst} (input {})",
            show::count(summary.worst_input)
        )?;
    }
    let shown = summary.shares.iter().take_while(|share| share.fraction >= 0.005).take(4);
    let parts: Vec<String> = shown
        .map(|share| {
            format!("{} in layer {} {:.0} %", report::kind_text(&share.kind), share.layer, 100.0 * share.fraction)
        })
        .collect();
    if !parts.is_empty() {
        say!("where the worst comes from: {}", parts.join(", "))?;
    }
    tell_samples(certificate)?;
    if let Some(epsilon) = certificate.about.settings.epsilon {
        tell_epsilon(certificate, epsilon)?;
    }
    Ok(())
}

/// What samples say, where there are some.
fn tell_samples(certificate: &Certificate) -> Result<()> {
    let sampled: Vec<_> = certificate.records.iter().filter_map(|r| Some((r, r.empirical.as_ref()?))).collect();
    let Some((_, first)) = sampled.first() else { return Ok(()) };
    let middle = |value: fn(&crate::certify::Empirical) -> f64| {
        let mut all: Vec<f64> = sampled.iter().map(|(r, e)| value(e) / r.second_moment.sqrt()).collect();
        all.sort_unstable_by(f64::total_cmp);
        median(&all)
    };
    say!(
        "measured with {} samples, relative, median: distance {}, of two samples of the same law {}, lower limit {}",
        show::count(first.samples),
        round_up(middle(|e| e.distance), 2),
        round_up(middle(|e| e.floor), 2),
        round_up(middle(|e| e.lower), 2)
    )
}

/// For how many inputs the bound asked for is reached, and why not for the others.
fn tell_epsilon(certificate: &Certificate, epsilon: f64) -> Result<()> {
    use crate::certify::Stop;
    let count = |stop: Stop| certificate.records.iter().filter(|record| record.stopped == Some(stop)).count();
    let mut parts = vec![format!("relative bound {epsilon} reached for {} inputs", show::count(count(Stop::Epsilon)))];
    let spent = count(Stop::Components);
    if spent > 0 {
        let most = certificate.about.settings.max_components;
        parts.push(format!("not within {most} components for {}", show::count(spent)));
    }
    let stuck = count(Stop::Stuck);
    if stuck > 0 {
        parts.push(format!("no further split helps for {}", show::count(stuck)));
    }
    say!("{}", parts.join(", "))
}

/// What lies in the folder.
pub(super) fn tell_files(folder: &Folder) -> Result<()> {
    say!("→ {}/  certificate.jsonl  mixture.safetensors  report.html", folder.path().display())
}
