//! Gzip and xz, where a file may or may not be packed.

use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;

use crate::{Error, Result};

/// Larger than any file of a named set when unpacked.
const MOST: u64 = 1 << 30;

/// Whether `bytes` start like a gzip file.
pub(super) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// Whether `bytes` start like an xz file.
fn is_xz(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xfd7zXZ\0")
}

/// The contents of a gzip or xz file, or `bytes` themselves if they are none.
pub(super) fn unpack(bytes: Vec<u8>, path: &Path) -> Result<Vec<u8>> {
    let mut contents = Vec::new();
    let (kind, read) = if is_xz(&bytes) {
        // A damaged header may ask for a dictionary of any size.
        let packed = XzReader::new_mem_limit(bytes.as_slice(), true, (MOST >> 10) as u32);
        ("xz", packed.take(MOST).read_to_end(&mut contents))
    } else if is_gzip(&bytes) {
        ("gzip", MultiGzDecoder::new(bytes.as_slice()).take(MOST).read_to_end(&mut contents))
    } else {
        return Ok(bytes);
    };
    match read {
        Ok(_) => Ok(contents),
        Err(why) => Err(Error::format(path, format!("damaged {kind} data: {why}"))),
    }
}
