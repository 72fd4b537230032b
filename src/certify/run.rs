//! Proposing and proving, for every input of a range.

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::core::{Method, Network, Prepared, Proof, Witness, prove_joint, replay_paper};
use super::empirical::{self, Empirical};
use super::inputs::Inputs;
use super::manifest::Failed;
use super::propose::paper::{MOST_AXES, PaperSettings, certify_paper};
use super::record::Stop;
use super::settings::Settings;
use super::subject::Subject;
use super::{propose, sizes};
use crate::{Error, Result};

/// Inputs that a thread takes between two looks at the progress.
const CHUNK: usize = 64;

/// Inputs without a certificate that an error names.
const NAMED: usize = 10;

/// An input, or a joint set of them, with its certificate.
#[derive(Clone, Debug)]
pub struct Certified {
    /// Its number in the whole set; 0 for a joint set.
    pub input: usize,
    /// What the proof needs beside network and input.
    pub witness: Witness,
    /// Mixture and bound.
    pub proof: Proof,
    /// Why splitting ended, where a bound was asked for.
    pub stopped: Option<Stop>,
    /// What samples say, where asked for.
    pub empirical: Option<Empirical>,
    /// The samples of the true law, `[n, D]`, of a run on one input or a joint set; otherwise none.
    pub samples: Vec<f64>,
}

/// What a run makes.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// In the order of the inputs.
    pub certified: Vec<Certified>,
    /// Inputs that have no certificate, in order; not all of them.
    pub failed: Vec<Failed>,
}

/// How far a run is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Inputs done.
    pub done: usize,
    /// Inputs in all.
    pub total: usize,
    /// Median of the relative bounds so far.
    pub median: f64,
    /// The largest of them.
    pub worst: f64,
}

/// Certifies every input of the range, on all threads; `tell` hears how far it is. Equal arguments give equal bits,
/// whatever the number of threads, and an input's certificate does not depend on the range.
///
/// # Errors
/// [`Error::Config`] for settings that no run can have and for what does not fit into memory; [`Error::Data`] where no input has a
/// certificate, since a number in its proof is not finite. One that has none does not keep others from theirs.
pub fn run(subject: &Subject, inputs: &Inputs, settings: &Settings, tell: &mut dyn FnMut(Progress)) -> Result<Outcome> {
    let method = settings.check()?;
    check(subject, method, settings)?;
    let components = match method {
        Method::Tight if settings.epsilon.is_some() => settings.max_components,
        Method::Tight => 1,
        Method::PaperGrid => settings.points.saturating_mul(settings.components),
        Method::PaperCross => settings.points.max(MOST_AXES * 2).saturating_mul(settings.components),
    };
    let at_once = if settings.joint { inputs.range.len() } else { 1 };
    sizes::check(&subject.network, method, [inputs.range.len(), at_once], components)?;
    sizes::check_samples(&subject.network, settings.samples, at_once, components)?;
    let about_model = |why: Error| Error::data(&subject.path, why.to_string());
    let prepared = Prepared::new(&subject.network).map_err(about_model)?;
    if settings.joint {
        let certified = joint(subject, &prepared, (method, settings), inputs)?;
        let bound = certified.proof.relative_bound;
        tell(Progress { done: inputs.range.len(), total: inputs.range.len(), median: bound, worst: bound });
        return Ok(Outcome { certified: vec![certified], failed: Vec::new() });
    }
    let pool = if method == Method::Tight { propose::Pool::new(&subject.network) } else { None };
    let total = inputs.range.len();
    let mut outcome = Outcome { certified: Vec::with_capacity(total), failed: Vec::new() };
    let mut bounds: Vec<f64> = Vec::with_capacity(total);
    let chunk = CHUNK * rayon::current_num_threads();
    for first in inputs.range.clone().step_by(chunk) {
        let last = (first + chunk).min(inputs.range.end);
        let one = |input: usize| one(subject, (&prepared, pool.as_ref()), (method, settings), inputs, input);
        let part: Vec<Result<Certified>> = (first..last).into_par_iter().map(one).collect();
        for (input, certified) in (first..last).zip(part) {
            match certified {
                Ok(certified) => {
                    bounds.push(certified.proof.relative_bound);
                    outcome.certified.push(certified);
                }
                Err(why) => outcome.failed.push(Failed { input, why: why.to_string() }),
            }
        }
        // Stable, because that is quick on what is sorted but for its end.
        bounds.sort_by(f64::total_cmp);
        let median = super::summary::median(&bounds);
        let done = outcome.certified.len() + outcome.failed.len();
        tell(Progress { done, total, median, worst: bounds.last().copied().unwrap_or(0.0) });
    }
    match &outcome.failed[..] {
        [first, ..] if outcome.certified.is_empty() => Err(failure(&inputs.given, std::slice::from_ref(first))),
        _ => Ok(outcome),
    }
}

/// The error that names inputs without a certificate, and says why the first has none.
pub fn failure(given: &str, failed: &[Failed]) -> Error {
    let names: Vec<String> = failed.iter().take(NAMED).map(|failed| failed.input.to_string()).collect();
    let more = if failed.len() > NAMED { format!(" and {} more", failed.len() - NAMED) } else { String::new() };
    let why = failed.first().map_or("", |failed| &failed.why);
    let (plural, have) = if failed.len() == 1 { ("", "has") } else { ("s", "have") };
    Error::data(given, format!("input{plural} {}{more} {have} no certificate: {why}", names.join(", ")))
}

/// Refuses what the method cannot do with this network.
fn check(subject: &Subject, method: Method, settings: &Settings) -> Result<()> {
    let drops = subject.network.layers.iter().any(|layer| layer.dropout > 0.0);
    let refuse = |what: &str| Err(Error::Config(what.to_owned()));
    match () {
        () if subject.is_correlated() && method == Method::Tight => {
            refuse("the tight method needs independent weights, and this network's are correlated: take --method paper")
        }
        () if settings.joint && drops => {
            refuse("--joint takes no dropout: whether the inputs share their masks is not settled")
        }
        () => Ok(()),
    }
}

/// All inputs at once.
fn joint(
    subject: &Subject,
    prepared: &Prepared,
    (method, settings): (Method, &Settings),
    inputs: &Inputs,
) -> Result<Certified> {
    let rows: Vec<Vec<f64>> = inputs.range.clone().map(|row| inputs.row(row)).collect();
    let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
    let refuse = |why: Error| Error::data(&inputs.given, format!("the joint set has no certificate: {why}"));
    let (proof, witness) = match method {
        Method::PaperGrid | Method::PaperCross => {
            certify_paper(prepared, &rows, paper_settings(settings)).map_err(refuse)?
        }
        Method::Tight => {
            let witness = propose::plain(&subject.network);
            (prove_joint(prepared, &rows, &witness).map_err(refuse)?, witness)
        }
    };
    if !proof.relative_bound.is_finite() {
        return Err(refuse(no_fraction(proof.bound)));
    }
    let (empirical, samples) = measured(&subject.network, &rows, &proof, settings, 0)?;
    Ok(Certified { input: 0, witness, proof, stopped: None, empirical, samples })
}

/// Proves a joint set again.
pub(super) fn prove_set(prepared: &Prepared, inputs: &[&[f64]], witness: &Witness) -> Result<Proof> {
    match witness.method {
        Method::PaperGrid | Method::PaperCross => replay_paper(prepared, inputs, witness),
        Method::Tight => prove_joint(prepared, inputs, witness),
    }
}

fn paper_settings(settings: &Settings) -> PaperSettings {
    PaperSettings { points: settings.points, components: settings.components, cross: settings.placement == "cross" }
}

fn one(
    subject: &Subject,
    (prepared, pool): (&Prepared, Option<&propose::Pool>),
    (method, settings): (Method, &Settings),
    inputs: &Inputs,
    input: usize,
) -> Result<Certified> {
    let (network, row) = (&subject.network, &inputs.row(input));
    let (witness, proof, stopped) = match (method, settings.epsilon) {
        (Method::PaperGrid | Method::PaperCross, _) => {
            let (proof, witness) = certify_paper(prepared, &[row], paper_settings(settings))?;
            (witness, proof, None)
        }
        (Method::Tight, None) => {
            let (witness, proof) = propose::unsplit(prepared, network, pool, row)?;
            (witness, proof, None)
        }
        (Method::Tight, Some(epsilon)) => {
            let start = propose::unsplit(prepared, network, pool, row)?;
            let best = propose::split(prepared, network, row, start, epsilon, settings.max_components);
            let (witness, proof, stop) = best?;
            (witness, proof, Some(stop))
        }
    };
    if !proof.relative_bound.is_finite() {
        return Err(no_fraction(proof.bound));
    }
    let (empirical, mut samples) = measured(network, &[row], &proof, settings, input)?;
    if inputs.range.len() > 1 {
        samples.clear();
    }
    Ok(Certified { input, witness, proof, stopped, empirical, samples })
}

/// What samples say, where asked for, and those of the true law.
fn measured(
    network: &Network,
    rows: &[&[f64]],
    proof: &Proof,
    settings: &Settings,
    input: usize,
) -> Result<(Option<Empirical>, Vec<f64>)> {
    if settings.samples == 0 {
        return Ok((None, Vec::new()));
    }
    let (empirical, samples) =
        empirical::measure(network, rows, &proof.mixture, settings.samples, [settings.seed, input as u64])?;
    Ok((Some(empirical), samples))
}

fn no_fraction(bound: f64) -> Error {
    Error::Config(format!("the mixture is 0, so that the bound {bound:e} is no fraction of it"))
}
