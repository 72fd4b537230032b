//! The named data sets: how to load them, where they are published, and whether a copy is intact.

use std::path::{Path, PathBuf};

use super::find::{default_folders, find_folder, plain_or_gzip};
use super::known::{KNOWN, Known, KnownFile};
use super::{Dataset, Source, Split, cifar, image_sets, noisy_sines, npz_set, pictures, strokes, uci, unpack};
use crate::io::sha256_bytes;
use crate::{Error, Result};

/// What a data set may need to know beside its name.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    /// Which published split of a UCI set; `None` is split 0. Refused for other sets.
    pub split: Option<usize>,
    /// Seed of the generated set `noisy-sines`; no other set depends on it.
    pub seed: u64,
    /// Where named sets are looked for, in this order.
    pub folders: Vec<PathBuf>,
}

impl Default for LoadOptions {
    /// Split 0, seed 0, `$BURES_DATA` (if set) and then `./data`.
    fn default() -> Self {
        Self { split: None, seed: 0, folders: default_folders() }
    }
}

/// Loads a data set by its name, or by its path a `.npz` file, or a folder or a tar archive of pictures.
///
/// # Errors
/// [`Error::MissingData`] when a named set is in none of the folders; [`Error::Config`] for an
/// unknown name or a split that does not exist; [`Error::Io`], [`Error::Format`], [`Error::Data`]
/// when a file cannot be read, is damaged, or says something impossible.
pub fn load(name_or_path: &str, options: &LoadOptions) -> Result<Dataset> {
    let is_uci = matches!(name_or_path, "kin8nm" | "energy" | "concrete" | "boston");
    if let (Some(split), false) = (options.split, is_uci) {
        return Err(Error::Config(format!(
            "--split {split}: {name_or_path} has one fixed split; kin8nm, energy, concrete and boston have several"
        )));
    }
    match name_or_path {
        "strokes" => Ok(strokes::generate()),
        "noisy-sines" => Ok(noisy_sines::generate(options.seed)),
        "mnist" | "fashion-mnist" => image_sets::load(name_or_path, &options.folders),
        "cifar10" => cifar::load(&options.folders),
        "cifar100" => cifar::load_100(&options.folders),
        _ if is_uci => uci::load(name_or_path, options.split.unwrap_or(0), &options.folders),
        path if path.ends_with(".npz") => npz_set::load(Path::new(path)),
        path if pictures::is_collection(Path::new(path)) => {
            let name = Path::new(path).file_name().map_or(path.into(), |name| name.to_string_lossy());
            pictures::load(&name, Path::new(path))
        }
        other => Err(unknown(other)),
    }
}

/// The test part of a data set alone, and the files it came from. Of the sets that keep it in files of its own, only those are read.
///
/// # Errors
/// As [`load`].
pub fn load_test(name_or_path: &str, options: &LoadOptions) -> Result<(Split, Vec<Source>)> {
    match (name_or_path, options.split) {
        ("mnist" | "fashion-mnist", None) => image_sets::load_test(name_or_path, &options.folders),
        _ => load(name_or_path, options).map(|data| (data.test, data.source)),
    }
}

fn unknown(name: &str) -> Error {
    let names: Vec<&str> = KNOWN.iter().map(|k| k.name).collect();
    Error::Config(format!(
        "data set {name} is not known; choose {} or the path of a .npz file, or of a folder or a tar archive of pictures",
        names.join(", ")
    ))
}

/// The entry of a named data set.
///
/// # Errors
/// [`Error::Config`] listing the names when there is none of this name.
pub fn known(name: &str) -> Result<&'static Known> {
    KNOWN.iter().find(|k| k.name == name).ok_or_else(|| unknown(name))
}

/// How a local file compares with the published one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileState {
    /// Its contents are the published ones.
    Ok,
    /// It is not there.
    Missing,
    /// It is there; no sum of the published contents is on record.
    Unchecked {
        /// SHA-256 sum of what was found, unpacked.
        found: String,
    },
    /// Its contents are others.
    Differs {
        /// SHA-256 sum of what was found, unpacked.
        found: String,
    },
    /// It cannot be read or unpacked.
    Unreadable {
        /// Why.
        what: String,
    },
}

/// Compares each file of `set` with its published contents, in the first of `folders` that has the set.
///
/// # Errors
/// [`Error::MissingData`] when no folder has it.
pub fn check(set: &'static Known, folders: &[PathBuf]) -> Result<Vec<(&'static KnownFile, FileState)>> {
    let Some(first) = set.files.first() else {
        return Ok(Vec::new());
    };
    let advice = format!("Its files are published at {}", set.address);
    let folder = find_folder(set.name, folders, set.folders, first.name, first.gzip, &advice)?;
    Ok(set.files.iter().map(|file| (file, state(&folder, file))).collect())
}

fn state(folder: &Path, file: &KnownFile) -> FileState {
    let Some(path) = plain_or_gzip(folder, file.name, file.gzip) else {
        return FileState::Missing;
    };
    let contents = std::fs::read(&path).map_err(Error::io("read", &path));
    match contents.and_then(|bytes| unpack::unpack(bytes, &path)) {
        Err(error) => FileState::Unreadable { what: error.to_string() },
        Ok(contents) => {
            let found = sha256_bytes(&contents);
            match file.sha256 {
                None => FileState::Unchecked { found },
                Some(sum) if sum == found => FileState::Ok,
                Some(_) => FileState::Differs { found },
            }
        }
    }
}
