//! The lines of `metrics.jsonl`: what figures of training are drawn from.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Which part of a data set a [`Record`] was measured on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// The examples that the parameters are fitted to.
    Train,
    /// The examples kept apart for measuring.
    Test,
}

/// One line of `metrics.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The seed of the run that was measured.
    pub seed: u64,
    /// Training steps taken so far.
    pub step: u64,
    /// Epochs begun or completed so far; 0 before training.
    pub epoch: u64,
    /// Where the numbers were measured.
    pub split: Split,
    /// Mean loss; absent (`null`) where it was not finite.
    #[serde(default)]
    pub loss: Option<f64>,
    /// Fraction of wrong classes, or the root of the mean squared error of a regression; absent where not measured.
    #[serde(default)]
    pub error: Option<f64>,
    /// Wall-clock seconds since the run began.
    #[serde(default)]
    pub seconds: f64,
}

/// Reads a `metrics.jsonl` file. Empty lines are skipped; a last line cut short by a kill (without its line end) too.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read, [`Error::Format`] with the line number when a line is not a record.
pub fn read_metrics(path: impl AsRef<Path>) -> Result<Vec<Record>> {
    let path = path.as_ref();
    let mut reader = BufReader::new(File::open(path).map_err(Error::io("read", path))?);
    let mut records = Vec::new();
    let mut line = String::new();
    for number in 1_u64.. {
        line.clear();
        if reader.read_line(&mut line).map_err(Error::io("read", path))? == 0 {
            break;
        }
        if line.trim().is_empty() {
            continue;
        }
        match serde_json::from_str(&line) {
            Ok(record) => records.push(record),
            Err(_) if !line.ends_with('\n') => break,
            Err(why) => return Err(Error::format(path, format!("line {number} is not a metrics record: {why}"))),
        }
    }
    Ok(records)
}
