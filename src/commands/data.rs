//! `bures data`.

use clap::Args;
use serde_json::json;

use super::{Common, print_json};
use crate::Result;
use crate::data::{FileState, KNOWN, LoadOptions, check, known};

/// Options of `bures data`.
#[derive(Args, Debug)]
pub(super) struct DataArgs {
    /// The data set; without one, all names are listed
    name: Option<String>,
}

pub(super) fn run(common: &Common, args: &DataArgs) -> Result<()> {
    let Some(name) = &args.name else {
        if common.json {
            let names: Vec<&str> = KNOWN.iter().map(|set| set.name).collect();
            return print_json(&json!({ "names": names }));
        }
        for set in KNOWN {
            say!("{:14} {}", set.name, set.about)?;
        }
        return Ok(());
    };
    let set = known(name)?;
    let states = check(set, &LoadOptions::default().folders)?;
    if common.json {
        let files: Vec<_> = states
            .iter()
            .map(|(file, state)| json!({"name": file.name, "sha256": file.sha256, "state": describe(state).0}))
            .collect();
        return print_json(&json!({"name": set.name, "address": set.address, "files": files}));
    }
    say!("{}: {}", set.name, set.about)?;
    if !set.address.is_empty() {
        say!("published at {}", set.address)?;
    }
    for (file, state) in &states {
        let (word, more) = describe(state);
        say!("  {word:10} {}{}", file.name, if file.gzip { "[.gz]" } else { "" })?;
        if let Some(sum) = file.sha256 {
            say!("             SHA-256 {sum} (unpacked)")?;
        }
        if !more.is_empty() {
            say!("             {more}")?;
        }
    }
    Ok(())
}

/// One word for a file's state, and what more there is to say.
fn describe(state: &FileState) -> (&'static str, String) {
    match state {
        FileState::Ok => ("ok", String::new()),
        FileState::Missing => ("missing", String::new()),
        FileState::Unchecked { found } => ("unchecked", format!("this copy has {found}")),
        FileState::Differs { found } => ("differs", format!("this copy has {found}")),
        FileState::Unreadable { what } => ("unreadable", what.clone()),
        #[allow(unreachable_patterns)]
        _ => ("unknown", String::new()),
    }
}
