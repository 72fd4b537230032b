//! Data sets of JPEG and PNG files: `…/train/<class>/<name>.jpg` and `…/test/<class>/<name>.jpg` at any depth, in a folder or in a tar
//! archive, which may be packed by gzip or xz.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::set::{Dataset, Features, ImageShape, Source, Split, Targets};
use super::{tar, unpack};
use crate::io::{read_hashed, sha256_bytes};
use crate::{Error, Result};

/// Values of a pixel.
const CHANNELS: usize = 3;

/// A file of a picture and where its path puts it.
struct Found {
    path: String,
    test: bool,
    class: String,
    bytes: Vec<u8>,
}

impl Found {
    /// None for a file that is no picture, or of which the path does not say to what it belongs.
    fn new(path: &str, bytes: impl FnOnce() -> Result<Vec<u8>>) -> Result<Option<Self>> {
        let parts: Vec<&str> = path.split(['/', '\\']).collect();
        let &[.., split, class, name] = &parts[..] else { return Ok(None) };
        let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        let picture = matches!(ending.as_deref(), Some("jpg" | "jpeg" | "png")) && !name.starts_with('.');
        if !picture || !["train", "test"].contains(&split) {
            return Ok(None);
        }
        let (path, class) = (path.to_owned(), class.to_owned());
        Ok(Some(Self { path, test: split == "test", class, bytes: bytes()? }))
    }
}

/// Whether `path` names a folder or an archive that [`load`] may be asked for.
pub(super) fn is_collection(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    path.is_dir() || [".tar", ".tar.gz", ".tgz", ".tar.xz"].iter().any(|ending| name.ends_with(ending))
}

/// Loads the pictures under `path`, a folder or an archive, as a data set called `name`. All must have one size; grey ones become red, green
/// and blue. Classes are numbered in the order of their names, rows in the order of their paths.
///
/// # Errors
/// [`Error::Io`], [`Error::Format`] and [`Error::Data`] naming the file that cannot be read or does not fit.
pub(super) fn load(name: &str, path: &Path) -> Result<Dataset> {
    let (mut found, sha256) = if path.is_dir() { in_folder(path)? } else { in_archive(path)? };
    found.sort_by(|a, b| a.path.cmp(&b.path));
    let classes: Vec<String> =
        found.iter().map(|file| file.class.clone()).collect::<BTreeSet<_>>().into_iter().collect();
    if classes.len() < 2 {
        let what =
            "it holds no pictures …/train/<class>/<name>.jpg and …/test/<class>/<name>.jpg of two or more classes";
        return Err(Error::data(path, what));
    }
    let shape = decode(path, &found[0])?.0;
    let split = |part: &str, test: bool| {
        let of_part: Vec<&Found> = found.iter().filter(|file| file.test == test).collect();
        let pictures = of_part.par_iter().map(|file| match decode(path, file)? {
            (other, pixels) if other == shape => Ok(pixels),
            (other, _) => {
                let (a, b) = (format!("{}×{}", other.height, other.width), format!("{}×{}", shape.height, shape.width));
                Err(Error::data(
                    path,
                    format!("{} is {a} pixels large and {} {b}; all must agree", file.path, found[0].path),
                ))
            }
        });
        let pixels: Vec<Vec<u8>> = pictures.collect::<Result<_>>()?;
        // Classes are sorted and hold every name.
        let label = |file: &&Found| classes.binary_search(&file.class).unwrap_or(0) as u32;
        let targets = Targets::Classes { labels: of_part.iter().map(label).collect(), classes: classes.len() };
        Split::new(path, part, CHANNELS * shape.height * shape.width, Features::U8(pixels.concat()), targets)
    };
    let (train, test) = (split("train", false)?, split("test", true)?);
    let inputs = CHANNELS * shape.height * shape.width;
    let source = vec![Source { path: path.to_owned(), sha256 }];
    Ok(Dataset { name: name.to_owned(), train, test, inputs, image: Some(shape), source })
}

/// The pictures of an archive, and its sum.
fn in_archive(path: &Path) -> Result<(Vec<Found>, String)> {
    let (bytes, sha256) = read_hashed(path)?;
    let archive = unpack::unpack(bytes, path)?;
    let mut found = Vec::new();
    for (name, bytes) in tar::files(&archive, path)? {
        found.extend(Found::new(&name, || Ok(bytes))?);
    }
    Ok((found, sha256))
}

/// The pictures below a folder, and the sum of their names and sums.
fn in_folder(root: &Path) -> Result<(Vec<Found>, String)> {
    let (mut found, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(Error::io("read", &folder))? {
            let path: PathBuf = entry.map_err(Error::io("read", &folder))?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            // The folder itself may be called train or test.
            let full = format!("{}/{name}", root.file_name().unwrap_or_default().to_string_lossy());
            found.extend(Found::new(&full, || std::fs::read(&path).map_err(Error::io("read", &path)))?);
        }
    }
    let mut lines: Vec<String> =
        found.iter().map(|file| format!("{} {}\n", sha256_bytes(&file.bytes), file.path)).collect();
    lines.sort();
    Ok((found, sha256_bytes(lines.concat().as_bytes())))
}

/// The size of a picture, and its planes of red, green and blue.
fn decode(path: &Path, file: &Found) -> Result<(ImageShape, Vec<u8>)> {
    let bad = |why: image::ImageError| Error::format(path, format!("{} is no picture: {why}", file.path));
    let pixels = image::load_from_memory(&file.bytes).map_err(bad)?.into_rgb8();
    let shape = ImageShape { height: pixels.height() as usize, width: pixels.width() as usize, channels: CHANNELS };
    let plane = |c: usize| pixels.as_raw().iter().skip(c).step_by(CHANNELS).copied();
    Ok((shape, (0..CHANNELS).flat_map(plane).collect()))
}
