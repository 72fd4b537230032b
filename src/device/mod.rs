//! Where arrays live and operations run: the CPU, or a GPU behind the same few types.
//!
//! An operation of [`crate::kernels`] is recorded into a [`Stream`]. On a GPU it becomes dispatches that run when
//! the stream submits; on the CPU its host twin runs at once. Nothing else in bures knows the difference.

mod buffer;
mod stream;

pub use buffer::{Buffer, Element};
pub use stream::Stream;

use crate::Result;

/// An executor. Cloning is cheap: clones share the device.
#[derive(Clone)]
pub enum Device {
    /// The host's own cores, by the twins in [`crate::reference`].
    Cpu,
    /// A graphics adapter.
    #[cfg(feature = "gpu")]
    Gpu(crate::gpu::Gpu),
}

impl Device {
    /// A stream that runs operations on this device.
    ///
    /// # Errors
    /// [`crate::Error::Gpu`] when the driver refuses the stream's buffers.
    pub fn stream(&self) -> Result<Stream> {
        match self {
            Self::Cpu => Ok(Stream::Cpu),
            #[cfg(feature = "gpu")]
            Self::Gpu(gpu) => Ok(Stream::Gpu(crate::gpu::Recorder::new(gpu)?)),
        }
    }

    /// Whether this is the host's own cores.
    pub fn is_cpu(&self) -> bool {
        matches!(self, Self::Cpu)
    }

    /// One line for people: the adapter's name and backend, or the number of threads.
    pub fn describe(&self) -> String {
        match self {
            Self::Cpu => {
                let threads = rayon::current_num_threads();
                format!("CPU, {threads} thread{}", if threads == 1 { "" } else { "s" })
            }
            #[cfg(feature = "gpu")]
            Self::Gpu(gpu) => {
                let info = gpu.info();
                format!("{} ({})", info.name, info.backend)
            }
        }
    }
}
