//! The lines of `certificate.jsonl`.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::core::{Method, Proof, TermKind};
use super::run::Certified;
use crate::{Error, Result};

/// What is certified about one input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Its number in the whole set; 0 for a joint set.
    pub input: usize,
    /// `tight`, `paper` or `paper-cross`.
    pub method: String,
    /// `W2(law of the output, mixture)` is at most this: a distance, in the units of the outputs.
    pub bound: f64,
    /// `bound / √second_moment`.
    pub relative_bound: f64,
    /// `E‖ẑ‖²` of the mixture, rounded down.
    pub second_moment: f64,
    /// Components of the mixture.
    pub components: usize,
    /// Why splitting ended; none where no bound was asked for.
    pub stopped: Option<Stop>,
    /// Parts of the bound, carried to the output; they sum to it.
    pub terms: Vec<RecordTerm>,
    /// The distance measured by sampling, no part of the proof; none where not asked for.
    pub empirical: Option<super::Empirical>,
}

/// Why splitting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stop {
    /// The relative bound asked for is reached.
    Epsilon,
    /// It is not reached within the components allowed.
    Components,
    /// No split within the components lowers the bound.
    Stuck,
}

/// A part of a bound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordTerm {
    /// The layer it arises in, from 1.
    pub layer: usize,
    /// Why, such as `linearisation`.
    pub kind: String,
    /// Its share of the bound.
    pub value: f64,
}

/// A term's kind in words.
pub fn kind_text(kind: &str) -> &str {
    match kind {
        "signature" => "signature points",
        "split" => "splits",
        "noise" => "weight noise",
        "noise-sharing" => "noise sharing",
        "carry-loss" => "loss of carrying",
        other => other,
    }
}

/// The name of a method in files.
pub(super) fn method_name(method: Method) -> &'static str {
    match method {
        Method::Tight => "tight",
        Method::PaperGrid => "paper",
        Method::PaperCross => "paper-cross",
    }
}

/// The method of that name in files.
pub(super) fn method_of(name: &str) -> Option<Method> {
    [Method::Tight, Method::PaperGrid, Method::PaperCross].into_iter().find(|&method| method_name(method) == name)
}

fn kind_name(kind: TermKind) -> &'static str {
    match kind {
        TermKind::Signature => "signature",
        TermKind::Split => "split",
        TermKind::Compression => "compression",
        TermKind::Linearisation => "linearisation",
        TermKind::Noise => "noise",
        TermKind::NoiseSharing => "noise-sharing",
        TermKind::Dropout => "dropout",
        TermKind::CarryLoss => "carry-loss",
        TermKind::Rounding => "rounding",
    }
}

impl Record {
    /// The line for one input.
    pub fn of(certified: &Certified) -> Self {
        let (stopped, empirical) = (certified.stopped, certified.empirical.clone());
        Self::proved(certified.input, certified.witness.method, &certified.proof, stopped, empirical)
    }

    /// The line that says what `proof` proves.
    pub(super) fn proved(
        input: usize,
        method: Method,
        proof: &Proof,
        stopped: Option<Stop>,
        empirical: Option<super::Empirical>,
    ) -> Self {
        let term = |term: &super::core::Term| RecordTerm {
            layer: term.layer,
            kind: kind_name(term.kind).to_owned(),
            value: term.value,
        };
        Self {
            input,
            method: method_name(method).to_owned(),
            bound: proof.bound,
            relative_bound: proof.relative_bound,
            second_moment: proof.second_moment,
            components: proof.mixture.weights.len(),
            stopped,
            terms: proof.terms.iter().map(term).collect(),
            empirical,
        }
    }

    /// The first of the proof's figures in which `self` differs from `proved`, bit for bit; none where they agree.
    pub(super) fn difference(&self, proved: &Self) -> Option<&'static str> {
        let same = |a: f64, b: f64| a.to_bits() == b.to_bits();
        let terms = || {
            self.terms.len() == proved.terms.len()
                && self.terms.iter().zip(&proved.terms).all(|(a, b)| a == b && same(a.value, b.value))
        };
        match () {
            () if self.input != proved.input => Some("number"),
            () if self.method != proved.method => Some("method"),
            () if !same(self.bound, proved.bound) => Some("bound"),
            () if !same(self.relative_bound, proved.relative_bound) => Some("relative_bound"),
            () if !same(self.second_moment, proved.second_moment) => Some("second_moment"),
            () if self.components != proved.components => Some("components"),
            () if !terms() => Some("terms"),
            () => None,
        }
    }
}

/// The text of a file with these lines.
pub(super) fn write_lines(records: &[Record], path: &Path) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    for record in records {
        serde_json::to_writer(&mut text, record).map_err(|why| Error::format(path, why.to_string()))?;
        text.push(b'\n');
    }
    Ok(text)
}

/// The lines of a file.
pub(super) fn read_lines(bytes: &[u8], path: &Path) -> Result<Vec<Record>> {
    let bad = |line: usize, why: String| Error::format(path, format!("line {}: {why}", line + 1));
    let text = std::str::from_utf8(bytes).map_err(|why| bad(0, why.to_string()))?;
    let lines = text.lines().enumerate();
    lines.map(|(at, line)| serde_json::from_str(line).map_err(|why| bad(at, why.to_string()))).collect()
}
