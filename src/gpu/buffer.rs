//! Untyped storage buffers.

use std::sync::atomic::{AtomicU64, Ordering};

use super::device::Gpu;
use crate::{Error, Result};

/// A storage buffer on the device. Cloning shares the memory.
#[derive(Clone, Debug)]
pub struct RawBuffer {
    pub(super) buffer: wgpu::Buffer,
    pub(super) id: u64,
    bytes: u64,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(0);

impl RawBuffer {
    /// A buffer of `bytes` zero bytes.
    ///
    /// # Errors
    /// [`Error::Limit`] where the device has no buffer or binding of that size; [`Error::Gpu`] where it is out of memory.
    pub fn zeroed(gpu: &Gpu, bytes: u64) -> Result<Self> {
        // wgpu zeroes new buffers before their first use.
        Self::create(gpu, bytes)
    }

    /// A buffer that holds `contents`.
    ///
    /// # Errors
    /// As [`RawBuffer::zeroed`].
    pub fn from_bytes(gpu: &Gpu, contents: &[u8]) -> Result<Self> {
        let buffer = Self::create(gpu, contents.len() as u64)?;
        let whole = contents.len() / 4 * 4;
        gpu.queue().write_buffer(&buffer.buffer, 0, &contents[..whole]);
        if whole < contents.len() {
            // Writes come in words of four bytes; the last one is filled up with zeros.
            let mut word = [0; 4];
            word[..contents.len() - whole].copy_from_slice(&contents[whole..]);
            gpu.queue().write_buffer(&buffer.buffer, whole as u64, &word);
        }
        gpu.check("filling a buffer")?;
        Ok(buffer)
    }

    /// Length in bytes, as asked for.
    pub fn len(&self) -> u64 {
        self.bytes
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    fn create(gpu: &Gpu, bytes: u64) -> Result<Self> {
        let info = gpu.info();
        for (what, have) in
            [("max_storage_buffer_binding_size", info.max_binding_bytes), ("max_buffer_size", info.max_buffer_bytes)]
        {
            if bytes > have {
                return Err(Error::Limit { what: format!("{what} of {}", info.name), need: bytes, have });
            }
        }
        // A binding of no bytes is not allowed, and vec4 arrays need one whole element.
        let size = bytes.max(16).next_multiple_of(16).min(have_aligned(info.max_buffer_bytes));
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
        let buffer = gpu.scoped("creating a buffer", |device| {
            device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
        })?;
        Ok(Self { buffer, id: NEXT_ID.fetch_add(1, Ordering::Relaxed), bytes })
    }
}

fn have_aligned(limit: u64) -> u64 {
    limit / 16 * 16
}
