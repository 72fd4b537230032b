//! MNIST and Fashion-MNIST: four IDX files in a folder.

use std::path::{Path, PathBuf};

use super::find::{find_folder, plain_or_gzip};
use super::idx::{self, Idx};
use super::set::{Dataset, Features, ImageShape, Source, Split, Targets};
use crate::{Error, Result};

/// Both sets have ten classes.
const CLASSES: usize = 10;

/// Loads `name` from the first of `folders` that has it.
pub(super) fn load(name: &str, folders: &[PathBuf]) -> Result<Dataset> {
    let folder = find(name, folders, "train-images-idx3-ubyte")?;
    let mut source = Vec::new();
    let (train, shape) = split(&folder, "train", &mut source)?;
    let (test, test_shape) = split(&folder, "t10k", &mut source)?;
    if shape != test_shape {
        return Err(Error::data(
            &folder,
            format!(
                "training images are {}×{} but test images {}×{}",
                shape.height, shape.width, test_shape.height, test_shape.width
            ),
        ));
    }
    let inputs = shape.height * shape.width;
    Ok(Dataset { name: name.to_owned(), train, test, inputs, image: Some(shape), source })
}

/// The test part of `name`, without reading the other.
pub(super) fn load_test(name: &str, folders: &[PathBuf]) -> Result<(Split, Vec<Source>)> {
    let folder = find(name, folders, "t10k-images-idx3-ubyte")?;
    let mut source = Vec::new();
    let (test, _) = split(&folder, "t10k", &mut source)?;
    Ok((test, source))
}

fn find(name: &str, folders: &[PathBuf], wanted: &str) -> Result<PathBuf> {
    let advice = format!(
        "Put the four IDX files there, or set BURES_DATA to the folder that holds {name}/. \
         They are published at the address that `bures data {name}` prints."
    );
    find_folder(name, folders, &[name], wanted, true, &advice)
}

fn split(folder: &Path, prefix: &str, source: &mut Vec<Source>) -> Result<(Split, ImageShape)> {
    let (images, images_path) = member(folder, &format!("{prefix}-images-idx3-ubyte"), source)?;
    let (labels, labels_path) = member(folder, &format!("{prefix}-labels-idx1-ubyte"), source)?;
    let &[n, height, width] = images.shape.as_slice() else {
        return Err(Error::format(images_path, format!("images need 3 dimensions, not {:?}", images.shape)));
    };
    let &[count] = labels.shape.as_slice() else {
        return Err(Error::format(labels_path, format!("labels need 1 dimension, not {:?}", labels.shape)));
    };
    if n != count {
        return Err(Error::data(labels_path, format!("{count} labels for the {n} images beside them")));
    }
    let labels = labels.data.iter().map(|&l| u32::from(l)).collect();
    let targets = Targets::Classes { labels, classes: CLASSES };
    // The reader has multiplied these dimensions without overflow.
    let split = Split::new(&labels_path, prefix, height * width, Features::U8(images.data), targets)?;
    Ok((split, ImageShape { height, width, channels: 1 }))
}

fn member(folder: &Path, name: &str, source: &mut Vec<Source>) -> Result<(Idx, PathBuf)> {
    let path = plain_or_gzip(folder, name, true)
        .ok_or_else(|| Error::data(folder, format!("{name}[.gz] is missing; the set needs all four of its files")))?;
    let (idx, sha256) = idx::read(&path)?;
    source.push(Source { path: path.clone(), sha256 });
    Ok((idx, path))
}
