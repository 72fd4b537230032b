//! The inputs that a certificate speaks of: rows of single-precision numbers, the model's normalisation applied.

use std::ops::Range;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::data::{Features, LoadOptions, Normalization, Source};
use crate::io::{Array, ArrayData, Npz, npy, read_hashed, sha256_file};
use crate::{Error, Result};

/// Rows to certify.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// As it was asked for: a file's path or a data set's name.
    pub given: String,
    /// Which published split of a UCI set, where it was asked for.
    pub split: Option<usize>,
    /// Values per row.
    pub width: usize,
    /// Rows there are.
    pub total: usize,
    /// The rows asked for, numbered as in the whole set.
    pub range: Range<usize>,
    /// SHA-256 of all normalised rows as little-endian f32, whatever file they came from.
    pub sha256: String,
    /// The files they came from.
    pub files: Vec<Source>,
    features: Features,
    normalize: Normalization,
}

impl Inputs {
    /// Reads rows of `width` values: an array `[n, …]` in a `.npy` file, `x_test` (or the only array) of a `.npz` file, or
    /// the test part of a named data set, of a UCI set that of the published split `split`. Bytes are pixels and are divided by 255; then `normalize` is applied, and the
    /// result is rounded to f32: those numbers are the inputs.
    ///
    /// # Errors
    /// [`Error::Format`] for no rows or another width, [`Error::Data`] for a number that is not finite, [`Error::Config`]
    /// for a range that holds no row; what reading the file or data set reports.
    pub fn read(
        given: &str,
        split: Option<usize>,
        width: usize,
        normalize: &Normalization,
        range: Option<Range<usize>>,
    ) -> Result<Self> {
        let (features, files) = features(given, split, width)?;
        let total = features.len() / width.max(1);
        let range = range.unwrap_or(0..total);
        if range.is_empty() || range.end > total {
            let what = format!("--range {}..{}: {given} has rows 0..{total}", range.start, range.end);
            return Err(Error::Config(what));
        }
        let given = given.to_owned();
        let normalize = normalize.clone();
        let mut inputs = Self { given, split, width, total, range, sha256: String::new(), files, features, normalize };
        inputs.sha256 = inputs.hash()?;
        Ok(inputs)
    }

    /// Row `row` of the whole set, normalised; empty beyond the end.
    pub fn row(&self, row: usize) -> Vec<f64> {
        self.single(row).into_iter().map(f64::from).collect()
    }

    fn single(&self, row: usize) -> Vec<f32> {
        let mut row = self.features.row(row, self.width).unwrap_or_default();
        self.normalize.apply(&mut row);
        row
    }

    fn hash(&self) -> Result<String> {
        let mut sum = Sha256::new();
        for row in 0..self.total {
            let values = self.single(row);
            if let Some(at) = values.iter().position(|value| !value.is_finite()) {
                let what = format!("row {row}, value {at} is {} after the model's normalisation", values[at]);
                return Err(Error::data(&self.given, what));
            }
            // A row at a time: what the sum does for a call is more than for a number.
            sum.update(values.into_iter().flat_map(f32::to_le_bytes).collect::<Vec<u8>>());
        }
        Ok(sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

fn features(given: &str, split: Option<usize>, width: usize) -> Result<(Features, Vec<Source>)> {
    let path = Path::new(given);
    let is_file = given.ends_with(".npy") || given.ends_with(".npz");
    if let (Some(split), true) = (split, is_file) {
        return Err(Error::Config(format!("--split {split}: {given} is a file, which has no splits")));
    }
    if given.ends_with(".npy") {
        let (bytes, sha256) = read_hashed(path)?;
        let array = npy::parse(&bytes, path)?;
        return Ok((rows(path, "", array, width)?, vec![Source { path: path.to_owned(), sha256 }]));
    }
    if given.ends_with(".npz") {
        let sha256 = sha256_file(path)?;
        let mut archive = Npz::open(path)?;
        let names = archive.names();
        let name = match &names[..] {
            [only] => only.clone(),
            _ => "x_test".to_owned(),
        };
        let array = archive.array(&name)?;
        return Ok((rows(path, &format!("{name}: "), array, width)?, vec![Source { path: path.to_owned(), sha256 }]));
    }
    let (test, files) = crate::data::load_test(given, &LoadOptions { split, ..LoadOptions::default() })?;
    let found = test.features.len() / test.n;
    if found != width {
        return Err(Error::data(given, format!("{given} has rows of {found} values; the model takes {width}")));
    }
    Ok((test.features, files))
}

fn rows(path: &Path, name: &str, array: Array, width: usize) -> Result<Features> {
    let n = array.shape.first().copied().unwrap_or(0);
    let found = array.shape.iter().skip(1).product::<usize>();
    if n == 0 || array.shape.len() < 2 || found != width {
        let what = format!("{name}an array of shape {:?}; the model takes [n, {width}] with n at least 1", array.shape);
        return Err(Error::format(path, what));
    }
    Ok(match array.data {
        ArrayData::U8(bytes) => Features::U8(bytes),
        _ => Features::F32(array.finite_f32(path, "inputs")?),
    })
}
