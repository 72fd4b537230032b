//! Small valid files to start from.

use std::path::{Path, PathBuf};

pub(crate) use crate::files::{f32s, gzip, i64s, idx, npy_header};
pub(crate) use crate::skip::skip;

/// `$BURES_DATA` if it is set.
pub(crate) fn real_data() -> Option<PathBuf> {
    std::env::var_os("BURES_DATA").map(PathBuf::from)
}

/// The path that errors about bytes in memory name.
pub(crate) fn nowhere() -> &'static Path {
    Path::new("in-memory")
}

/// A `.npy` file as numpy writes it.
pub(crate) fn npy(descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    npy_header(&format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n"), data)
}

/// A `.npz` archive of the given `.npy` files.
pub(crate) fn npz(arrays: &[(&str, Vec<u8>)], deflate: bool) -> Vec<u8> {
    let method = if deflate { zip::CompressionMethod::Deflated } else { zip::CompressionMethod::Stored };
    crate::files::npz(arrays, method)
}

/// A valid classification set of 4 + 2 examples of 2×2 pixels.
pub(crate) fn good_set() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("x_train", npy("|u1", false, "(4, 2, 2)", &[7; 16])),
        ("y_train", npy("<i8", false, "(4,)", &i64s(&[0, 1, 2, 1]))),
        ("x_test", npy("|u1", false, "(2, 2, 2)", &[9; 8])),
        ("y_test", npy("<i8", false, "(2,)", &i64s(&[2, 0]))),
    ]
}

/// A safetensors file with any header text.
pub(crate) fn safetensors(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

/// Asserts that `result` is an error whose text holds `words`.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(case: &str, result: bures::Result<T>, words: &str) {
    match result {
        Ok(value) => panic!("{case}: accepted {value:?}"),
        Err(error) => {
            let text = error.to_string();
            assert!(text.contains(words), "{case}: the error {text:?} does not say {words:?}");
        }
    }
}
