//! Gzip and xz, where a file may or may not be packed.

use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::xz;
use crate::{Error, Result};

/// Larger than any file of a named set when unpacked.
const MOST: usize = 1 << 30;

/// Whether `bytes` start like a gzip file.
pub(super) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// The contents of a gzip or xz file, or `bytes` themselves if they are none.
pub(super) fn unpack(bytes: Vec<u8>, path: &Path) -> Result<Vec<u8>> {
    if xz::is_xz(&bytes) {
        return xz::unpack(&bytes, MOST).map_err(|why| Error::format(path, format!("damaged xz data: {why}")));
    }
    if !is_gzip(&bytes) {
        return Ok(bytes);
    }
    let mut contents = Vec::new();
    match MultiGzDecoder::new(bytes.as_slice()).take(MOST as u64).read_to_end(&mut contents) {
        Ok(_) => Ok(contents),
        Err(e) => Err(Error::format(path, format!("damaged gzip data: {e}"))),
    }
}
