//! Joining the shares of a certification that several machines or jobs have made.

use std::path::PathBuf;

use super::folder::Certificate;
use crate::{Error, Result};

/// Joins shares of one certification into what a single run would have made, bit for bit. Their ranges may be given in any
/// order and must follow one another without a gap.
///
/// # Errors
/// [`Error::Config`] naming two shares that overlap, leave a gap, or are of different models, inputs, settings or versions;
/// as for [`Certificate::read`].
pub fn merge(folders: &[PathBuf]) -> Result<Certificate> {
    let mut shares = Vec::with_capacity(folders.len());
    for folder in folders {
        shares.push((folder.display(), Certificate::read(folder)?));
    }
    shares.sort_by_key(|(_, share)| share.about.inputs.range);
    let mut shares = shares.into_iter();
    let Some((mut name, mut whole)) = shares.next() else {
        return Err(Error::Config("there is no share to merge".to_owned()));
    };
    for (next_name, next) in shares {
        let refuse = |what: String| Err(Error::Config(format!("{name} and {next_name} {what}")));
        let (a, b) = (&whole.about, &next.about);
        if (&a.model.sha256, a.model.activation, a.model.dropout)
            != (&b.model.sha256, b.model.activation, b.model.dropout)
        {
            return refuse("are of different models".to_owned());
        }
        if a.inputs.sha256 != b.inputs.sha256 {
            return refuse("are of different inputs".to_owned());
        }
        if a.settings != b.settings {
            return refuse("were made with different settings".to_owned());
        }
        if (&a.version, &a.commit) != (&b.version, &b.commit) {
            return refuse("were made by different versions of bures".to_owned());
        }
        let ([_, end], [start, stop]) = (a.inputs.range, b.inputs.range);
        if start < end {
            return refuse(format!("overlap: both hold input {start}"));
        }
        if start > end {
            return refuse(format!("leave a gap: inputs {end}..{start} are in no share"));
        }
        whole.about.inputs.range[1] = stop;
        whole.records.extend(next.records);
        whole.mixtures.extend(next.mixtures);
        whole.witnesses.extend(next.witnesses);
        // Kept for a single input only.
        whole.samples.clear();
        name = next_name;
    }
    Ok(whole)
}
