//! Named tensors in safetensors files.

use std::collections::BTreeMap;
use std::path::Path;

use super::atomic::write_atomic;
use super::tensors_header::{self, Entry, Header};
use crate::{Error, Result};

/// The values of a tensor; half precision is widened to f32 when read.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum TensorData {
    /// `F32`, and when read also `F16` and `BF16`.
    F32(Vec<f32>),
    /// `F64`.
    F64(Vec<f64>),
    /// `U8`, and when read also `BOOL` (0 or 1).
    U8(Vec<u8>),
    /// `U32`, and when read also `U16`.
    U32(Vec<u32>),
    /// `U64`.
    U64(Vec<u64>),
    /// `I64`, and when read also `I8`, `I16` and `I32`.
    I64(Vec<i64>),
}

/// A tensor in C order (last dimension fastest).
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Dimensions; empty for a single number.
    pub shape: Vec<usize>,
    /// As many values as the product of `shape`.
    pub data: TensorData,
}

/// The contents of a safetensors file. Equal contents are written as equal bytes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tensors {
    /// Text stored beside the tensors.
    pub metadata: BTreeMap<String, String>,
    /// The tensors by name.
    pub tensors: BTreeMap<String, Tensor>,
}

impl TensorData {
    /// How many values there are.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(v) => v.len(),
            Self::F64(v) => v.len(),
            Self::U8(v) => v.len(),
            Self::U32(v) => v.len(),
            Self::U64(v) => v.len(),
            Self::I64(v) => v.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn dtype(&self) -> &'static str {
        match self {
            Self::F32(_) => "F32",
            Self::F64(_) => "F64",
            Self::U8(_) => "U8",
            Self::U32(_) => "U32",
            Self::U64(_) => "U64",
            Self::I64(_) => "I64",
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::F32(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Self::F64(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Self::U8(v) => v.clone(),
            Self::U32(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Self::U64(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Self::I64(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        }
    }

    /// Decodes little-endian `bytes`, whose length the header check has compared with the shape.
    fn from_bytes(dtype: &str, bytes: &[u8]) -> Option<Self> {
        fn map<const N: usize, T>(bytes: &[u8], convert: impl Fn([u8; N]) -> T) -> Vec<T> {
            bytes.as_chunks::<N>().0.iter().map(|&chunk| convert(chunk)).collect()
        }
        Some(match dtype {
            "F32" => Self::F32(map(bytes, f32::from_le_bytes)),
            "F16" => Self::F32(map(bytes, |b| half_to_f32(u16::from_le_bytes(b)))),
            "BF16" => Self::F32(map(bytes, |b| f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16))),
            "F64" => Self::F64(map(bytes, f64::from_le_bytes)),
            "U8" => Self::U8(bytes.to_vec()),
            "BOOL" => Self::U8(bytes.iter().map(|&b| u8::from(b != 0)).collect()),
            "U16" => Self::U32(map(bytes, |b| u32::from(u16::from_le_bytes(b)))),
            "U32" => Self::U32(map(bytes, u32::from_le_bytes)),
            "U64" => Self::U64(map(bytes, u64::from_le_bytes)),
            "I8" => Self::I64(map(bytes, |b| i64::from(i8::from_le_bytes(b)))),
            "I16" => Self::I64(map(bytes, |b| i64::from(i16::from_le_bytes(b)))),
            "I32" => Self::I64(map(bytes, |b| i64::from(i32::from_le_bytes(b)))),
            "I64" => Self::I64(map(bytes, i64::from_le_bytes)),
            _ => return None,
        })
    }
}

/// The value of an IEEE half; every half is exact in f32.
pub(super) fn half_to_f32(half: u16) -> f32 {
    let sign = if half & 0x8000 == 0 { 1.0 } else { -1.0 };
    let exponent = u32::from(half >> 10) & 31;
    let fraction = u32::from(half) & 1023;
    match (exponent, fraction) {
        (0, _) => sign * fraction as f32 * f32::from_bits(0x3380_0000), // 2⁻²⁴
        (31, 0) => sign * f32::INFINITY,
        (31, _) => f32::NAN,
        _ => sign * f32::from_bits((exponent + 112) << 23 | fraction << 13),
    }
}

impl Tensors {
    /// Adds or replaces a tensor.
    pub fn insert(&mut self, name: impl Into<String>, shape: &[usize], data: TensorData) {
        self.tensors.insert(name.into(), Tensor { shape: shape.to_vec(), data });
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read, [`Error::Format`] as for [`Tensors::parse`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
        Self::parse(&bytes, path)
    }

    /// Reads the bytes of a file; `path` is only named in errors. Values may be NaN or infinite.
    ///
    /// # Errors
    /// [`Error::Format`] when the header is damaged or untrue of the data, naming the tensor.
    pub fn parse(bytes: &[u8], path: &Path) -> Result<Self> {
        let (header, data) = tensors_header::parse(bytes, path)?;
        let mut tensors = BTreeMap::new();
        for (name, Entry { dtype, shape, data_offsets: (start, end) }) in header.tensors {
            let values = data
                .get(start..end)
                .and_then(|bytes| TensorData::from_bytes(&dtype, bytes))
                .ok_or_else(|| Error::format(path, format!("tensor {name}: type {dtype} is not supported")))?;
            tensors.insert(name, Tensor { shape, data: values });
        }
        Ok(Self { metadata: header.metadata, tensors })
    }

    /// The tensor `name`; `path` is only named in the error.
    ///
    /// # Errors
    /// [`Error::Format`] when there is no such tensor, listing those that are there.
    pub fn get(&self, name: &str, path: &Path) -> Result<&Tensor> {
        self.tensors.get(name).ok_or_else(|| {
            let names: Vec<&str> = self.tensors.keys().map(String::as_str).collect();
            Error::format(path, format!("tensor {name} is missing; the file holds {}", names.join(", ")))
        })
    }

    /// The f32 values (f64 is rounded) and shape of tensor `name`, all finite.
    ///
    /// # Errors
    /// [`Error::Format`] when the tensor is missing or holds integers, [`Error::Data`] with the
    /// flat index of the first value that is not a finite f32.
    pub fn finite_f32(&self, name: &str, path: &Path) -> Result<(&[usize], Vec<f32>)> {
        let tensor = self.get(name, path)?;
        let values: Vec<f32> = match &tensor.data {
            TensorData::F32(v) => v.clone(),
            TensorData::F64(v) => v.iter().map(|&x| x as f32).collect(),
            other => {
                let what = format!("tensor {name} holds {}; it must hold f32 or f64", other.dtype());
                return Err(Error::format(path, what));
            }
        };
        if let Some((at, value)) = values.iter().enumerate().find(|(_, v)| !v.is_finite()) {
            let what = format!("tensor {name}, value {at}: {value}; every value must be a finite number");
            return Err(Error::data(path, what));
        }
        Ok((&tensor.shape, values))
    }

    /// The file's bytes: tensors sorted by name, metadata by key, data aligned to 8 bytes.
    ///
    /// # Errors
    /// [`Error::Shape`] when a tensor's shape and values disagree, [`Error::Config`] when a
    /// tensor has the reserved name `__metadata__`.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut header = Header { metadata: self.metadata.clone(), ..Header::default() };
        let mut data: Vec<u8> = Vec::new();
        // Wide types first, as in files of the reference writer, so that every tensor is aligned.
        let mut order: Vec<(&String, &Tensor)> = self.tensors.iter().collect();
        order.sort_by_key(|(_, t)| std::cmp::Reverse(tensors_header::item_size(t.data.dtype())));
        for (name, tensor) in order {
            if name == "__metadata__" {
                return Err(Error::Config("no tensor may be called __metadata__".to_owned()));
            }
            let count = tensor.shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
            if count != Some(tensor.data.len()) {
                let expected = format!("{:?} for tensor {name}", tensor.shape);
                let got = format!("{} values", tensor.data.len());
                return Err(Error::Shape { op: "write safetensors", expected, got });
            }
            let start = data.len();
            data.extend(tensor.data.to_bytes());
            let entry = Entry {
                dtype: tensor.data.dtype().to_owned(),
                shape: tensor.shape.clone(),
                data_offsets: (start, data.len()),
            };
            header.tensors.insert(name.clone(), entry);
        }
        let mut text = serde_json::to_vec(&header)
            .map_err(|e| Error::Config(format!("cannot write a safetensors header: {e}")))?;
        text.resize(text.len().next_multiple_of(8), b' ');
        let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
        bytes.append(&mut text);
        bytes.append(&mut data);
        Ok(bytes)
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// As for [`Tensors::to_bytes`] and [`write_atomic`].
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let bytes = self.to_bytes()?;
        write_atomic(path, |out| out.write_all(&bytes).map_err(Error::io("write", path)))
    }
}
