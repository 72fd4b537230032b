//! The JSON header of a safetensors file, checked against the file's real size.
//!
//! Read here rather than by the `safetensors` crate (which tests use as an independent reader):
//! that one adds lengths from the file without a check, does not say which tensor is wrong, and
//! writes metadata in an order that changes from run to run.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The format's own limit on the header, in bytes.
const MAX_HEADER: usize = 100_000_000;

/// One tensor's entry; offsets are bytes from the end of the header.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) dtype: String,
    pub(super) shape: Vec<usize>,
    pub(super) data_offsets: (usize, usize),
}

/// The whole header. Both maps are sorted, so equal contents give equal bytes.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Header {
    #[serde(rename = "__metadata__", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) metadata: BTreeMap<String, String>,
    #[serde(flatten)]
    pub(super) tensors: BTreeMap<String, Entry>,
}

/// Bytes per value of a supported type.
pub(super) fn item_size(dtype: &str) -> Option<usize> {
    match dtype {
        "BOOL" | "U8" | "I8" => Some(1),
        "F16" | "BF16" | "I16" | "U16" => Some(2),
        "F32" | "I32" | "U32" => Some(4),
        "F64" | "I64" | "U64" => Some(8),
        _ => None,
    }
}

/// Splits `bytes` into a header that is true of the data and the data.
pub(super) fn parse<'a>(bytes: &'a [u8], path: &Path) -> Result<(Header, &'a [u8])> {
    let bad = |what: String| Error::format(path, format!("not a readable safetensors file: {what}"));
    let (length, rest) = bytes.split_first_chunk::<8>().ok_or_else(|| bad("it is shorter than 8 bytes".into()))?;
    let length = u64::from_le_bytes(*length);
    let length = usize::try_from(length)
        .ok()
        .filter(|&n| n <= MAX_HEADER && n <= rest.len())
        .ok_or_else(|| bad(format!("it promises a header of {length} bytes, and {} bytes follow", rest.len())))?;
    let (text, data) = rest.split_at_checked(length).unwrap_or_default();
    let header: Header = serde_json::from_slice(text).map_err(|e| bad(format!("its header is wrong: {e}")))?;
    check(&header, data.len()).map_err(bad)?;
    Ok((header, data))
}

/// Every tensor's shape fits its bytes, and together they cover the data without gap or overlap.
fn check(header: &Header, available: usize) -> std::result::Result<(), String> {
    let mut order: Vec<(&String, &Entry)> = header.tensors.iter().collect();
    order.sort_by_key(|(_, entry)| entry.data_offsets);
    let mut position = 0;
    for (name, entry) in order {
        let size = item_size(&entry.dtype)
            .ok_or_else(|| format!("tensor {name} has type {}, which is not supported", entry.dtype))?;
        let (start, end) = entry.data_offsets;
        if start != position || end < start || end > available {
            return Err(format!(
                "tensor {name} claims bytes {start}..{end}; bytes {position}..{available} are left for it"
            ));
        }
        let count = entry.shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
        if count.and_then(|n| n.checked_mul(size)) != Some(end - start) {
            return Err(format!(
                "tensor {name} of type {} and shape {:?} does not fit the {} bytes it claims",
                entry.dtype,
                entry.shape,
                end - start
            ));
        }
        position = end;
    }
    if position == available { Ok(()) } else { Err(format!("{} bytes belong to no tensor", available - position)) }
}
