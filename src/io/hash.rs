//! SHA-256 sums, by which results name their inputs.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::{Error, Result};

fn hex(sum: &[u8]) -> String {
    sum.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The SHA-256 sum of `bytes`, as 64 hexadecimal digits.
pub fn sha256_bytes(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The SHA-256 sum of a file, as 64 hexadecimal digits; the file is streamed.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read.
pub fn sha256_file(path: impl AsRef<Path>) -> Result<String> {
    let path = path.as_ref();
    let mut file = File::open(path).map_err(Error::io("read", path))?;
    let mut sum = Sha256::new();
    let mut block = vec![0; 1 << 16];
    loop {
        let count = file.read(&mut block).map_err(Error::io("read", path))?;
        match block.get(..count) {
            Some(part) if count > 0 => sum.update(part),
            _ => return Ok(hex(&sum.finalize())),
        }
    }
}

/// A file's bytes and their SHA-256 sum, so that what is named is what was read.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read.
pub fn read_hashed(path: impl AsRef<Path>) -> Result<(Vec<u8>, String)> {
    let path = path.as_ref();
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    let sum = sha256_bytes(&bytes);
    Ok((bytes, sum))
}
