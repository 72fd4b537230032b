//! The sequence of operations that a device runs in order.

use std::ops::Range;

use super::{Buffer, Element};
use crate::{Error, Result};

/// Operations run in the order in which they are recorded. On a GPU they are submitted in bounded batches and only
/// [`Stream::read`] and [`Stream::wait`] wait for them.
#[allow(clippy::large_enum_variant)] // one stream per run
pub enum Stream {
    /// Host twins, run at once.
    Cpu,
    /// Dispatches on a GPU.
    #[cfg(feature = "gpu")]
    Gpu(crate::gpu::Recorder),
}

impl Stream {
    /// The elements `range` of a buffer, after all that was recorded before.
    ///
    /// # Errors
    /// [`Error::Shape`] when the range leaves the buffer, [`Error::Gpu`] and [`Error::DeviceLost`] for what
    /// happened on the device since the last call.
    pub fn read_range<T: Element>(&mut self, buffer: &Buffer<T>, range: Range<usize>) -> Result<Vec<T>> {
        if range.end > buffer.len() {
            let expected = format!("a range within {} elements", buffer.len());
            return Err(Error::Shape { op: "read", expected, got: format!("{range:?}") });
        }
        match self {
            Self::Cpu => Ok(buffer.host()?[range].to_vec()),
            #[cfg(feature = "gpu")]
            Self::Gpu(recorder) => {
                let size = size_of::<T>() as u64;
                // Copies move whole words: widen the range, then cut.
                let start = (range.start as u64 * size) / 4 * 4;
                let end = (range.end as u64 * size).next_multiple_of(4);
                let bytes = recorder.read(buffer.raw()?, start..end)?;
                let skip = range.start - (start / size) as usize;
                let elements: Vec<T> = bytemuck::pod_collect_to_vec(&bytes);
                Ok(elements[skip..skip + range.len()].to_vec())
            }
        }
    }

    /// All elements of a buffer. See [`Stream::read_range`].
    ///
    /// # Errors
    /// As [`Stream::read_range`].
    pub fn read<T: Element>(&mut self, buffer: &Buffer<T>) -> Result<Vec<T>> {
        self.read_range(buffer, 0..buffer.len())
    }

    /// Replaces a buffer's elements from `offset` on, after all that was recorded before.
    ///
    /// # Errors
    /// [`Error::Shape`] when the contents leave the buffer; [`Error::Gpu`] when the driver refuses.
    pub fn write<T: Element>(&mut self, buffer: &mut Buffer<T>, offset: usize, contents: &[T]) -> Result<()> {
        if offset + contents.len() > buffer.len() {
            let expected = format!("at most {} elements after element {offset}", buffer.len().saturating_sub(offset));
            return Err(Error::Shape { op: "write", expected, got: contents.len().to_string() });
        }
        match self {
            Self::Cpu => {
                buffer.host_mut()?[offset..offset + contents.len()].copy_from_slice(contents);
                Ok(())
            }
            #[cfg(feature = "gpu")]
            Self::Gpu(recorder) => {
                recorder.write(buffer.raw()?, (offset * size_of::<T>()) as u64, bytemuck::cast_slice(contents))
            }
        }
    }

    /// Copies all elements of `from` into `to` from `offset` on.
    ///
    /// # Errors
    /// [`Error::Shape`] when they leave `to`; [`Error::Gpu`] when the driver refuses.
    pub fn copy_into<T: Element>(&mut self, from: &Buffer<T>, to: &mut Buffer<T>, offset: usize) -> Result<()> {
        self.copy_part(from, from.len(), to, offset)
    }

    /// Copies the first `count` elements of `from` into `to` from `offset` on.
    ///
    /// # Errors
    /// As [`Stream::copy_into`].
    pub fn copy_part<T: Element>(
        &mut self,
        from: &Buffer<T>,
        count: usize,
        to: &mut Buffer<T>,
        offset: usize,
    ) -> Result<()> {
        if count > from.len() || offset + count > to.len() {
            let expected = format!("{count} elements in {} and after element {offset} of {}", from.len(), to.len());
            return Err(Error::Shape { op: "copy", expected, got: "shorter arrays".to_owned() });
        }
        match self {
            Self::Cpu => {
                to.host_mut()?[offset..offset + count].copy_from_slice(&from.host()?[..count]);
                Ok(())
            }
            #[cfg(feature = "gpu")]
            Self::Gpu(recorder) => {
                let bytes = |elements: usize| (elements * size_of::<T>()) as u64;
                recorder.copy(from.raw()?, 0, to.raw()?, bytes(offset), bytes(count))
            }
        }
    }

    /// Waits until everything recorded has run.
    ///
    /// # Errors
    /// What happened on the device since the last call.
    pub fn wait(&mut self) -> Result<()> {
        match self {
            Self::Cpu => Ok(()),
            #[cfg(feature = "gpu")]
            Self::Gpu(recorder) => recorder.wait(),
        }
    }
}
