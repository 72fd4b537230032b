//! Shader text to compiled pipeline.

use std::sync::atomic::{AtomicU64, Ordering};

use super::device::Gpu;
use super::shaders;
use crate::{Error, Result};

/// Largest uniform block of one dispatch in bytes: one slot of the recorder's uniform buffer.
pub(super) const UNIFORM_SLOT: u64 = 256;

/// What makes one pipeline differ from another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PipelineSpec {
    /// Shader file under `shaders/`, without `.wgsl`.
    pub shader: &'static str,
    /// Entry point.
    pub entry: &'static str,
    /// `const` declarations put in front of the shader, because private arrays cannot be sized by overrides.
    pub consts: Vec<(&'static str, u32)>,
}

impl PipelineSpec {
    /// The entry point `main` of `shader` with the given constants.
    pub fn new(shader: &'static str, consts: &[(&'static str, u32)]) -> Self {
        Self { shader, entry: "main", consts: consts.to_vec() }
    }

    /// The full text that the driver compiles, or `None` where there is no such shader.
    pub fn source(&self) -> Option<String> {
        let mut text = String::new();
        for (name, value) in &self.consts {
            text.push_str(&format!("const {name}: u32 = {value}u;\n"));
        }
        text.push_str(&shaders::resolved(self.shader)?);
        Some(text)
    }
}

/// A compiled compute pipeline. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Pipeline {
    pub(super) pipeline: wgpu::ComputePipeline,
    pub(super) layout: wgpu::BindGroupLayout,
    pub(super) id: u64,
    pub(super) name: &'static str,
    /// Number of storage bindings, 1 to this.
    pub(super) buffers: usize,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(0);

impl Pipeline {
    pub(super) fn compile(gpu: &Gpu, spec: &PipelineSpec) -> Result<Self> {
        let op = format!("compiling {}", spec.shader);
        let source = spec.source().ok_or_else(|| Error::Gpu { op: op.clone(), what: "no such shader".to_owned() })?;
        let access = storage_access(&source);
        let (pipeline, layout) = gpu.scoped(&op, |device| {
            let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(spec.shader),
                source: wgpu::ShaderSource::Wgsl(source.into()),
            });
            let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: Some(spec.shader),
                entries: &layout_entries(&access),
            });
            let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some(spec.shader),
                bind_group_layouts: &[Some(&layout)],
                immediate_size: 0,
            });
            let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(spec.shader),
                layout: Some(&pipeline_layout),
                module: &module,
                entry_point: Some(spec.entry),
                compilation_options: wgpu::PipelineCompilationOptions {
                    // Every kernel writes its workgroup memory before it reads it.
                    zero_initialize_workgroup_memory: false,
                    ..Default::default()
                },
                cache: None,
            });
            (pipeline, layout)
        })?;
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        Ok(Self { pipeline, layout, id, name: spec.shader, buffers: access.len() })
    }
}

/// Binding 0 is the uniform block, addressed by a dynamic offset; 1.. are the storage buffers, `true` where read-only.
fn layout_entries(access: &[bool]) -> Vec<wgpu::BindGroupLayoutEntry> {
    let entry = |binding: u32, ty, has_dynamic_offset| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset, min_binding_size: None },
        count: None,
    };
    let uniform = std::iter::once(entry(0, wgpu::BufferBindingType::Uniform, true));
    let storage = (1..)
        .zip(access)
        .map(|(binding, &read_only)| entry(binding, wgpu::BufferBindingType::Storage { read_only }, false));
    uniform.chain(storage).collect()
}

/// Whether each storage binding, in order of declaration, is read-only. Kernels declare bindings 1, 2, … in order.
fn storage_access(source: &str) -> Vec<bool> {
    source.match_indices("var<storage").map(|(at, _)| !source[at..].starts_with("var<storage, read_write>")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_is_read_from_the_declarations() {
        let text = "@group(0) @binding(1) var<storage, read> a: array<f32>;\n@group(0) @binding(2) var<storage, read_write> b: array<f32>;";
        assert_eq!(storage_access(text), [true, false]);
    }
}
