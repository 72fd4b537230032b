//! The IDX format of MNIST and its relatives, plain or gzipped.

use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::unpack::is_gzip;
use crate::io::sha256_bytes;
use crate::{Error, Result};

/// An array of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idx {
    /// Dimensions, one to four.
    pub shape: Vec<usize>,
    /// As many bytes as the product of `shape`, last dimension fastest.
    pub data: Vec<u8>,
}

/// More dimensions than any published set has.
const MAX_DIMENSIONS: u8 = 4;

/// Deflate cannot shrink by more than this factor.
const DEFLATE_LIMIT: usize = 1032;

/// Reads an IDX file, and the SHA-256 sum of its bytes as they lie on the disk.
///
/// # Errors
/// [`Error::Io`] when it cannot be read, [`Error::Format`] as for [`parse`].
pub fn read(path: impl AsRef<Path>) -> Result<(Idx, String)> {
    let path = path.as_ref();
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    let idx = parse(&bytes, path)?;
    Ok((idx, sha256_bytes(&bytes)))
}

/// Reads the bytes of an IDX file; gzip is recognised by its first bytes. `path` is only named in
/// errors.
///
/// # Errors
/// [`Error::Format`] when the magic number is wrong, values are not unsigned bytes, dimensions and
/// size disagree, or gzip data is damaged or cut off.
pub fn parse(bytes: &[u8], path: &Path) -> Result<Idx> {
    if is_gzip(bytes) {
        // What can come out of these bytes is bounded before anything is allocated for it.
        let most = bytes.len().saturating_mul(DEFLATE_LIMIT);
        parse_stream(MultiGzDecoder::new(bytes), most, path)
    } else {
        parse_stream(bytes, bytes.len(), path)
    }
}

fn parse_stream(mut stream: impl Read, most: usize, path: &Path) -> Result<Idx> {
    let bad = |what: String| Error::format(path, format!("not a readable IDX file: {what}"));
    let cut = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::UnexpectedEof => bad("it ends too early; fetch or copy it again".into()),
        _ => bad(format!("damaged gzip data ({e}); fetch or copy it again")),
    };
    let mut magic = [0; 4];
    stream.read_exact(&mut magic).map_err(cut)?;
    let dimensions = match magic {
        [0, 0, 8, count @ 1..=MAX_DIMENSIONS] => count,
        [0, 0, 9 | 11..=14, _] => return Err(bad("its values are not unsigned bytes".into())),
        other => return Err(bad(format!("it starts with {other:02x?}, not with 00 00 08 and a number of dimensions"))),
    };
    let mut shape = Vec::new();
    for _ in 0..dimensions {
        let mut size = [0; 4];
        stream.read_exact(&mut size).map_err(cut)?;
        shape.push(usize::try_from(u32::from_be_bytes(size)).map_err(|e| bad(e.to_string()))?);
    }
    let size = shape
        .iter()
        .try_fold(1usize, |n, &d| n.checked_mul(d))
        .filter(|&n| n <= most)
        .ok_or_else(|| bad(format!("dimensions {shape:?} promise more bytes than the file can hold")))?;
    let mut data = Vec::new();
    // One byte more than promised, to notice what should not be there; the buffer grows with
    // what really comes out.
    let count = stream.take((size as u64).saturating_add(1)).read_to_end(&mut data).map_err(cut)?;
    match count.cmp(&size) {
        std::cmp::Ordering::Equal => Ok(Idx { shape, data }),
        std::cmp::Ordering::Less => {
            Err(bad(format!("dimensions {shape:?} promise {size} bytes, but {count} follow; it is cut off")))
        }
        std::cmp::Ordering::Greater => Err(bad(format!("more bytes follow than dimensions {shape:?} promise"))),
    }
}
