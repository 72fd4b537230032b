//! The GPU: adapters, the opened device, buffers, pipelines and the recorder that submits work.
//! Types of wgpu appear only here, because wgpu changes its interface every few months.

mod adapter;
mod buffer;
mod device;
mod fault;
mod pipeline;
mod recorder;
pub mod shaders;

pub use adapter::{AdapterChoice, AdapterInfo, Adapters, DeviceKind};
pub use buffer::RawBuffer;
pub use device::Gpu;
pub use pipeline::{Pipeline, PipelineSpec};
pub use recorder::{Recorder, fold};
