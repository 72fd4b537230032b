//! Proving a certificate again, from its folder, the model and the inputs alone.

use std::path::Path;

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::core::{Prepared, prove};
use super::folder::Certificate;
use super::inputs::Inputs;
use super::mixtures;
use super::record::Record;
use super::run::prove_set;
use super::subject::Subject;
use crate::{Error, Result};

/// Inputs between two looks at the progress, for each thread.
const CHUNK: usize = 16;

/// Recomputes every mixture, term and bound of the certificate in `folder` from the stored witness on the CPU, and refuses
/// on any difference. `model` and `inputs` are where these lie now, if not where the manifest says. `tell` hears how many
/// inputs are done, and of how many.
///
/// # Errors
/// [`Error::Data`] saying "does not verify", the file or input, and what differs; [`Error::Format`] when a file is damaged;
/// what reading the model and the inputs reports.
pub fn verify(
    folder: &Path,
    model: Option<&Path>,
    inputs: Option<&str>,
    tell: &mut dyn FnMut(usize, usize),
) -> Result<Certificate> {
    let certificate = Certificate::read(folder)?;
    let about = &certificate.about;
    let path = model.unwrap_or(Path::new(&about.model.path));
    let moved = |path: &Path, option: &str| {
        let what = format!("not there; the certificate is about it: say by {option} where it is now");
        Error::data(path, what)
    };
    if !path.exists() {
        return Err(moved(path, "--model"));
    }
    if crate::io::sha256_file(path)? != about.model.sha256 {
        return Err(Error::data(path, "does not verify: this is not the model of the certificate"));
    }
    let subject = Subject::read(path, about.model.activation, about.model.dropout)?;
    let given = inputs.unwrap_or(&about.inputs.given);
    if (given.ends_with(".npy") || given.ends_with(".npz")) && !Path::new(given).exists() {
        return Err(moved(Path::new(given), "--inputs"));
    }
    let [first, end] = about.inputs.range;
    let inputs = Inputs::read(given, about.inputs.split, subject.model.spec.inputs(), &subject.model.normalize, None)?;
    if inputs.sha256 != about.inputs.sha256 || end > inputs.total {
        return Err(Error::data(given, "does not verify: these are not the inputs of the certificate"));
    }
    let prepared = Prepared::new(&subject.network)?;
    let count = certificate.records.len();
    let chunk = CHUNK * rayon::current_num_threads();
    for start in (0..count).step_by(chunk) {
        let stop = (start + chunk).min(count);
        let rows = |at: usize| {
            let input = certificate.records[at].input;
            let rows = if about.settings.joint { first..end } else { input..input + 1 };
            rows.map(|row| inputs.row(row)).collect::<Vec<_>>()
        };
        let check = |at: usize| check(&certificate, &prepared, at, &rows(at));
        let found: Vec<Result<()>> = (start..stop).into_par_iter().map(check).collect();
        for result in found {
            result.map_err(|why| Error::data(folder, format!("does not verify: {why}{}", version(&certificate))))?;
        }
        tell(stop, count);
    }
    Ok(certificate)
}

/// Proves one input, or the joint set, again.
fn check(certificate: &Certificate, prepared: &Prepared, at: usize, rows: &[Vec<f64>]) -> Result<()> {
    let (record, witness) = (&certificate.records[at], &certificate.witnesses[at]);
    let differs =
        |what: &str| Err(Error::Config(format!("input {}: the {what} is not what the proof gives", record.input)));
    let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
    let proof = match (&rows[..], certificate.about.settings.joint) {
        ([row], false) => prove(prepared, row, witness),
        _ => prove_set(prepared, &rows, witness),
    };
    let proof = proof.map_err(|why| Error::Config(format!("input {} has no certificate: {why}", record.input)))?;
    let proved = Record::proved(record.input, witness.method, &proof, None, None);
    if let Some(what) = record.difference(&proved) {
        return differs(what);
    }
    match mixtures::difference(&certificate.mixtures[at], &proof.mixture) {
        Some(what) => differs(&format!("mixture's {what}")),
        None => Ok(()),
    }
}

/// Versions may differ in the last bits of a proof.
fn version(certificate: &Certificate) -> String {
    let (theirs, ours) = (&certificate.about.version, env!("CARGO_PKG_VERSION"));
    if theirs == ours { String::new() } else { format!(" (made by bures {theirs}; this is {ours})") }
}
