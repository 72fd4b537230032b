//! Records dispatches and copies and submits them in bounded chunks.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;

use super::buffer::RawBuffer;
use super::device::Gpu;
use super::pipeline::{Pipeline, UNIFORM_SLOT};
use crate::{Error, Result};

/// Dispatches in one submission: enough to hide its cost, few enough that no watchdog fires.
const CHUNK: usize = 200;
/// Submissions that may be under way before the recorder waits for the oldest: bounds the driver's memory.
const IN_FLIGHT: usize = 3;
/// How long a readback waits for its callback once the device is done.
const CALLBACK: std::time::Duration = std::time::Duration::from_secs(10);
/// Bind groups kept; they hold their buffers alive, so the cache is emptied rather than left to grow.
const BIND_GROUPS: usize = 256;
/// Largest number of workgroups along one axis of a grid, by WebGPU's default limits.
const MAX_GROUPS: u32 = 65_535;

enum Op {
    Dispatch { pipeline: wgpu::ComputePipeline, bind_group: wgpu::BindGroup, offset: u32, groups: [u32; 3] },
    Copy { from: wgpu::Buffer, from_offset: u64, to: wgpu::Buffer, to_offset: u64, bytes: u64 },
}

/// Folds `groups` workgroups into a grid that no axis limit refuses. The shader numbers them `y · num_workgroups.x + x`
/// and must ignore numbers past the end.
pub fn fold(groups: u64) -> [u32; 3] {
    let rows = groups.div_ceil(u64::from(MAX_GROUPS)).max(1);
    let columns = groups.div_ceil(rows);
    // Past 65,535² workgroups both axes saturate, and the driver refuses the grid.
    [columns.min(u64::from(u32::MAX)) as u32, rows.min(u64::from(u32::MAX)) as u32, 1]
}

/// A list of work for one device, run in the order in which it was recorded.
pub struct Recorder {
    gpu: Gpu,
    ops: Vec<Op>,
    dispatches: usize,
    uniforms: Vec<u8>,
    uniform_buffer: wgpu::Buffer,
    bind_groups: HashMap<(u64, Vec<u64>), wgpu::BindGroup>,
    in_flight: VecDeque<wgpu::SubmissionIndex>,
    staging: Option<wgpu::Buffer>,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recorder({:?}, {} recorded)", self.gpu, self.ops.len())
    }
}

impl Recorder {
    /// An empty recorder on `gpu`.
    ///
    /// # Errors
    /// [`Error::Gpu`] where its uniform buffer cannot be made.
    pub fn new(gpu: &Gpu) -> Result<Self> {
        let uniform_buffer = gpu.scoped("creating a recorder", |device| {
            device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("uniforms"),
                size: CHUNK as u64 * UNIFORM_SLOT,
                usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            })
        })?;
        Ok(Self {
            gpu: gpu.clone(),
            ops: Vec::new(),
            dispatches: 0,
            uniforms: Vec::with_capacity(CHUNK * UNIFORM_SLOT as usize),
            uniform_buffer,
            bind_groups: HashMap::new(),
            in_flight: VecDeque::new(),
            staging: None,
        })
    }

    /// The device it records for.
    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// Records a dispatch of `groups` workgroups: `params` is the uniform block at binding 0, `bindings` the storage buffers
    /// at 1, 2, …. Submits by itself when a chunk is full, without waiting for it.
    ///
    /// # Errors
    /// [`Error::Shape`] where `params` or the number of bindings does not fit the pipeline; [`Error::Gpu`] and
    /// [`Error::DeviceLost`] for what the driver has reported.
    pub fn dispatch(
        &mut self,
        pipeline: &Pipeline,
        params: &[u8],
        bindings: &[&RawBuffer],
        groups: [u32; 3],
    ) -> Result<()> {
        if bindings.len() != pipeline.buffers || params.len() as u64 > UNIFORM_SLOT {
            return Err(Error::Shape {
                op: pipeline.name,
                expected: format!("{} buffers and at most {UNIFORM_SLOT} bytes of parameters", pipeline.buffers),
                got: format!("{} buffers and {} bytes", bindings.len(), params.len()),
            });
        }
        if groups.contains(&0) {
            return Ok(());
        }
        let bind_group = self.bind_group(pipeline, bindings)?;
        let offset = self.uniforms.len();
        self.uniforms.extend_from_slice(params);
        self.uniforms.resize(offset + UNIFORM_SLOT as usize, 0);
        self.ops.push(Op::Dispatch { pipeline: pipeline.pipeline.clone(), bind_group, offset: offset as u32, groups });
        self.dispatches += 1;
        if self.dispatches == CHUNK { self.submit() } else { Ok(()) }
    }

    /// Records a copy of `bytes` bytes. Offsets and lengths are multiples of 4.
    ///
    /// # Errors
    /// [`Error::Shape`] where the range lies outside a buffer or is not aligned.
    pub fn copy(
        &mut self,
        from: &RawBuffer,
        from_offset: u64,
        to: &RawBuffer,
        to_offset: u64,
        bytes: u64,
    ) -> Result<()> {
        check_range("copy", from, from_offset, bytes)?;
        check_range("copy", to, to_offset, bytes)?;
        let (from, to) = (from.buffer.clone(), to.buffer.clone());
        self.ops.push(Op::Copy { from, from_offset, to, to_offset, bytes });
        Ok(())
    }

    /// Writes `contents` into `buffer` at `offset`, after everything recorded so far. Both are multiples of 4 bytes.
    ///
    /// # Errors
    /// [`Error::Shape`] where the range lies outside the buffer or is not aligned; otherwise as [`Recorder::submit`].
    pub fn write(&mut self, buffer: &RawBuffer, offset: u64, contents: &[u8]) -> Result<()> {
        check_range("write", buffer, offset, contents.len() as u64)?;
        self.submit()?;
        self.gpu.queue().write_buffer(&buffer.buffer, offset, contents);
        self.gpu.check("writing a buffer")
    }

    /// Reads bytes `range` of `buffer` as they are after everything recorded so far: submits, waits, copies back.
    ///
    /// # Errors
    /// [`Error::Shape`] where the range lies outside the buffer or is not aligned to 4; otherwise as [`Recorder::submit`].
    pub fn read(&mut self, buffer: &RawBuffer, range: Range<u64>) -> Result<Vec<u8>> {
        let bytes = range.end.saturating_sub(range.start);
        check_range("read", buffer, range.start, bytes)?;
        if bytes == 0 {
            return Ok(Vec::new());
        }
        // Taken out while mapped: after an error it is dropped, so that no later read finds it mapped.
        let staging = self.take_staging(bytes)?;
        let (from, to) = (buffer.buffer.clone(), staging.clone());
        self.ops.push(Op::Copy { from, from_offset: range.start, to, to_offset: 0, bytes });
        self.submit()?;
        let slice = staging.slice(..bytes);
        let (sender, receiver) = std::sync::mpsc::channel();
        slice.map_async(wgpu::MapMode::Read, move |result| {
            // Nobody listens any more where the wait below failed.
            let _ = sender.send(result);
        });
        self.wait()?;
        let failed = |what: String| Error::Gpu { op: "reading back".to_owned(), what };
        // Another thread that polls the device may be the one that runs the callback, a moment later.
        receiver
            .recv_timeout(CALLBACK)
            .map_err(|_| failed("the device did not answer".to_owned()))?
            .map_err(|e| failed(e.to_string()))?;
        let contents = slice.get_mapped_range().map_err(|e| failed(e.to_string()))?.to_vec();
        staging.unmap();
        self.staging = Some(staging);
        Ok(contents)
    }

    /// Hands everything recorded to the driver. Waits only where too many submissions are under way.
    ///
    /// # Errors
    /// [`Error::Gpu`] and [`Error::DeviceLost`] for what the driver has reported.
    pub fn submit(&mut self) -> Result<()> {
        self.gpu.check("submitting")?;
        if self.ops.is_empty() {
            return Ok(());
        }
        if !self.uniforms.is_empty() {
            // The queue orders this write after earlier submissions, so one uniform buffer serves them all.
            self.gpu.queue().write_buffer(&self.uniform_buffer, 0, &self.uniforms);
        }
        let commands = self.encode();
        self.in_flight.push_back(self.gpu.queue().submit([commands]));
        self.uniforms.clear();
        self.dispatches = 0;
        while self.in_flight.len() > IN_FLIGHT {
            let oldest = self.in_flight.pop_front();
            self.gpu.wait_for(oldest)?;
        }
        self.gpu.check("submitting")
    }

    /// Submits and waits until the device has done everything.
    ///
    /// # Errors
    /// As [`Recorder::submit`].
    pub fn wait(&mut self) -> Result<()> {
        self.submit()?;
        self.in_flight.clear();
        self.gpu.wait_for(None)
    }

    fn encode(&mut self) -> wgpu::CommandBuffer {
        let mut encoder = self.gpu.device().create_command_encoder(&wgpu::CommandEncoderDescriptor { label: None });
        let mut ops = self.ops.drain(..).peekable();
        while let Some(op) = ops.next() {
            match op {
                Op::Copy { from, from_offset, to, to_offset, bytes } => {
                    encoder.copy_buffer_to_buffer(&from, from_offset, &to, to_offset, bytes);
                }
                first @ Op::Dispatch { .. } => {
                    // One pass for every run of dispatches: a pass of its own costs as much as two dispatches.
                    let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
                    let mut next = Some(first);
                    while let Some(Op::Dispatch { pipeline, bind_group, offset, groups: [x, y, z] }) = next {
                        pass.set_pipeline(&pipeline);
                        pass.set_bind_group(0, &bind_group, &[offset]);
                        pass.dispatch_workgroups(x, y, z);
                        next = ops.next_if(|op| matches!(op, Op::Dispatch { .. }));
                    }
                }
            }
        }
        encoder.finish()
    }

    fn bind_group(&mut self, pipeline: &Pipeline, bindings: &[&RawBuffer]) -> Result<wgpu::BindGroup> {
        let key = (pipeline.id, bindings.iter().map(|buffer| buffer.id).collect::<Vec<_>>());
        if let Some(group) = self.bind_groups.get(&key) {
            return Ok(group.clone());
        }
        if self.bind_groups.len() >= BIND_GROUPS {
            self.bind_groups.clear();
        }
        let uniform = wgpu::BufferBinding {
            buffer: &self.uniform_buffer,
            offset: 0,
            size: std::num::NonZeroU64::new(UNIFORM_SLOT),
        };
        let mut entries = vec![wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::Buffer(uniform) }];
        entries.extend(
            (1..)
                .zip(bindings)
                .map(|(binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.buffer.as_entire_binding() }),
        );
        let group = self.gpu.scoped(pipeline.name, |device| {
            device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(pipeline.name),
                layout: &pipeline.layout,
                entries: &entries,
            })
        })?;
        self.bind_groups.insert(key, group.clone());
        Ok(group)
    }

    fn take_staging(&mut self, bytes: u64) -> Result<wgpu::Buffer> {
        if let Some(buffer) = self.staging.take().filter(|buffer| buffer.size() >= bytes) {
            return Ok(buffer);
        }
        let size = bytes.checked_next_power_of_two().unwrap_or(bytes).min(self.gpu.info().max_buffer_bytes).max(bytes);
        self.gpu.scoped("creating a staging buffer", |device| {
            device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("staging"),
                size,
                usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            })
        })
    }
}

fn check_range(op: &'static str, buffer: &RawBuffer, offset: u64, bytes: u64) -> Result<()> {
    let fits = offset.checked_add(bytes).is_some_and(|end| end <= buffer.len().next_multiple_of(4));
    if fits && offset.is_multiple_of(4) && bytes.is_multiple_of(4) {
        return Ok(());
    }
    Err(Error::Shape {
        op,
        expected: format!("a range of whole words within {} bytes", buffer.len()),
        got: format!("{bytes} bytes at {offset}"),
    })
}
