//! Proposing and proving, for every input of a range.

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use serde::{Deserialize, Serialize};

use super::core::{Method, Prepared, Proof, Witness};
use super::empirical::{self, Empirical};
use super::inputs::Inputs;
use super::propose::paper::{PaperSettings, certify_paper};
use super::record::{Stop, method_name, method_of};
use super::subject::Subject;
use super::{propose, sizes};
use crate::{Error, Result};

/// Inputs that a thread takes between two looks at the progress.
const CHUNK: usize = 16;

/// How mixtures and bounds are looked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `tight` or `paper`.
    pub method: String,
    /// Points of a component's signature, in the paper's method.
    pub points: usize,
    /// Components after compression, in the paper's method.
    pub components: usize,
    /// Split components until the relative bound is at most this; none for no splits.
    pub epsilon: Option<f64>,
    /// Components that splitting may use for an input.
    pub max_components: usize,
    /// Samples for the empirical distance; 0 for none.
    pub samples: usize,
    /// Seed of the samples.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        let method = method_name(Method::Tight).to_owned();
        Self { method, points: 10, components: 3, epsilon: None, max_components: 64, samples: 0, seed: 0 }
    }
}

impl Settings {
    /// Refuses settings that no run can have.
    pub fn check(&self) -> Result<Method> {
        let bad = |what: String| Err(Error::Config(what));
        if let Some(epsilon) = self.epsilon.filter(|e| !(*e > 0.0 && e.is_finite())) {
            return bad(format!("epsilon is {epsilon}; a positive number is needed"));
        }
        if self.max_components == 0 {
            return bad("max-components is 0; at least 1 is needed".to_owned());
        }
        if self.samples != 0 && !empirical::RANGE.contains(&self.samples) {
            let (least, most) = (empirical::RANGE.start(), empirical::RANGE.end());
            return bad(format!("samples is {}; between {least} and {most} are possible", self.samples));
        }
        for (name, value) in [("points", self.points), ("components", self.components)] {
            if value == 0 {
                return bad(format!("{name} is 0; at least 1 is needed"));
            }
        }
        match method_of(&self.method) {
            Some(Method::Tight) => Ok(Method::Tight),
            Some(Method::PaperGrid) if self.epsilon.is_some() => {
                bad("epsilon splits the tight method's components; the paper's method has points and components"
                    .to_owned())
            }
            Some(Method::PaperGrid) => Ok(Method::PaperGrid),
            _ => bad(format!("method {:?} is not known; choose tight or paper", self.method)),
        }
    }
}

/// An input with its certificate.
#[derive(Clone, Debug)]
pub struct Certified {
    /// Its number in the whole set.
    pub input: usize,
    /// What the proof needs beside network and input.
    pub witness: Witness,
    /// Mixture and bound.
    pub proof: Proof,
    /// Why splitting ended, where a bound was asked for.
    pub stopped: Option<Stop>,
    /// What samples say, where asked for.
    pub empirical: Option<Empirical>,
    /// The samples of the true law, `[n, D]`, of a run on one input; otherwise none.
    pub samples: Vec<f64>,
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
/// [`Error::Config`] for settings that no run can have and for what does not fit into memory; [`Error::Data`] naming the
/// first input that has no certificate, since a number in its proof is not finite.
pub fn run(
    subject: &Subject,
    inputs: &Inputs,
    settings: &Settings,
    tell: &mut dyn FnMut(Progress),
) -> Result<Vec<Certified>> {
    let method = settings.check()?;
    let components = match method {
        Method::Tight if settings.epsilon.is_some() => settings.max_components,
        Method::Tight => 1,
        Method::PaperGrid | Method::PaperCross => settings.points.saturating_mul(settings.components),
    };
    sizes::check(&subject.network, inputs.range.len(), components)?;
    let prepared = Prepared::new(&subject.network)?;
    let pool = propose::Pool::new(&subject.network);
    let total = inputs.range.len();
    let mut out: Vec<Certified> = Vec::with_capacity(total);
    let mut bounds: Vec<f64> = Vec::with_capacity(total);
    let chunk = CHUNK * rayon::current_num_threads();
    for first in inputs.range.clone().step_by(chunk) {
        let last = (first + chunk).min(inputs.range.end);
        let one = |input: usize| one(subject, (&prepared, pool.as_ref()), (method, settings), inputs, input);
        let part: Vec<Result<Certified>> = (first..last).into_par_iter().map(one).collect();
        for certified in part {
            let certified = certified?;
            bounds.push(certified.proof.relative_bound);
            out.push(certified);
        }
        // Stable, because that is quick on what is sorted but for its end.
        bounds.sort_by(f64::total_cmp);
        let median = super::summary::median(&bounds);
        tell(Progress { done: out.len(), total, median, worst: bounds.last().copied().unwrap_or(0.0) });
    }
    Ok(out)
}

fn one(
    subject: &Subject,
    (prepared, pool): (&Prepared, Option<&propose::Pool>),
    (method, settings): (Method, &Settings),
    inputs: &Inputs,
    input: usize,
) -> Result<Certified> {
    let (network, row) = (&subject.network, &inputs.row(input));
    let refuse = |why: Error| no_certificate(&inputs.given, input, &why);
    let (witness, proof, stopped) = match (method, settings.epsilon) {
        (Method::PaperGrid | Method::PaperCross, _) => {
            let sizes = PaperSettings { points: settings.points, components: settings.components };
            let (proof, witness) = certify_paper(prepared, row, sizes).map_err(refuse)?;
            (witness, proof, None)
        }
        (Method::Tight, None) => {
            let (witness, proof) = propose::unsplit(prepared, network, pool, row).map_err(refuse)?;
            (witness, proof, None)
        }
        (Method::Tight, Some(epsilon)) => {
            let start = propose::unsplit(prepared, network, pool, row).map_err(refuse)?;
            let best = propose::split(prepared, network, row, start, epsilon, settings.max_components);
            let (witness, proof, stop) = best.map_err(refuse)?;
            (witness, proof, Some(stop))
        }
    };
    if !proof.relative_bound.is_finite() {
        let why = format!("the mixture is 0, so that the bound {:e} is no fraction of it", proof.bound);
        return Err(refuse(Error::Config(why)));
    }
    let mut samples = Vec::new();
    let mut empirical = None;
    if settings.samples > 0 {
        let (n, seed) = (settings.samples, settings.seed);
        let (measured, drawn) = empirical::measure(network, row, &proof.mixture, n, seed, input)?;
        empirical = Some(measured);
        samples = if inputs.range.len() == 1 { drawn } else { samples };
    }
    Ok(Certified { input, witness, proof, stopped, empirical, samples })
}

/// The error for an input that cannot be certified.
fn no_certificate(given: &str, input: usize, why: &Error) -> Error {
    Error::data(given, format!("input {input} has no certificate: {why}"))
}
