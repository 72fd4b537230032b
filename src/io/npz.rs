//! numpy's `.npz`: a zip archive of `.npy` arrays, stored or deflated.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::npy::{self, Array};
use crate::{Error, Result};

/// Deflate cannot shrink by more than this factor; an entry that claims to is a lie.
const DEFLATE_LIMIT: u64 = 1032;

/// An open archive; arrays are read one at a time.
pub struct Npz {
    archive: ZipArchive<BufReader<File>>,
    path: PathBuf,
}

impl std::fmt::Debug for Npz {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Npz").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Npz {
    /// Opens an archive and reads its table of contents.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be read, [`Error::Format`] when it is no zip archive.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = File::open(path).map_err(Error::io("read", path))?;
        let archive = ZipArchive::new(BufReader::new(file))
            .map_err(|e| Error::format(path, format!("not a readable .npz archive: {e}")))?;
        Ok(Self { archive, path: path.to_owned() })
    }

    /// The names of the arrays, without `.npy`, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.archive.file_names().filter_map(|name| name.ok()?.strip_suffix(".npy").map(str::to_owned)).collect();
        names.sort();
        names
    }

    /// Whether there is an array of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.names().iter().any(|n| n == name)
    }

    /// Reads the array `name`.
    ///
    /// # Errors
    /// [`Error::Format`] when there is no such array, it is damaged, encrypted or compressed in
    /// another way than by deflate, or claims a size that its bytes cannot unpack to.
    pub fn array(&mut self, name: &str) -> Result<Array> {
        let bytes = self.entry(name)?;
        npy::parse(&bytes, &self.path).map_err(|e| self.inside(name, e))
    }

    fn entry(&mut self, name: &str) -> Result<Vec<u8>> {
        let present = self.names();
        let path = &self.path;
        let bad = |what: String| Error::format(path, format!("array {name}: {what}"));
        if !present.iter().any(|n| n == name) {
            return Err(bad(format!("not in the archive, which holds {}", present.join(", "))));
        }
        let mut entry = self.archive.by_name(&format!("{name}.npy")).map_err(|e| bad(e.to_string()))?;
        let size = entry.size();
        // The archive's own length bounds what an entry can unpack to, so a small file cannot
        // fill the memory by its claims; the buffer then grows with what really comes out.
        let stored = entry.compressed_size().min(std::fs::metadata(path).map_err(Error::io("read", path))?.len());
        if size > stored.saturating_mul(DEFLATE_LIMIT).saturating_add(64) {
            return Err(bad(format!("claims to unpack from {stored} to {size} bytes, which is impossible")));
        }
        let mut bytes = Vec::new();
        let count = entry.by_ref().take(size.saturating_add(1)).read_to_end(&mut bytes);
        match count {
            Ok(count) if count as u64 == size => Ok(bytes),
            Ok(count) => Err(bad(format!("the archive promises {size} bytes, but {count} or more came out"))),
            Err(e) => Err(bad(format!("cannot be unpacked: {e}"))),
        }
    }

    /// Adds the array's name to an error about the archive.
    fn inside(&self, name: &str, error: Error) -> Error {
        match error {
            Error::Format { what, .. } => Error::format(&self.path, format!("array {name}: {what}")),
            other => other,
        }
    }
}
