//! Joining the shares of a certification that several machines or jobs have made.

use std::path::PathBuf;

use super::folder::Certificate;
use crate::{Error, Result};

/// Joins shares of one certification into what a single run would have made, bit for bit. Their ranges may be given in any
/// order and must follow one another without a gap.
///
/// # Errors
/// [`Error::Data`] naming two shares that overlap, leave a gap, or are of different models, inputs, settings or versions;
/// as for [`Certificate::read`].
pub fn merge(folders: &[PathBuf]) -> Result<Certificate> {
    let mut shares = Vec::with_capacity(folders.len());
    for folder in folders {
        shares.push((folder, Certificate::read(folder)?));
    }
    shares.sort_by_key(|(_, share)| share.about.inputs.range);
    let mut shares = shares.into_iter();
    let Some((mut name, mut whole)) = shares.next() else {
        return Err(Error::Config("there is no share to merge".to_owned()));
    };
    for (next_name, next) in shares {
        let refuse =
            |what: String| Err(Error::data(next_name, format!("cannot be joined with {}: {what}", name.display())));
        let (a, b) = (&whole.about, &next.about);
        if a.settings.joint || b.settings.joint {
            return refuse("a joint certificate is of all inputs at once and has no shares".to_owned());
        }
        if (&a.model.sha256, a.model.activation, a.model.dropout)
            != (&b.model.sha256, b.model.activation, b.model.dropout)
        {
            return refuse("it is of another model".to_owned());
        }
        if a.inputs.sha256 != b.inputs.sha256 {
            return refuse("it is of other inputs".to_owned());
        }
        if a.settings != b.settings {
            return refuse("it was made with other settings".to_owned());
        }
        if (&a.version, &a.commit) != (&b.version, &b.commit) {
            return refuse("it was made by another version of bures".to_owned());
        }
        let ([_, end], [start, stop]) = (a.inputs.range, b.inputs.range);
        if start < end {
            return refuse(format!("both hold input {start}"));
        }
        if start > end {
            return refuse(format!("inputs {end}..{start} are in no share"));
        }
        whole.about.inputs.range[1] = stop;
        whole.about.failed.extend(next.about.failed);
        whole.records.extend(next.records);
        whole.mixtures.extend(next.mixtures);
        whole.witnesses.extend(next.witnesses);
        // Kept for a single input only.
        whole.samples.clear();
        name = next_name;
    }
    Ok(whole)
}
