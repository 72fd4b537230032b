//! The folder of a certificate: written whole, read back with every sum checked.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::core::{Method, Mixture, Witness};
use super::manifest::{About, Manifest, NAME};
use super::record::{Record, read_lines, write_lines};
use super::run::Outcome;
use super::{mixtures, witnesses};
use crate::io::{TensorData, Tensors, read_hashed, sha256_bytes, write_atomic};
use crate::{Error, Result};

const LINES: &str = "certificate.jsonl";
const MIXTURE: &str = "mixture.safetensors";
const WITNESS: &str = "witness.safetensors";
const SAMPLES: &str = "samples.safetensors";

/// What an earlier run may have left that a new one does not write.
const LEFT: [&str; 3] = [SAMPLES, "marginals.svg", "marginals.png"];

/// Files that mark a folder as one with results.
const RESULTS: [&str; 5] = [NAME, LINES, MIXTURE, WITNESS, SAMPLES];

/// Everything a certificate holds, in the order of its inputs.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// How it came about.
    pub about: About,
    /// The lines.
    pub records: Vec<Record>,
    /// The mixtures.
    pub mixtures: Vec<Mixture>,
    /// The witnesses.
    pub witnesses: Vec<Witness>,
    /// Samples `[n, D]` of the true law, of a certificate for one input that was sampled; otherwise none.
    pub samples: Vec<f64>,
}

/// A folder to write a certificate to.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Certificate {
    /// Of what [`super::run()`] returns.
    pub fn new(about: About, outcome: Outcome) -> Self {
        let Outcome { certified, failed } = outcome;
        let about = About { failed, ..about };
        let records = certified.iter().map(Record::of).collect();
        let (mut mixtures, mut witnesses, mut samples) = (Vec::new(), Vec::new(), Vec::new());
        for one in certified {
            mixtures.push(one.proof.mixture);
            witnesses.push(one.witness);
            samples.extend(one.samples);
        }
        Self { about, records, mixtures, witnesses, samples }
    }

    /// What [`Certificate::read`] reads back, as names and contents.
    fn files(&self, folder: &Path) -> Result<Vec<(String, Vec<u8>)>> {
        let seal = |mut file: Tensors| {
            file.metadata.insert("model".to_owned(), self.about.model.sha256.clone());
            file.metadata.insert("inputs".to_owned(), self.about.inputs.sha256.clone());
            file.to_bytes()
        };
        let layers = self.witnesses.first().map_or(0, |witness| witness.layers.len());
        let method = self.witnesses.first().map_or(Method::Tight, |witness| witness.method);
        let mut files = vec![
            (LINES.to_owned(), write_lines(&self.records, &folder.join(LINES))?),
            (MIXTURE.to_owned(), seal(mixtures::pack(self.mixtures.iter()))?),
            (WITNESS.to_owned(), seal(witnesses::pack(self.witnesses.iter(), method, layers))?),
        ];
        if let (Some(mixture), false) = (self.mixtures.first(), self.samples.is_empty()) {
            let (mut file, width) = (Tensors::default(), mixture.width);
            file.insert("samples", &[self.samples.len() / width, width], TensorData::F64(self.samples.clone()));
            files.push((SAMPLES.to_owned(), seal(file)?));
        }
        Ok(files)
    }

    /// Reads a folder. Every file's sum is compared with the manifest's first.
    ///
    /// # Errors
    /// [`Error::Data`] when there is no certificate, or a file is missing or was changed; [`Error::Format`] when a file is
    /// not what its name promises.
    pub fn read(folder: &Path) -> Result<Self> {
        let manifest = Manifest::read(folder)?;
        let mut contents = BTreeMap::new();
        for (name, sum) in &manifest.files {
            let path = folder.join(name);
            if !path.exists() {
                return Err(Error::data(&path, "does not verify: the file is missing"));
            }
            let (bytes, found) = read_hashed(&path)?;
            if found != *sum {
                return Err(Error::data(&path, "does not verify: the file was changed after it was written"));
            }
            if RESULTS.contains(&name.as_str()) {
                contents.insert(name.clone(), bytes);
            }
        }
        let file = |name: &str| {
            let bytes = contents.get(name).ok_or_else(|| Error::data(folder, format!("does not verify: no {name}")))?;
            Ok::<_, Error>((folder.join(name), bytes))
        };
        let (path, bytes) = file(LINES)?;
        let records = read_lines(bytes, &path)?;
        if !records.iter().map(|record| record.input).eq(manifest.about.lines()) {
            let [first, end] = manifest.about.inputs.range;
            let what = format!("does not verify: its lines are not inputs {first}..{end} in order");
            return Err(Error::data(&path, what));
        }
        let components: Vec<usize> = records.iter().map(|record| record.components).collect();
        let (path, bytes) = file(MIXTURE)?;
        let mixtures = mixtures::unpack(&Tensors::parse(bytes, &path)?, &components, &path)?;
        let (path, bytes) = file(WITNESS)?;
        let packed = Tensors::parse(bytes, &path)?;
        let layers = packed.metadata.get("hidden_layers").and_then(|text| text.parse().ok()).unwrap_or(0);
        let witnesses = witnesses::unpack(&packed, records.len(), layers, &path)?;
        let samples = match contents.get(SAMPLES) {
            Some(bytes) => {
                let path = folder.join(SAMPLES);
                match &Tensors::parse(bytes, &path)?.get("samples", &path)?.data {
                    TensorData::F64(values) => values.clone(),
                    _ => return Err(Error::format(path, "tensor samples must hold f64")),
                }
            }
            None => Vec::new(),
        };
        Ok(Self { about: manifest.about, records, mixtures, witnesses, samples })
    }
}

impl Folder {
    /// Chooses a folder; one that holds results is refused unless `force`.
    ///
    /// # Errors
    /// [`Error::Config`] when it holds results.
    pub fn choose(path: &Path, force: bool) -> Result<Self> {
        match RESULTS.iter().find(|name| path.join(name).exists()) {
            Some(name) if !force => Err(Error::Config(format!(
                "{} holds the results of a certification ({name}); replace it by --force, or choose another --out",
                path.display()
            ))),
            _ => Ok(Self { path: path.to_owned() }),
        }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the folder and runs `work`; if that fails, a folder that holds nothing is removed again. So a long run does not
    /// find out at its end that it cannot write.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be made; what `work` returns.
    pub fn during<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        fs::create_dir_all(&self.path).map_err(Error::io("create", &self.path))?;
        work().inspect_err(|_| {
            // Refused where it holds something, which is as it should be.
            let _ = fs::remove_dir(&self.path);
        })
    }

    /// Writes the certificate and the files that `more` makes (pictures, a report) beside it, the manifest last: a folder without one
    /// is no certificate.
    ///
    /// # Errors
    /// [`Error::Io`] when a file cannot be written; what `more` returns.
    pub fn write(
        &self,
        certificate: &Certificate,
        more: impl FnOnce() -> Result<Vec<(String, Vec<u8>)>> + Send,
    ) -> Result<()> {
        let folder = &self.path;
        let (own, more) = rayon::join(|| certificate.files(folder), more);
        let files = own?.into_iter().chain(more?);
        fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        let manifest = folder.join(NAME);
        if manifest.exists() {
            // What is being replaced is no certificate any more.
            fs::remove_file(&manifest).map_err(Error::io("remove", &manifest))?;
        }
        for left in LEFT.iter().map(|name| folder.join(name)).filter(|path| path.exists()) {
            fs::remove_file(&left).map_err(Error::io("remove", &left))?;
        }
        let mut sums = BTreeMap::new();
        for (name, bytes) in files {
            let path = folder.join(&name);
            write_atomic(&path, |file| file.write_all(&bytes).map_err(Error::io("write", &path)))?;
            sums.insert(name, sha256_bytes(&bytes));
        }
        Manifest::new(certificate.about.clone(), sums).write(folder)
    }
}
