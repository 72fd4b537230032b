//! How inputs and regression targets are brought to a common scale.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::set::Features;
use crate::{Error, Result};

/// Which normalisation to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NormalizationKind {
    /// Leave values as they are (pixels are divided by 255).
    None,
    /// One mean and one standard deviation for all values of the training set.
    Global,
    /// Each row by its own mean and standard deviation.
    PerImage,
    /// Each column by its mean and standard deviation over the training set.
    PerFeature,
}

impl FromStr for NormalizationKind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "none" => Ok(Self::None),
            "global" => Ok(Self::Global),
            "per-image" => Ok(Self::PerImage),
            "per-feature" => Ok(Self::PerFeature),
            _ => {
                Err(Error::Config(format!("normalisation {text:?} is not one of none, global, per-image, per-feature")))
            }
        }
    }
}

/// A fitted normalisation, as it is stored in a model's metadata
/// (`{"kind":"global","mean":0.13,"std":0.31}`). Pixels are divided by 255 before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Normalization {
    /// Values as they are.
    None,
    /// `(x − mean) / std`.
    Global {
        /// Mean of all training values.
        mean: f64,
        /// Their population standard deviation; where it is 0, outputs are 0.
        std: f64,
    },
    /// Per row `(x − mean) / std` with the row's mean and population standard deviation; a constant
    /// row maps to 0.
    PerImage,
    /// `(x_j − mean_j) / std_j`; a column that is constant in the training set maps to 0.
    PerFeature {
        /// Mean of each column.
        mean: Vec<f64>,
        /// Population standard deviation of each column.
        std: Vec<f64>,
    },
}

/// Mean and standard deviation of each regression output, as stored in a model's metadata.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetScale {
    /// Mean of each output.
    pub mean: Vec<f64>,
    /// Population standard deviation of each output; 1 where the output is constant.
    pub std: Vec<f64>,
}

/// `(x − mean) / std`, and 0 where `std` is 0.
fn scaled(x: f64, mean: f64, std: f64) -> f64 {
    if std > 0.0 { (x - mean) / std } else { 0.0 }
}

/// Mean and population standard deviation of each of `columns` columns of row-major `values`, in
/// f64 and two passes; `number` says what a stored value means.
fn moments<T: Copy>(values: &[T], columns: usize, number: impl Fn(T) -> f64) -> (Vec<f64>, Vec<f64>) {
    let (mut mean, mut std) = (vec![0.0; columns], vec![0.0; columns]);
    let rows = || values.chunks_exact(columns.max(1));
    let count = rows().len().max(1) as f64;
    for row in rows() {
        row.iter().zip(&mut mean).for_each(|(&x, m)| *m += number(x));
    }
    mean.iter_mut().for_each(|m| *m /= count);
    for row in rows() {
        row.iter().zip(&mean).zip(&mut std).for_each(|((&x, m), s)| *s += (number(x) - m) * (number(x) - m));
    }
    for (s, m) in std.iter_mut().zip(&mean) {
        *s = (*s / count).sqrt();
        // Rounding leaves a constant column a spread of about 1e-16 of its size, which is none.
        if *s <= 1e-12 * m.abs() {
            *s = 0.0;
        }
    }
    (mean, std)
}

/// [`moments`] of features, pixels divided by 255.
fn feature_moments(features: &Features, columns: usize) -> (Vec<f64>, Vec<f64>) {
    match features {
        Features::U8(pixels) => moments(pixels, columns, |p| f64::from(p) / 255.0),
        Features::F32(values) => moments(values, columns, f64::from),
    }
}

impl Normalization {
    /// Fits `kind` to training features of `inputs` values per row, in f64.
    pub fn fit(kind: NormalizationKind, features: &Features, inputs: usize) -> Self {
        match kind {
            NormalizationKind::None => Self::None,
            NormalizationKind::PerImage => Self::PerImage,
            NormalizationKind::Global => {
                let (mean, std) = feature_moments(features, 1);
                let first = |v: Vec<f64>| v.first().copied().unwrap_or_default();
                Self::Global { mean: first(mean), std: first(std) }
            }
            NormalizationKind::PerFeature => {
                let (mean, std) = feature_moments(features, inputs);
                Self::PerFeature { mean, std }
            }
        }
    }

    /// Refuses numbers, read from a file, that cannot normalise rows of `inputs` values.
    ///
    /// # Errors
    /// [`Error::Config`] when a number is not finite, a deviation is negative, or the columns are not `inputs`.
    pub fn validate(&self, inputs: usize) -> Result<()> {
        match self {
            Self::None | Self::PerImage => Ok(()),
            Self::Global { mean, std } => check(&[*mean], &[*std], 1),
            Self::PerFeature { mean, std } => check(mean, std, inputs),
        }
    }

    /// Normalises one row in place; pixels have already been divided by 255. Computed in f64.
    pub fn apply(&self, row: &mut [f32]) {
        let (mean, std) = match self {
            Self::None => return,
            Self::PerFeature { mean, std } => {
                for ((x, &m), &s) in row.iter_mut().zip(mean).zip(std) {
                    *x = scaled(f64::from(*x), m, s) as f32;
                }
                return;
            }
            Self::Global { mean, std } => (*mean, *std),
            Self::PerImage => {
                let (mean, std) = moments(row, 1, f64::from);
                (mean.first().copied().unwrap_or_default(), std.first().copied().unwrap_or_default())
            }
        };
        row.iter_mut().for_each(|x| *x = scaled(f64::from(*x), mean, std) as f32);
    }
}

fn check(mean: &[f64], std: &[f64], columns: usize) -> Result<()> {
    if mean.len() != columns || std.len() != columns {
        return Err(Error::Config(format!(
            "the normalisation has {} means and {} deviations for {columns} columns",
            mean.len(),
            std.len()
        )));
    }
    match mean.iter().zip(std).position(|(m, s)| !m.is_finite() || !s.is_finite() || *s < 0.0) {
        None => Ok(()),
        Some(at) => Err(Error::Config(format!("the normalisation's mean or deviation {at} is not a usable number"))),
    }
}

impl TargetScale {
    /// Fits mean and deviation of each of `outputs` columns of the training targets.
    pub fn fit(values: &[f32], outputs: usize) -> Self {
        let (mean, mut std) = moments(values, outputs, f64::from);
        std.iter_mut().filter(|s| **s == 0.0).for_each(|s| *s = 1.0);
        Self { mean, std }
    }

    /// Refuses numbers, read from a file, that cannot scale `outputs` columns back.
    ///
    /// # Errors
    /// [`Error::Config`] when a number is not finite, a deviation is not positive, or the columns are not `outputs`.
    pub fn validate(&self, outputs: usize) -> Result<()> {
        check(&self.mean, &self.std, outputs)?;
        match self.std.iter().position(|&s| s == 0.0) {
            None => Ok(()),
            Some(at) => Err(Error::Config(format!("the deviation of output {at} is 0; it must be positive"))),
        }
    }

    /// From original units to the network's: `(y − mean) / std`, row-major.
    pub fn apply(&self, values: &mut [f32]) {
        self.each(values, |y, mean, std| (y - mean) / std);
    }

    /// From the network's units back to the original: `y · std + mean`, row-major.
    pub fn restore(&self, values: &mut [f32]) {
        self.each(values, |y, mean, std| y * std + mean);
    }

    fn each(&self, values: &mut [f32], convert: impl Fn(f64, f64, f64) -> f64) {
        for row in values.chunks_mut(self.mean.len().max(1)) {
            for ((y, &mean), &std) in row.iter_mut().zip(&self.mean).zip(&self.std) {
                *y = convert(f64::from(*y), mean, std) as f32;
            }
        }
    }
}
