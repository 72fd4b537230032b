//! Files that are either old or complete, whatever happens while they are written.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Error, Result};

/// Distinguishes the temporary names of threads that write at the same time.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Removes the temporary file unless it was renamed into place.
struct Temporary {
    path: PathBuf,
    keep: bool,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.keep {
            // The write has already failed and its error is on the way to the caller.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Writes a file at `path` by `fill`: under a temporary name in the same folder, flushed to the
/// disk, then renamed.
///
/// # Errors
/// What `fill` returns, or [`Error::Io`] when the folder cannot be written or the disk is full. In both
/// cases the temporary file is removed and a file that was at `path` before is untouched.
pub fn write_atomic(path: impl AsRef<Path>, fill: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let path = path.as_ref();
    let (file, mut temporary) = create_beside(path)?;
    let mut writer = BufWriter::new(file);
    fill(&mut writer)?;
    let file = writer.into_inner().map_err(|e| Error::io("write", path)(e.into_error()))?;
    file.sync_all().map_err(Error::io("write", path))?;
    drop(file);
    std::fs::rename(&temporary.path, path).map_err(Error::io("write", path))?;
    temporary.keep = true;
    sync_folder(path);
    Ok(())
}

fn create_beside(path: &Path) -> Result<(File, Temporary)> {
    let Some(name) = path.file_name() else {
        return Err(Error::Config(format!("{}: not a file name to write to", path.display())));
    };
    loop {
        let mut hidden = OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}-{}.tmp", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
        let temporary = path.with_file_name(hidden);
        match OpenOptions::new().write(true).create_new(true).open(&temporary) {
            Ok(file) => return Ok((file, Temporary { path: temporary, keep: false })),
            // Left behind by a killed process that had the same number: take the next name.
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            Err(e) => return Err(Error::io("create", path)(e)),
        }
    }
}

/// Makes the rename itself survive a power cut where the system allows a folder to be synced. The
/// file is complete without it, so a refusal is no failure.
fn sync_folder(path: &Path) {
    #[cfg(unix)]
    {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if let Ok(folder) = File::open(folder) {
            let _ = folder.sync_all();
        }
    }
    #[cfg(not(unix))]
    let _ = path;
}
