//! Training runs of an experiment: made once, taken up again after a kill, found again when they are there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::catalogue::Catalogue;
use crate::data::{Dataset, LoadOptions, load};
use crate::device::Device;
use crate::nn::{Model, Provenance, mean_neurons};
use crate::plot::{Record, Split};
use crate::train::{Progress, RunFolder, Settings, snapshots, train};
use crate::{Error, Result};

/// How far an experiment is.
#[derive(Clone, Debug)]
pub enum Stage<'a> {
    /// A run begins or goes on.
    Begins {
        /// Its name.
        run: &'a str,
        /// Its data set.
        data: &'a str,
    },
    /// A run goes on.
    Trains(Progress),
    /// Something is measured or drawn.
    Does(&'a str),
}

/// A finished run.
#[derive(Clone, Debug)]
pub struct Done {
    /// Where its results lie.
    pub folder: RunFolder,
    /// What was asked for.
    pub settings: Settings,
    /// Its metrics.
    pub records: Vec<Record>,
}

impl Done {
    /// The test errors of all seeds after `epoch`, as fractions.
    pub fn errors(&self, epoch: u64) -> Vec<f64> {
        let of_epoch = |record: &&Record| record.split == Split::Test && record.epoch == epoch;
        self.records.iter().filter(of_epoch).filter_map(|record| record.error).collect()
    }

    /// Wall-clock seconds of the whole run.
    pub fn seconds(&self) -> f64 {
        self.records.iter().map(|record| record.seconds).fold(0.0, f64::max)
    }

    /// The models that one seed has kept on its way, with their epochs.
    ///
    /// # Errors
    /// [`Error::Data`] when there is none.
    pub fn snapshots(&self, seed: u64) -> Result<Vec<(u64, PathBuf)>> {
        let folder = self.folder.of_seed(seed);
        let epoch = |path: &Path| -> Option<u64> { path.file_stem()?.to_str()?.strip_prefix("epoch-")?.parse().ok() };
        let found: Vec<_> = snapshots(&folder).into_iter().filter_map(|path| Some((epoch(&path)?, path))).collect();
        if found.is_empty() { Err(Error::data(folder, "the run has kept no snapshots")) } else { Ok(found) }
    }
}

/// All runs of an experiment.
pub(super) struct Runs<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) device: &'a Device,
    pub(super) out: &'a Path,
    pub(super) quick: bool,
    pub(super) data: BTreeMap<String, Dataset>,
    pub(super) tell: &'a mut (dyn FnMut(Stage<'_>) + Send),
}

impl Runs<'_> {
    /// The data set called `name`, loaded once.
    pub(super) fn dataset(&mut self, name: &str) -> Result<&Dataset> {
        if !self.data.contains_key(name) {
            self.data.insert(name.to_owned(), load(name, &LoadOptions::default())?);
        }
        self.data.get(name).ok_or_else(|| Error::Config(format!("data set {name} is not there")))
    }

    /// A finished run: found in its folder, or trained.
    pub(super) fn get(&mut self, run: &str, data: &str) -> Result<Done> {
        let mut settings = self.catalogue.settings(run, data, self.quick)?;
        let path = self.out.join("data").join(format!("{data}-{run}"));
        if let Some(matched) = self.catalogue.plan(run)?.matched.clone() {
            settings.init = Some(self.matched_start(&matched, data)?);
        }
        let there = fs::read_to_string(path.join("config.toml")).ok();
        let folder =
            if there.is_some() { RunFolder::open(&path)?.0 } else { RunFolder::create(&path, &settings.seeds, true)? };
        if there.as_ref().is_some_and(|there| folder.describe(&settings).is_ok_and(|wanted| *there != wanted)) {
            let what = "the folder holds a run with other settings; choose another --out, or remove it";
            return Err(Error::data(path, what));
        }
        let finished = settings.seeds.iter().all(|&seed| folder.of_seed(seed).join("model.safetensors").exists());
        if !(there.is_some() && finished) {
            let resume =
                settings.seeds.iter().all(|&seed| folder.of_seed(seed).join("checkpoint.safetensors").exists());
            self.train(run, data, &settings, &folder, resume)?;
        }
        let records = folder.metrics()?;
        Ok(Done { folder, settings, records })
    }

    fn train(&mut self, run: &str, data: &str, settings: &Settings, folder: &RunFolder, resume: bool) -> Result<()> {
        (self.tell)(Stage::Begins { run, data });
        self.dataset(data)?;
        let Some(set) = self.data.get(data) else { return Ok(()) };
        let provenance = Provenance::of(self.device, set);
        let tell = &mut self.tell;
        train(self.device, settings, set, folder, &provenance, resume, &mut |progress| tell(Stage::Trains(progress)))?;
        Ok(())
    }

    /// A dense network with a neuron at the mean of each component that the run `matched` starts with.
    fn matched_start(&mut self, matched: &str, data: &str) -> Result<PathBuf> {
        let done = self.get(matched, data)?;
        let path = done.folder.path().join("means.safetensors");
        let first = done.settings.seeds.first().copied().unwrap_or(0);
        if let ([(0, start), ..], false) = (&done.snapshots(first)?[..], path.exists()) {
            mean_neurons(&Model::read(start, None)?)?.write(&path)?;
        }
        Ok(path)
    }
}
