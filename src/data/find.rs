//! Where named data sets are looked for.

use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// `$BURES_DATA` if it is set, then `./data`.
pub(super) fn default_folders() -> Vec<PathBuf> {
    let chosen = std::env::var_os("BURES_DATA").filter(|v| !v.is_empty()).map(PathBuf::from);
    chosen.into_iter().chain([Path::new(".").join("data")]).collect()
}

/// The first of `folders` joined with one of `names` in which `wanted` (or `wanted.gz`) lies.
///
/// # Errors
/// [`Error::MissingData`] listing the places, with `advice` on what to put there.
pub(super) fn find_folder(
    set: &str,
    folders: &[PathBuf],
    names: &[&str],
    wanted: &str,
    gzip: bool,
    advice: &str,
) -> Result<PathBuf> {
    let places: Vec<PathBuf> = folders.iter().flat_map(|f| names.iter().map(|n| f.join(n))).collect();
    if let Some(place) = places.iter().find(|place| plain_or_gzip(place, wanted, gzip).is_some()) {
        return Ok(place.clone());
    }
    let list: Vec<String> = places.iter().map(|p| p.display().to_string()).collect();
    Err(Error::MissingData {
        name: set.to_owned(),
        wanted: format!("{wanted}{}", if gzip { "[.gz]" } else { "" }),
        places: list.join(" and "),
        advice: advice.to_owned(),
    })
}

/// The path of `folder/name`, or of `folder/name.gz` where `gzip` allows that.
pub(super) fn plain_or_gzip(folder: &Path, name: &str, gzip: bool) -> Option<PathBuf> {
    let plain = folder.join(name);
    if plain.is_file() {
        return Some(plain);
    }
    let packed = folder.join(format!("{name}.gz"));
    (gzip && packed.is_file()).then_some(packed)
}
