//! The folder of a run: what lies in it, and what is kept when a run starts anew or goes on.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::settings::Settings;
use crate::io::write_atomic;
use crate::plot::{Record, read_metrics};
use crate::{Error, Result};

/// The folder of a training run.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
    several: bool,
    /// Results of an earlier run that the new one replaces when it begins.
    replaced: Vec<PathBuf>,
    checkpoint_every: Duration,
}

/// Wall-clock time between checkpoints, where nothing else is asked for.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(5);

/// Folder of the models that a run keeps on its way.
const SNAPSHOTS: &str = "snapshots";

/// The file of the model after `epoch`, inside the folder of a seed.
pub(super) fn snapshot_name(epoch: u64) -> String {
    format!("{SNAPSHOTS}/epoch-{epoch:05}.safetensors")
}

/// The models that a run has kept on its way, in order of their epochs; `folder` is that of a seed.
pub fn snapshots(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join(SNAPSHOTS)).into_iter().flatten().flatten();
    let ours = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("epoch-"));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(ours).collect();
    files.sort();
    files
}

/// Files that mark a folder as one with results.
const RESULTS: [&str; 6] =
    ["model.safetensors", "checkpoint.safetensors", "metrics.jsonl", "config.toml", "curves.svg", "curves.png"];

impl RunFolder {
    /// Chooses a folder for a new run; [`RunFolder::begin`] makes it. One that holds results is refused unless `force`,
    /// with which they are removed (and nothing else in the folder) when the run begins.
    ///
    /// # Errors
    /// [`Error::Config`] when it holds results, [`Error::Io`] when it cannot be looked at.
    pub fn create(path: &Path, seeds: &[u64], force: bool) -> Result<Self> {
        let found = Self::results(path)?;
        if let (Some(first), false) = (found.first(), force) {
            let what = format!(
                "{} holds the results of a run ({}); go on with it by --resume, replace it by --force, or choose another --out",
                path.display(),
                first.strip_prefix(path).unwrap_or(first).display()
            );
            return Err(Error::Config(what));
        }
        let several = seeds.len() > 1;
        Ok(Self { path: path.to_owned(), several, replaced: found, checkpoint_every: CHECKPOINT_EVERY })
    }

    /// Makes the folder, clears it of replaced results, and writes the settings. Training calls this when everything that
    /// a person may have got wrong has been looked at, so that a refused run leaves nothing and replaces nothing.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be made, cleared or written.
    pub fn begin(&self, settings: &Settings) -> Result<()> {
        for &seed in &settings.seeds {
            let place = self.of_seed(seed);
            let folder = if settings.snapshot_every.is_some() { place.join(SNAPSHOTS) } else { place };
            fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
        }
        for file in self.replaced.iter().filter(|file| file.exists()) {
            fs::remove_file(file).map_err(Error::io("remove", file))?;
        }
        self.remove_temporaries(settings);
        self.write_settings(settings)
    }

    /// Sets the wall-clock time between checkpoints; 5 seconds otherwise.
    #[must_use]
    pub fn checkpoint_every(self, time: Duration) -> Self {
        Self { checkpoint_every: time, ..self }
    }

    /// Wall-clock time between checkpoints, at least. The end of a run always has one.
    pub(super) fn checkpoint_interval(&self) -> Duration {
        self.checkpoint_every
    }

    /// Removes what a killed run was writing. Nobody reads these files, so one that stays does no harm.
    fn remove_temporaries(&self, settings: &Settings) {
        let folders = settings.seeds.iter().map(|&seed| self.of_seed(seed)).chain([self.path.clone()]);
        for entry in folders.filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let ours = RESULTS.iter().any(|result| name.starts_with(&format!(".{result}.")));
            if ours && name.ends_with(".tmp") {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Opens the folder of an earlier run together with its settings.
    ///
    /// # Errors
    /// [`Error::Data`] when there is no run, [`Error::Io`] and [`Error::Format`] when its `config.toml` cannot be read,
    /// [`Error::Config`] when it holds settings that no run can have.
    pub fn open(path: &Path) -> Result<(Self, Settings)> {
        let config = path.join("config.toml");
        if !config.exists() {
            return Err(Error::data(path, "no run to resume: it has no config.toml"));
        }
        let text = fs::read_to_string(&config).map_err(Error::io("read", &config))?;
        let settings: Settings =
            toml::from_str(&text).map_err(|why| Error::format(&config, super::settings_file::one_line(&text, &why)))?;
        settings.check()?;
        let several = settings.seeds.len() > 1;
        let folder = Self { path: path.to_owned(), several, replaced: Vec::new(), checkpoint_every: CHECKPOINT_EVERY };
        folder.remove_temporaries(&settings);
        Ok((folder, settings))
    }

    /// The result files that lie in `path`, also those of its seeds.
    fn results(path: &Path) -> Result<Vec<PathBuf>> {
        let mut folders = vec![path.to_owned()];
        match fs::read_dir(path) {
            Ok(entries) => {
                for entry in entries.flatten() {
                    if entry.file_name().to_string_lossy().starts_with("seed-") {
                        folders.push(entry.path());
                    }
                }
            }
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => {}
            Err(why) => return Err(Error::io("read", path)(why)),
        }
        let previous = "checkpoint.previous.safetensors";
        let names = || RESULTS.iter().chain(std::iter::once(&previous));
        let files = folders.iter().flat_map(|folder| names().map(|name| folder.join(name)));
        let files = files.filter(|file| file.exists());
        Ok(files.chain(folders.iter().flat_map(|folder| snapshots(folder))).collect())
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the model and checkpoint of a seed lie: the folder itself when the run has one seed.
    pub fn of_seed(&self, seed: u64) -> PathBuf {
        if self.several { self.path.join(format!("seed-{seed}")) } else { self.path.clone() }
    }

    /// The text of `config.toml`.
    ///
    /// # Errors
    /// [`Error::Config`] when the settings cannot be written as TOML.
    pub fn describe(&self, settings: &Settings) -> Result<String> {
        toml::to_string_pretty(settings).map_err(|why| Error::Config(format!("settings: {why}")))
    }

    /// Writes the settings as `config.toml`.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be written.
    pub fn write_settings(&self, settings: &Settings) -> Result<()> {
        let text = self.describe(settings)?;
        let path = self.path.join("config.toml");
        write_atomic(&path, |file| file.write_all(text.as_bytes()).map_err(Error::io("write", &path)))
    }

    /// The metrics written so far.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Format`] when they cannot be read.
    pub fn metrics(&self) -> Result<Vec<Record>> {
        let path = self.path.join("metrics.jsonl");
        if path.exists() { read_metrics(path) } else { Ok(Vec::new()) }
    }

    /// Drops metrics of steps after `step`, which a resumed run will write again, and a line cut short by a kill.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be rewritten.
    pub fn keep_metrics_until(&self, step: u64) -> Result<()> {
        let kept: Vec<Record> = self.metrics()?.into_iter().filter(|record| record.step <= step).collect();
        let path = self.path.join("metrics.jsonl");
        let text = lines(&path, &kept)?;
        write_atomic(&path, |file| file.write_all(text.as_bytes()).map_err(Error::io("write", &path)))
    }

    /// Appends metrics.
    ///
    /// # Errors
    /// [`Error::Io`] when they cannot be written.
    pub fn append_metrics(&self, records: &[Record]) -> Result<()> {
        let path = self.path.join("metrics.jsonl");
        let text = lines(&path, records)?;
        let file = OpenOptions::new().create(true).append(true).open(&path);
        file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(Error::io("write", &path))
    }
}

fn lines(path: &Path, records: &[Record]) -> Result<String> {
    let mut text = String::new();
    for record in records {
        text += &serde_json::to_string(record).map_err(|why| Error::format(path, why.to_string()))?;
        text.push('\n');
    }
    Ok(text)
}
