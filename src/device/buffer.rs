//! Arrays typed by element, on either executor.

use std::marker::PhantomData;

use super::Device;
#[cfg(feature = "gpu")]
use crate::gpu::RawBuffer;
use crate::{Error, Result};

/// What a buffer can hold.
pub trait Element: bytemuck::Pod + Default + Send + Sync {}
impl Element for f32 {}
impl Element for u32 {}
impl Element for u8 {}

/// An array on a device.
pub struct Buffer<T> {
    storage: Storage<T>,
    len: usize,
}

enum Storage<T> {
    Host(Vec<T>),
    #[cfg(feature = "gpu")]
    Gpu(RawBuffer, PhantomData<T>),
    /// Keeps `PhantomData` in use without the feature.
    #[cfg(not(feature = "gpu"))]
    #[allow(dead_code)]
    Never(PhantomData<T>),
}

impl<T: Element> Buffer<T> {
    /// An array of zeros.
    ///
    /// # Errors
    /// [`Error::Limit`] or [`Error::Gpu`] when the device cannot hold it.
    pub fn zeros(device: &Device, len: usize) -> Result<Self> {
        let storage = match device {
            Device::Cpu => Storage::Host(vec![T::default(); len]),
            #[cfg(feature = "gpu")]
            Device::Gpu(gpu) => Storage::Gpu(RawBuffer::zeroed(gpu, padded_bytes::<T>(len))?, PhantomData),
        };
        Ok(Self { storage, len })
    }

    /// A copy of `contents` on the device.
    ///
    /// # Errors
    /// [`Error::Limit`] or [`Error::Gpu`] when the device cannot hold it.
    pub fn from_slice(device: &Device, contents: &[T]) -> Result<Self> {
        let storage = match device {
            Device::Cpu => Storage::Host(contents.to_vec()),
            #[cfg(feature = "gpu")]
            Device::Gpu(gpu) => Storage::Gpu(RawBuffer::from_bytes(gpu, bytemuck::cast_slice(contents))?, PhantomData),
        };
        Ok(Self { storage, len: contents.len() })
    }

    /// Like [`Buffer::from_slice`], without a copy where the device is the host.
    ///
    /// # Errors
    /// [`Error::Limit`] or [`Error::Gpu`] when the device cannot hold it.
    pub fn from_vec(device: &Device, contents: Vec<T>) -> Result<Self> {
        if device.is_cpu() {
            let len = contents.len();
            return Ok(Self { storage: Storage::Host(contents), len });
        }
        Self::from_slice(device, &contents)
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no elements.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The elements, for a host twin.
    ///
    /// # Errors
    /// [`Error::Shape`] when the array lives on a GPU: it belongs to another executor than the stream.
    pub fn host(&self) -> Result<&[T]> {
        match &self.storage {
            Storage::Host(data) => Ok(data),
            #[allow(unreachable_patterns)]
            _ => Err(wrong_executor("the CPU", "a GPU buffer")),
        }
    }

    /// The elements, for a host twin to write.
    ///
    /// # Errors
    /// [`Error::Shape`] when the array lives on a GPU.
    pub fn host_mut(&mut self) -> Result<&mut [T]> {
        match &mut self.storage {
            Storage::Host(data) => Ok(data),
            #[allow(unreachable_patterns)]
            _ => Err(wrong_executor("the CPU", "a GPU buffer")),
        }
    }

    /// The device's buffer, for a dispatch.
    ///
    /// # Errors
    /// [`Error::Shape`] when the array lives on the host.
    #[cfg(feature = "gpu")]
    pub(crate) fn raw(&self) -> Result<&RawBuffer> {
        match &self.storage {
            Storage::Gpu(raw, _) => Ok(raw),
            Storage::Host(_) => Err(wrong_executor("a GPU", "a host array")),
        }
    }
}

fn wrong_executor(expected: &str, got: &str) -> Error {
    Error::Shape { op: "executor", expected: format!("arrays of {expected}"), got: got.to_owned() }
}

/// Storage buffers are made of whole 16-byte vectors.
#[cfg(feature = "gpu")]
fn padded_bytes<T>(len: usize) -> u64 {
    ((len * size_of::<T>()) as u64).next_multiple_of(16).max(16)
}
