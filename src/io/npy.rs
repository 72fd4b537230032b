//! numpy's `.npy` arrays: reading every plain numeric type, writing f32, f64 and i64.

use std::path::Path;

use super::atomic::write_atomic;
use super::npy_header::{self, Header};
use crate::{Error, Result};

/// An array in C order (last dimension fastest).
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Dimensions; empty for a single number.
    pub shape: Vec<usize>,
    /// As many values as the product of `shape`.
    pub data: ArrayData,
}

/// The values of an [`Array`]; types without a variant of their own are widened exactly.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ArrayData {
    /// numpy's `bool`.
    Bool(Vec<bool>),
    /// `uint8`.
    U8(Vec<u8>),
    /// `int8`, `int16`, `int32`.
    I32(Vec<i32>),
    /// `int64`.
    I64(Vec<i64>),
    /// `uint16`, `uint32`.
    U32(Vec<u32>),
    /// `uint64`.
    U64(Vec<u64>),
    /// `float32`.
    F32(Vec<f32>),
    /// `float64`.
    F64(Vec<f64>),
}

impl ArrayData {
    /// How many values there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Bool(v) => v.len(),
            Self::U8(v) => v.len(),
            Self::I32(v) => v.len(),
            Self::I64(v) => v.len(),
            Self::U32(v) => v.len(),
            Self::U64(v) => v.len(),
            Self::F32(v) => v.len(),
            Self::F64(v) => v.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Array {
    /// The values as f32 (rounded to nearest where they are wider), all finite.
    ///
    /// # Errors
    /// [`Error::Data`] naming `name` and the index of the first value that is not finite as f32.
    pub fn finite_f32(&self, path: &Path, name: &str) -> Result<Vec<f32>> {
        let values: Vec<f32> = match &self.data {
            ArrayData::Bool(v) => v.iter().map(|&x| f32::from(u8::from(x))).collect(),
            ArrayData::U8(v) => v.iter().map(|&x| f32::from(x)).collect(),
            ArrayData::I32(v) => v.iter().map(|&x| x as f32).collect(),
            ArrayData::I64(v) => v.iter().map(|&x| x as f32).collect(),
            ArrayData::U32(v) => v.iter().map(|&x| x as f32).collect(),
            ArrayData::U64(v) => v.iter().map(|&x| x as f32).collect(),
            ArrayData::F32(v) => v.clone(),
            ArrayData::F64(v) => v.iter().map(|&x| x as f32).collect(),
        };
        match values.iter().position(|v| !v.is_finite()) {
            None => Ok(values),
            Some(at) => {
                let value = values.get(at).copied().unwrap_or(f32::NAN);
                let index = index_text(at, &self.shape);
                Err(Error::data(path, format!("{name}{index} is {value}; every value must be a finite number")))
            }
        }
    }

    /// The values as i64, if the array holds integers or booleans that fit; `None` otherwise.
    pub fn integers(&self) -> Option<Vec<i64>> {
        match &self.data {
            ArrayData::Bool(v) => Some(v.iter().map(|&x| i64::from(x)).collect()),
            ArrayData::U8(v) => Some(v.iter().map(|&x| i64::from(x)).collect()),
            ArrayData::I32(v) => Some(v.iter().map(|&x| i64::from(x)).collect()),
            ArrayData::I64(v) => Some(v.clone()),
            ArrayData::U32(v) => Some(v.iter().map(|&x| i64::from(x)).collect()),
            ArrayData::U64(v) => v.iter().map(|&x| i64::try_from(x).ok()).collect(),
            ArrayData::F32(_) | ArrayData::F64(_) => None,
        }
    }
}

/// A flat position as `[i, j, …]`, the way numpy writes it.
fn index_text(flat: usize, shape: &[usize]) -> String {
    let mut rest = flat;
    let mut index: Vec<String> = shape
        .iter()
        .rev()
        .map(|&size| {
            let here = rest % size.max(1);
            rest /= size.max(1);
            here.to_string()
        })
        .collect();
    index.reverse();
    format!("[{}]", index.join(", "))
}

/// Reads a `.npy` file.
///
/// # Errors
/// [`Error::Io`] when it cannot be read, [`Error::Format`] as for [`parse`].
pub fn read_npy(path: impl AsRef<Path>) -> Result<Array> {
    let path = path.as_ref();
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    parse(&bytes, path)
}

/// Reads the bytes of a `.npy` file; `path` is only named in errors.
///
/// Arrays with zero values are returned: whether they make sense is the caller's question.
///
/// # Errors
/// [`Error::Format`] when the bytes are no `.npy` file of version 1 to 3, hold objects (pickles),
/// text or records, or when shape and size disagree.
pub fn parse(bytes: &[u8], path: &Path) -> Result<Array> {
    let header = npy_header::parse(bytes, path)?;
    let data = bytes.get(header.offset..).unwrap_or_default();
    let (size, big) = item(&header.descr, path)?;
    let count = header.shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
    let wanted = count.and_then(|n| n.checked_mul(size));
    // Only now is anything allocated: the file really holds this many values.
    if wanted != Some(data.len()) {
        return Err(Error::format(
            path,
            format!(
                "the header promises shape {:?} of type {}, but {} bytes of values follow; the file is damaged or cut off",
                header.shape,
                header.descr,
                data.len()
            ),
        ));
    }
    let swapped;
    let data = if header.fortran_order && header.shape.len() > 1 {
        swapped = to_c_order(data, &header.shape, size);
        &swapped
    } else {
        data
    };
    Ok(Array { data: decode(&header, data, big, path)?, shape: header.shape })
}

/// Bytes per value and whether they are big-endian.
fn item(descr: &str, path: &Path) -> Result<(usize, bool)> {
    let refuse = |why: String| Error::format(path, why);
    let big = match descr.as_bytes().first() {
        Some(b'<' | b'|') => false,
        Some(b'>') => true,
        _ => return Err(refuse(format!("type {descr:?} names no byte order; store the array with numpy.save"))),
    };
    let size = match descr.get(1..).unwrap_or_default() {
        "b1" | "u1" | "i1" => 1,
        "i2" | "u2" | "f2" => 2,
        "i4" | "u4" | "f4" => 4,
        "i8" | "u8" | "f8" => 8,
        kind if kind.starts_with('O') => {
            return Err(refuse(
                "the array holds Python objects (a pickle), which are never loaded; store plain numbers, \
                 for example x.astype('float32')"
                    .to_owned(),
            ));
        }
        _ => return Err(refuse(format!("type {descr:?} is not a plain number; store float32 or integers"))),
    };
    Ok((size, big))
}

/// Reorders values stored with the first dimension fastest.
fn to_c_order(data: &[u8], shape: &[usize], size: usize) -> Vec<u8> {
    let mut strides = Vec::with_capacity(shape.len());
    let mut stride = size;
    for &dimension in shape {
        strides.push(stride);
        stride = stride.saturating_mul(dimension);
    }
    let mut out = Vec::with_capacity(data.len());
    let mut index = vec![0usize; shape.len()];
    let mut from = 0usize;
    while out.len() < data.len() {
        let Some(value) = data.get(from..from + size) else { break };
        out.extend_from_slice(value);
        for ((i, &dimension), &stride) in index.iter_mut().zip(shape).zip(&strides).rev() {
            *i += 1;
            from += stride;
            if *i < dimension {
                break;
            }
            from -= *i * stride;
            *i = 0;
        }
    }
    out
}

fn decode(header: &Header, data: &[u8], big: bool, path: &Path) -> Result<ArrayData> {
    /// The values of a fixed width, each by `$from_le` or `$from_be`.
    macro_rules! values {
        ($type:ty, $size:literal, $widen:expr) => {
            data.as_chunks::<$size>()
                .0
                .iter()
                .map(|&b| $widen(if big { <$type>::from_be_bytes(b) } else { <$type>::from_le_bytes(b) }))
                .collect()
        };
    }
    let same32 = |x: f32| x;
    Ok(match header.descr.get(1..).unwrap_or_default() {
        "b1" => ArrayData::Bool(data.iter().map(|&b| b != 0).collect()),
        "u1" => ArrayData::U8(data.to_vec()),
        "i1" => ArrayData::I32(values!(i8, 1, i32::from)),
        "i2" => ArrayData::I32(values!(i16, 2, i32::from)),
        "i4" => ArrayData::I32(values!(i32, 4, i32::from)),
        "i8" => ArrayData::I64(values!(i64, 8, i64::from)),
        "u2" => ArrayData::U32(values!(u16, 2, u32::from)),
        "u4" => ArrayData::U32(values!(u32, 4, u32::from)),
        "u8" => ArrayData::U64(values!(u64, 8, u64::from)),
        "f2" => ArrayData::F32(values!(u16, 2, super::tensors::half_to_f32)),
        "f4" => ArrayData::F32(values!(f32, 4, same32)),
        "f8" => ArrayData::F64(values!(f64, 8, f64::from)),
        _ => return Err(Error::format(path, format!("type {:?} is not a plain number", header.descr))),
    })
}

/// Writes an f32 array in C order.
///
/// # Errors
/// [`Error::Shape`] when `shape` and `values` disagree, [`Error::Io`] when writing fails.
pub fn write_npy_f32(path: impl AsRef<Path>, shape: &[usize], values: &[f32]) -> Result<()> {
    write(path.as_ref(), "<f4", shape, values.len(), values.iter().map(|v| v.to_le_bytes()))
}

/// Writes an f64 array in C order; errors as for [`write_npy_f32`].
pub fn write_npy_f64(path: impl AsRef<Path>, shape: &[usize], values: &[f64]) -> Result<()> {
    write(path.as_ref(), "<f8", shape, values.len(), values.iter().map(|v| v.to_le_bytes()))
}

/// Writes an i64 array in C order; errors as for [`write_npy_f32`].
pub fn write_npy_i64(path: impl AsRef<Path>, shape: &[usize], values: &[i64]) -> Result<()> {
    write(path.as_ref(), "<i8", shape, values.len(), values.iter().map(|v| v.to_le_bytes()))
}

fn write<const N: usize>(
    path: &Path,
    descr: &str,
    shape: &[usize],
    count: usize,
    values: impl Iterator<Item = [u8; N]>,
) -> Result<()> {
    if shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d)) != Some(count) {
        return Err(Error::Shape { op: "write_npy", expected: format!("{shape:?}"), got: format!("{count} values") });
    }
    let dimensions: String = shape.iter().map(|d| format!("{d},")).collect();
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({dimensions}), }}");
    // Magic, version and length take ten bytes; the values start at a multiple of 64.
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let length = u16::try_from(header.len())
        .map_err(|_| Error::Config(format!("{}: too many dimensions for a .npy file", path.display())))?;
    write_atomic(path, |out| {
        let mut put = |bytes: &[u8]| out.write_all(bytes).map_err(Error::io("write", path));
        put(b"\x93NUMPY\x01\x00")?;
        put(&length.to_le_bytes())?;
        put(header.as_bytes())?;
        values.into_iter().try_for_each(|value| put(&value))
    })
}
