//! The folder of a run: what lies in it, and what is kept when a run starts anew or goes on.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::settings::Settings;
use crate::io::write_atomic;
use crate::plot::{Record, read_metrics};
use crate::{Error, Result};

/// The folder of a training run.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
    several: bool,
}

/// Files that mark a folder as one with results.
const RESULTS: [&str; 6] =
    ["model.safetensors", "checkpoint.safetensors", "metrics.jsonl", "config.toml", "curves.svg", "curves.png"];

impl RunFolder {
    /// Takes a folder for a new run. One that holds results is refused unless `force`, which removes them (and nothing
    /// else in the folder).
    ///
    /// # Errors
    /// [`Error::Config`] when it holds results, [`Error::Io`] when it cannot be made or cleared.
    pub fn create(path: &Path, seeds: &[u64], force: bool) -> Result<Self> {
        let folder = Self { path: path.to_owned(), several: seeds.len() > 1 };
        let found = Self::results(path)?;
        if let (Some(first), false) = (found.first(), force) {
            let what = format!(
                "{} holds the results of a run ({}); go on with it by --resume, replace it by --force, or choose another --out",
                path.display(),
                first.strip_prefix(path).unwrap_or(first).display()
            );
            return Err(Error::Config(what));
        }
        for file in found {
            fs::remove_file(&file).map_err(Error::io("remove", &file))?;
        }
        for &seed in seeds {
            let place = folder.of_seed(seed);
            fs::create_dir_all(&place).map_err(Error::io("create", &place))?;
        }
        Ok(folder)
    }

    /// Opens the folder of an earlier run together with its settings.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Format`] when `config.toml` cannot be read.
    pub fn open(path: &Path) -> Result<(Self, Settings)> {
        let config = path.join("config.toml");
        let text = fs::read_to_string(&config).map_err(Error::io("read", &config))?;
        let settings: Settings = toml::from_str(&text).map_err(|why| Error::format(&config, why.to_string()))?;
        Ok((Self { path: path.to_owned(), several: settings.seeds.len() > 1 }, settings))
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
        Ok(files.filter(|file| file.exists()).collect())
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the model and checkpoint of a seed lie: the folder itself when the run has one seed.
    pub fn of_seed(&self, seed: u64) -> PathBuf {
        if self.several { self.path.join(format!("seed-{seed}")) } else { self.path.clone() }
    }

    /// Writes the settings as `config.toml`.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be written.
    pub fn write_settings(&self, settings: &Settings) -> Result<()> {
        let text = toml::to_string_pretty(settings).map_err(|why| Error::Config(format!("settings: {why}")))?;
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
