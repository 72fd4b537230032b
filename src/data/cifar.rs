//! CIFAR-10 and CIFAR-100 as their published binary files, or as collections of pictures.

use std::path::{Path, PathBuf};

use super::find::{find_folder, plain_or_gzip};
use super::pictures;
use super::set::{Dataset, Features, ImageShape, Source, Split, Targets};
use crate::io::read_hashed;
use crate::{Error, Result};

/// Side of a picture.
const SIDE: usize = 32;
const CHANNELS: usize = 3;
/// Planes of red, green and blue.
const INPUTS: usize = CHANNELS * SIDE * SIDE;

/// A set in binary files: records of labels, of which the last counts, and planes.
struct Binary {
    name: &'static str,
    folders: &'static [&'static str],
    train: &'static [&'static str],
    test: &'static str,
    labels: usize,
    classes: usize,
}

const CIFAR10: Binary = Binary {
    name: "cifar10",
    folders: FOLDERS,
    train: &["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"],
    test: "test_batch.bin",
    labels: 1,
    classes: 10,
};

/// Its records have a coarse label before the fine one.
const CIFAR100: Binary =
    Binary { name: "cifar100", folders: FOLDERS_100, train: &["train.bin"], test: "test.bin", labels: 2, classes: 100 };

/// Folders of the batches: as a person may name it, and as the archive unpacks.
pub(super) const FOLDERS: &[&str] = &["cifar10", "cifar10/cifar-10-batches-bin", "cifar-10-batches-bin"];
/// The same of CIFAR-100.
pub(super) const FOLDERS_100: &[&str] = &["cifar100", "cifar100/cifar-100-binary", "cifar-100-binary"];

/// Loads CIFAR-10 from the first of `folders` that has its batches, or else from the first that has it as pictures.
pub(super) fn load(folders: &[PathBuf]) -> Result<Dataset> {
    match binary(&CIFAR10, folders) {
        Err(missing @ Error::MissingData { .. }) => match collection(folders) {
            Some(path) => pictures::load("cifar10", &path),
            None => Err(missing),
        },
        loaded => loaded,
    }
}

/// Loads CIFAR-100 with its fine labels.
pub(super) fn load_100(folders: &[PathBuf]) -> Result<Dataset> {
    binary(&CIFAR100, folders)
}

/// An archive in a folder `cifar10`, or that folder where there are pictures below.
fn collection(folders: &[PathBuf]) -> Option<PathBuf> {
    folders.iter().map(|folder| folder.join("cifar10")).find_map(|folder| {
        let mut inside: Vec<PathBuf> = std::fs::read_dir(&folder).ok()?.flatten().map(|entry| entry.path()).collect();
        inside.sort();
        let archive = inside.iter().find(|path| path.is_file() && pictures::is_collection(path));
        archive.cloned().or_else(|| has_training_folder(&folder, 3).then_some(folder))
    })
}

/// Whether a folder called `train` lies at most so deep below.
fn has_training_folder(folder: &Path, depth: usize) -> bool {
    let inside = || std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let found = |path: PathBuf| path.is_dir() && (path.ends_with("train") || has_training_folder(&path, depth - 1));
    depth > 0 && inside().any(found)
}

fn binary(set: &Binary, folders: &[PathBuf]) -> Result<Dataset> {
    let Binary { name, train, .. } = set;
    let first = train.first().copied().unwrap_or_default();
    let advice = format!(
        "Put the binary files there, or set BURES_DATA to the folder that holds {name}/. \
         They are published at the address that `bures data {name}` prints."
    );
    let folder = find_folder(name, folders, set.folders, first, false, &advice)?;
    let mut source = Vec::new();
    let train = split(set, &folder, set.train, &mut source)?;
    let test = split(set, &folder, &[set.test], &mut source)?;
    let image = Some(ImageShape { height: SIDE, width: SIDE, channels: CHANNELS });
    Ok(Dataset { name: set.name.to_owned(), train, test, inputs: INPUTS, image, source })
}

fn split(set: &Binary, folder: &Path, names: &[&str], source: &mut Vec<Source>) -> Result<Split> {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for name in names {
        let missing = || Error::data(folder, format!("{name} is missing; the set needs all of its files"));
        let path = plain_or_gzip(folder, name, false).ok_or_else(missing)?;
        let (bytes, sha256) = read_hashed(&path)?;
        records(set, &bytes, &path, &mut pixels, &mut labels)?;
        source.push(Source { path, sha256 });
    }
    Split::new(folder, "batches", INPUTS, Features::U8(pixels), Targets::Classes { labels, classes: set.classes })
}

/// Appends the records of one file.
fn records(set: &Binary, bytes: &[u8], path: &Path, pixels: &mut Vec<u8>, labels: &mut Vec<u32>) -> Result<()> {
    let length = set.labels + INPUTS;
    if bytes.is_empty() || !bytes.len().is_multiple_of(length) {
        let what = format!("{} bytes are no whole number of records of {length} bytes; it is cut off", bytes.len());
        return Err(Error::format(path, what));
    }
    pixels.reserve(bytes.len());
    for (at, record) in bytes.chunks_exact(length).enumerate() {
        let (label, planes) = record.split_at(set.labels);
        let label = label.last().copied().map_or(0, u32::from);
        if label as usize >= set.classes {
            let what = format!("label {label} of record {at} is not below the {} classes", set.classes);
            return Err(Error::data(path, what));
        }
        labels.push(label);
        pixels.extend(planes);
    }
    Ok(())
}
