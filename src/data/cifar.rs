//! CIFAR-10 as its six published binary batches.

use std::path::{Path, PathBuf};

use super::find::{find_folder, plain_or_gzip};
use super::set::{Dataset, Features, ImageShape, Source, Split, Targets};
use crate::io::read_hashed;
use crate::{Error, Result};

/// Pixels of a picture, 32 rows of 32.
const PIXELS: usize = 32 * 32;
const CHANNELS: usize = 3;
const INPUTS: usize = PIXELS * CHANNELS;
const CLASSES: usize = 10;
const TRAIN: [&str; 5] =
    ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"];

/// Folders of the batches: as a person may name it, and as the archive unpacks.
pub(super) const FOLDERS: &[&str] = &["cifar10", "cifar10/cifar-10-batches-bin", "cifar-10-batches-bin"];

/// Loads the batches from the first of `folders` that has them. The files' planes of red, green and
/// blue become three values per pixel.
pub(super) fn load(folders: &[PathBuf]) -> Result<Dataset> {
    let advice = "Put the six binary batches there, or set BURES_DATA to the folder that holds cifar10/. \
                  They are published at the address that `bures data cifar10` prints.";
    let folder = find_folder("cifar10", folders, FOLDERS, "data_batch_1.bin", false, advice)?;
    let mut source = Vec::new();
    let train = split(&folder, &TRAIN, &mut source)?;
    let test = split(&folder, &["test_batch.bin"], &mut source)?;
    let image = Some(ImageShape { height: 32, width: 32, channels: CHANNELS });
    Ok(Dataset { name: "cifar10".to_owned(), train, test, inputs: INPUTS, image, source })
}

fn split(folder: &Path, names: &[&str], source: &mut Vec<Source>) -> Result<Split> {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for name in names {
        let missing = || Error::data(folder, format!("{name} is missing; the set needs all six of its batches"));
        let path = plain_or_gzip(folder, name, false).ok_or_else(missing)?;
        let (bytes, sha256) = read_hashed(&path)?;
        records(&bytes, &path, &mut pixels, &mut labels)?;
        source.push(Source { path, sha256 });
    }
    let targets = Targets::Classes { labels, classes: CLASSES };
    Split::new(folder, "batches", INPUTS, Features::U8(pixels), targets)
}

/// Appends the records of one file: a label, then 1,024 red, green and blue values each.
fn records(bytes: &[u8], path: &Path, pixels: &mut Vec<u8>, labels: &mut Vec<u32>) -> Result<()> {
    let (records, rest) = bytes.as_chunks::<{ 1 + INPUTS }>();
    if records.is_empty() || !rest.is_empty() {
        let what =
            format!("{} bytes are no whole number of records of {} bytes; it is cut off", bytes.len(), 1 + INPUTS);
        return Err(Error::format(path, what));
    }
    pixels.reserve(records.len() * INPUTS);
    for (at, [label, planes @ ..]) in records.iter().enumerate() {
        if usize::from(*label) >= CLASSES {
            let what = format!("label {label} of record {at} is not below the {CLASSES} classes");
            return Err(Error::data(path, what));
        }
        labels.push(u32::from(*label));
        let (red, rest) = planes.split_at(PIXELS);
        let (green, blue) = rest.split_at(PIXELS);
        pixels.extend(red.iter().zip(green).zip(blue).flat_map(|((&r, &g), &b)| [r, g, b]));
    }
    Ok(())
}
