//! An opened adapter.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::adapter::{AdapterChoice, AdapterInfo, Adapters, DeviceKind};
use super::fault::{Faults, scoped};
use super::pipeline::{Pipeline, PipelineSpec};
use crate::{Error, Result};

/// An opened GPU with its queue and compiled pipelines. Cloning shares it.
#[derive(Clone)]
pub struct Gpu(Arc<Inner>);

struct Inner {
    device: wgpu::Device,
    queue: wgpu::Queue,
    info: AdapterInfo,
    faults: Faults,
    pipelines: Mutex<HashMap<PipelineSpec, Pipeline>>,
}

impl std::fmt::Debug for Gpu {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gpu({} via {})", self.0.info.name, self.0.info.backend)
    }
}

impl Gpu {
    /// Opens the adapter that `choice` names, with WebGPU's default limits; only the sizes of buffers are raised to what the adapter has.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] where there is none; [`Error::Gpu`] where the driver refuses the device.
    pub fn open(choice: &AdapterChoice) -> Result<Self> {
        Self::open_among(&Adapters::find(), choice)
    }

    /// The same of adapters that are found already.
    ///
    /// # Errors
    /// As for [`Gpu::open`].
    pub fn open_among(adapters: &Adapters, choice: &AdapterChoice) -> Result<Self> {
        let (adapter, mut info) = adapters.select(choice)?;
        let have = adapter.limits();
        let mut limits = wgpu::Limits::default();
        limits.max_buffer_size = limits.max_buffer_size.max(have.max_buffer_size);
        limits.max_storage_buffer_binding_size =
            limits.max_storage_buffer_binding_size.max(have.max_storage_buffer_binding_size);
        info.max_buffer_bytes = limits.max_buffer_size;
        info.max_binding_bytes = limits.max_storage_buffer_binding_size;
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("bures"),
            required_limits: limits,
            memory_hints: wgpu::MemoryHints::Performance,
            ..Default::default()
        };
        let (device, queue) = pollster::block_on(adapter.request_device(&descriptor))
            .map_err(|error| Error::Gpu { op: format!("opening {}", info.name), what: error.to_string() })?;
        let faults = Faults::default();
        faults.watch(&device);
        Ok(Self(Arc::new(Inner { device, queue, info, faults, pipelines: Mutex::default() })))
    }

    /// The adapter, with the limits that this device was opened with.
    pub fn info(&self) -> &AdapterInfo {
        &self.0.info
    }

    /// Whether the device is a software implementation: kernels pick their shape by it.
    pub fn is_software(&self) -> bool {
        self.0.info.kind == DeviceKind::Software
    }

    /// The compiled pipeline of `spec`; compiled once per device.
    ///
    /// # Errors
    /// [`Error::Gpu`] where the shader does not exist or the driver refuses it.
    pub fn pipeline(&self, spec: PipelineSpec) -> Result<Pipeline> {
        let mut pipelines = self.0.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipeline) = pipelines.get(&spec) {
            return Ok(pipeline.clone());
        }
        let pipeline = Pipeline::compile(self, &spec)?;
        pipelines.insert(spec, pipeline.clone());
        Ok(pipeline)
    }

    pub(super) fn device(&self) -> &wgpu::Device {
        &self.0.device
    }

    pub(super) fn queue(&self) -> &wgpu::Queue {
        &self.0.queue
    }

    /// Returns what the driver has complained of since the last check.
    pub(super) fn check(&self, op: &str) -> Result<()> {
        self.0.faults.check(op)
    }

    /// Runs `f` on the device and returns the driver's complaint, if any, as an error.
    pub(super) fn scoped<T>(&self, op: &str, f: impl FnOnce(&wgpu::Device) -> T) -> Result<T> {
        self.0.faults.check(op)?;
        scoped(&self.0.device, op, || f(&self.0.device))
    }

    /// Waits for `submission`, or for everything submitted where it is `None`.
    pub(super) fn wait_for(&self, submission: Option<wgpu::SubmissionIndex>) -> Result<()> {
        let wait = wgpu::PollType::Wait { submission_index: submission, timeout: None };
        let polled = self.0.device.poll(wait);
        self.0.faults.check("waiting for the device")?;
        polled
            .map(drop)
            .map_err(|error| Error::Gpu { op: "waiting for the device".to_owned(), what: error.to_string() })
    }
}
