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
    /// Opens a device. `adapter` is a number of `bures info`, a part of an adapter's name, or `cpu`; `software` asks for
    /// the software adapter. Without either: a hardware adapter if there is one, else the CPU.
    ///
    /// # Errors
    /// [`crate::Error::NoAdapter`] when nothing answers to what was asked for, [`crate::Error::SelfTest`] when the
    /// adapter computes wrong numbers, and what its driver reports.
    pub fn open(adapter: Option<&str>, software: bool) -> Result<Self> {
        if adapter == Some("cpu") {
            return Ok(Self::Cpu);
        }
        Self::open_gpu(adapter, software)
    }

    #[cfg(feature = "gpu")]
    fn open_gpu(adapter: Option<&str>, software: bool) -> Result<Self> {
        Self::open_among(&crate::gpu::Adapters::find(), adapter, software)
    }

    /// [`Device::open`] of adapters that are found already.
    ///
    /// # Errors
    /// As for [`Device::open`].
    #[cfg(feature = "gpu")]
    pub fn open_among(adapters: &crate::gpu::Adapters, adapter: Option<&str>, software: bool) -> Result<Self> {
        use crate::gpu::{AdapterChoice, Gpu};
        if adapter == Some("cpu") {
            return Ok(Self::Cpu);
        }
        let choice = match adapter {
            _ if software => AdapterChoice::Software,
            None => AdapterChoice::Auto,
            Some(text) => text.parse().map_or_else(|_| AdapterChoice::Name(text.to_owned()), AdapterChoice::Index),
        };
        match Gpu::open_among(adapters, &choice) {
            Ok(gpu) => {
                crate::selftest::check(&gpu)?;
                Ok(Self::Gpu(gpu))
            }
            Err(crate::Error::NoAdapter { .. }) if choice == AdapterChoice::Auto => Ok(Self::Cpu),
            Err(why) => Err(why),
        }
    }

    #[cfg(not(feature = "gpu"))]
    fn open_gpu(adapter: Option<&str>, software: bool) -> Result<Self> {
        let wanted = match adapter {
            None if !software => return Ok(Self::Cpu),
            Some(text) => text.to_owned(),
            None => "in software".to_owned(),
        };
        let found = vec!["cpu (this build has no GPU support)".to_owned()];
        Err(crate::Error::NoAdapter { wanted, found })
    }

    /// The adapter's name and driver, for the record of where a result comes from.
    pub fn name_and_driver(&self) -> (String, String) {
        match self {
            Self::Cpu => ("cpu".to_owned(), String::new()),
            #[cfg(feature = "gpu")]
            Self::Gpu(gpu) => {
                let info = gpu.info();
                (info.name.clone(), format!("{} {}", info.driver, info.driver_info).trim().to_owned())
            }
        }
    }

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
