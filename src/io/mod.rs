//! File formats, readers that trust no length in a file, and writers that leave no half file.

mod atomic;
mod hash;
pub mod npy;
mod npy_header;
mod npz;
mod tensors;
mod tensors_header;

pub use atomic::write_atomic;
pub use hash::{read_hashed, sha256_bytes, sha256_file};
pub use npy::{Array, ArrayData, read_npy, write_npy_f32, write_npy_f64, write_npy_i64};
pub use npz::Npz;
pub use tensors::{Tensor, TensorData, Tensors};
