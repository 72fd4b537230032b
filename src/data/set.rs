//! What every reader returns.

use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// A data set in host memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// The name it was asked for by, or the file it came from.
    pub name: String,
    /// What to train on.
    pub train: Split,
    /// What to report errors on.
    pub test: Split,
    /// Numbers per row of the features.
    pub inputs: usize,
    /// How a row is a picture, if it is one.
    pub image: Option<ImageShape>,
    /// The files it was read from; empty for generated sets.
    pub source: Vec<Source>,
}

/// A row of features is `channels · height · width` values, channel by channel and row by row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageShape {
    /// Rows of pixels.
    pub height: usize,
    /// Pixels per row.
    pub width: usize,
    /// Values per pixel.
    pub channels: usize,
}

/// A file and the SHA-256 sum of its bytes as they were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Where it was read.
    pub path: PathBuf,
    /// 64 hexadecimal digits.
    pub sha256: String,
}

/// Rows with their targets.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// How many rows, at least one.
    pub n: usize,
    /// `[n, inputs]`, row-major, unpadded.
    pub features: Features,
    /// One target per row.
    pub targets: Targets,
}

/// Input values.
#[derive(Debug, Clone, PartialEq)]
pub enum Features {
    /// Pixels; value v means v/255.
    U8(Vec<u8>),
    /// Finite numbers.
    F32(Vec<f32>),
}

/// What is to be predicted.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// Classification.
    Classes {
        /// A label below `classes` per row.
        labels: Vec<u32>,
        /// How many classes there are, at least 2.
        classes: usize,
    },
    /// Regression.
    Values {
        /// `[n, outputs]`, row-major, finite, in the data's own units.
        values: Vec<f32>,
        /// Values per row.
        outputs: usize,
    },
}

impl Features {
    /// How many values there are.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(v) => v.len(),
            Self::F32(v) => v.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Row `row` of rows of `inputs` values, pixels divided by 255; `None` beyond the end.
    pub fn row(&self, row: usize, inputs: usize) -> Option<Vec<f32>> {
        let start = row.checked_mul(inputs)?;
        let range = start..start.checked_add(inputs)?;
        match self {
            Self::U8(v) => Some(v.get(range)?.iter().map(|&p| f32::from(p) / 255.0).collect()),
            Self::F32(v) => v.get(range).map(<[f32]>::to_vec),
        }
    }
}

impl Targets {
    /// How many numbers a network with a reference class puts out: classes − 1, or the outputs of
    /// a regression.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Classes { classes, .. } => classes.saturating_sub(1),
            Self::Values { outputs, .. } => *outputs,
        }
    }
}

impl Split {
    /// Puts rows and targets together.
    ///
    /// # Errors
    /// [`Error::Data`] about `path` when there are no rows, their numbers differ, or a label is
    /// not below the number of classes; `name` ("training set") says which part of the data.
    pub(super) fn new(path: &Path, name: &str, inputs: usize, features: Features, targets: Targets) -> Result<Self> {
        let bad = |what: String| Error::data(path, format!("{name}: {what}"));
        if inputs == 0 || features.is_empty() {
            return Err(bad("it holds no examples".into()));
        }
        let n = features.len() / inputs;
        let found = match &targets {
            Targets::Classes { labels, .. } => labels.len(),
            Targets::Values { values, outputs } => values.len().checked_div(*outputs).unwrap_or(0),
        };
        if n * inputs != features.len() || n != found {
            return Err(bad(format!("{n} examples but {found} targets; there must be one target for each example")));
        }
        if let Targets::Classes { labels, classes } = &targets
            && let Some((at, label)) = labels.iter().enumerate().find(|&(_, &l)| l as usize >= *classes)
        {
            return Err(bad(format!("label {label} of example {at} is not below the {classes} classes")));
        }
        Ok(Self { n, features, targets })
    }
}

impl Dataset {
    /// Sets the last `rows` training rows aside and puts them in the place of the test split; 0 changes nothing.
    ///
    /// # Errors
    /// [`Error::Config`] when no training row would be left.
    pub fn hold_out(mut self, rows: usize) -> Result<Self> {
        if rows == 0 {
            return Ok(self);
        }
        if rows >= self.train.n {
            let what = format!("validation {rows} leaves nothing of the {} training rows", self.train.n);
            return Err(Error::Config(what));
        }
        let kept = self.train.n - rows;
        let features = match &mut self.train.features {
            Features::U8(values) => Features::U8(values.split_off(kept * self.inputs)),
            Features::F32(values) => Features::F32(values.split_off(kept * self.inputs)),
        };
        let targets = match &mut self.train.targets {
            Targets::Classes { labels, classes } => {
                Targets::Classes { labels: labels.split_off(kept), classes: *classes }
            }
            Targets::Values { values, outputs } => {
                Targets::Values { values: values.split_off(kept * *outputs), outputs: *outputs }
            }
        };
        self.train.n = kept;
        self.test = Split { n: rows, features, targets };
        Ok(self)
    }
}
