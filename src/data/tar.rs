//! Files in a tar archive that has been read into memory.

use std::io::Read;
use std::path::Path;

use tar::Archive;

use crate::{Error, Result};

/// The files of `archive` by their names, in its order; other entries (folders, links) are passed over.
///
/// # Errors
/// [`Error::Format`] about `path` where it is no tar archive or is damaged.
pub(super) fn files(archive: &[u8], path: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let bad = |what: &dyn std::fmt::Display| Error::format(path, format!("no whole tar archive: {what}"));
    let mut files = Vec::new();
    for entry in Archive::new(archive).entries().map_err(|why| bad(&why))? {
        let mut entry = entry.map_err(|why| bad(&why))?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        // Not reserved: a damaged size may be anything.
        let mut contents = Vec::new();
        entry.read_to_end(&mut contents).map_err(|why| bad(&why))?;
        if contents.len() as u64 != entry.size() {
            return Err(bad(&format!("it is cut off in {name}")));
        }
        files.push((name, contents));
    }
    Ok(files)
}
