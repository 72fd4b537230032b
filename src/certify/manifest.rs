//! `manifest.json`: which model, inputs and files a certificate is made of.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::inputs::Inputs;
use super::settings::Settings;
use super::subject::Subject;
use crate::io::{sha256_bytes, write_atomic};
use crate::nn::Activation;
use crate::{Error, Result};

/// Its name in the folder.
pub(super) const NAME: &str = "manifest.json";

const FORMAT: u32 = 1;

/// The contents of `manifest.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the format.
    pub format: u32,
    /// How it came about.
    #[serde(flatten)]
    pub about: About,
    /// SHA-256 of every file of the folder but this one.
    pub files: BTreeMap<String, String>,
    /// SHA-256 of this file with this field empty.
    pub sha256: String,
}

/// How a certificate came about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// Version of bures.
    pub version: String,
    /// Commit it was built from, where known.
    pub commit: String,
    /// Where it ran. The proof is always computed on the CPU.
    pub adapter: String,
    /// The model.
    pub model: AboutModel,
    /// The inputs.
    pub inputs: AboutInputs,
    /// How mixtures and bounds were looked for.
    pub settings: Settings,
    /// Inputs of the range that have no certificate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<Failed>,
}

/// An input without a certificate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failed {
    /// Its number in the whole set.
    pub input: usize,
    /// Why, in words.
    pub why: String,
}

/// The model of a certificate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AboutModel {
    /// Its path, as it was given.
    pub path: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// `--activation`, where it was given.
    pub activation: Option<Activation>,
    /// `--dropout`, where it was given.
    pub dropout: Option<f64>,
}

/// The inputs of a certificate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AboutInputs {
    /// A path or the name of a data set, as it was given.
    pub given: String,
    /// SHA-256 of all normalised rows as little-endian f32.
    pub sha256: String,
    /// Rows there are.
    pub rows: usize,
    /// Values per row.
    pub width: usize,
    /// SHA-256 of the files they came from.
    pub files: Vec<String>,
    /// Which published split of a UCI set, where it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<usize>,
    /// First row certified, and the one after the last.
    pub range: [usize; 2],
}

impl About {
    /// Inputs that have a line in the certificate: those of the range but the failed ones; 0 for a joint set.
    pub fn lines(&self) -> Vec<usize> {
        let [first, end] = self.inputs.range;
        let range = if self.settings.joint { 0..1 } else { first..end };
        range.filter(|input| self.failed.binary_search_by_key(input, |failed| failed.input).is_err()).collect()
    }

    /// Of a run on this machine.
    pub fn new(subject: &Subject, inputs: &Inputs, settings: &Settings) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: option_env!("BURES_COMMIT").unwrap_or_default().to_owned(),
            adapter: "cpu".to_owned(),
            model: AboutModel {
                path: subject.path.display().to_string(),
                sha256: subject.sha256.clone(),
                activation: subject.activation,
                dropout: subject.dropout,
            },
            inputs: AboutInputs {
                given: inputs.given.clone(),
                sha256: inputs.sha256.clone(),
                rows: inputs.total,
                width: inputs.width,
                files: inputs.files.iter().map(|file| file.sha256.clone()).collect(),
                split: inputs.split,
                range: [inputs.range.start, inputs.range.end],
            },
            settings: settings.clone(),
            failed: Vec::new(),
        }
    }
}

impl Manifest {
    /// Of a folder with these files.
    pub(super) fn new(about: About, files: BTreeMap<String, String>) -> Self {
        Self { format: FORMAT, about, files, sha256: String::new() }
    }

    /// Writes it, its own sum filled in.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(NAME);
        let sealed = Self { sha256: self.sum(&path)?, ..self.clone() };
        let text = sealed.text(&path)?;
        write_atomic(&path, |file| file.write_all(text.as_bytes()).map_err(Error::io("write", &path)))
    }

    /// Reads it and checks its own sum.
    ///
    /// # Errors
    /// [`Error::Data`] when the folder is no certificate or the manifest was changed; [`Error::Format`] when it is damaged.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(NAME);
        if !path.exists() {
            return Err(Error::data(folder, "no certificate: it has no manifest.json"));
        }
        let bytes = std::fs::read(&path).map_err(Error::io("read", &path))?;
        let manifest: Self =
            serde_json::from_slice(&bytes).map_err(|why| Error::format(&path, format!("does not verify: {why}")))?;
        if manifest.format != FORMAT {
            let what = format!("format {} is not known; this version reads format {FORMAT}", manifest.format);
            return Err(Error::format(&path, what));
        }
        // Spaces and the order of fields count too: what is not what was written is not taken.
        let changed = manifest.sum(&path)? != manifest.sha256 || manifest.text(&path)?.as_bytes() != bytes;
        if changed {
            return Err(Error::data(&path, "does not verify: it was changed after it was written"));
        }
        Ok(manifest)
    }

    fn sum(&self, path: &Path) -> Result<String> {
        let unsealed = Self { sha256: String::new(), ..self.clone() };
        Ok(sha256_bytes(unsealed.text(path)?.as_bytes()))
    }

    fn text(&self, path: &Path) -> Result<String> {
        let text = serde_json::to_string_pretty(self).map_err(|why| Error::format(path, why.to_string()))?;
        Ok(text + "\n")
    }
}
