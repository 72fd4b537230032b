//! The software adapter that the kernel tests share, and small helpers around it.

use std::sync::OnceLock;

use bures::device::{Buffer, Device, Element, Stream};
use bures::gpu::{AdapterChoice, Gpu};
use bures::reference::philox::Philox;

/// The software adapter, opened once a process. Its absence is a failure, never a skip.
pub(crate) fn gpu() -> Device {
    static GPU: OnceLock<Gpu> = OnceLock::new();
    let gpu = GPU.get_or_init(|| {
        Gpu::open(&AdapterChoice::Software).unwrap_or_else(|error| {
            panic!("the kernel tests need a software GPU adapter (Debian: mesa-vulkan-drivers libvulkan1): {error}")
        })
    });
    Device::Gpu(gpu.clone())
}

/// A device with a stream on it.
pub(crate) struct Bench {
    pub(crate) device: Device,
    pub(crate) stream: Stream,
}

impl Bench {
    pub(crate) fn gpu() -> Self {
        Self::on(gpu())
    }

    pub(crate) fn on(device: Device) -> Self {
        let stream = device.stream().expect("a stream");
        Self { device, stream }
    }

    pub(crate) fn put<T: Element>(&self, contents: &[T]) -> Buffer<T> {
        Buffer::from_slice(&self.device, contents).expect("a buffer")
    }

    /// A buffer of garbage, to prove that an operation overwrites all of it.
    pub(crate) fn garbage(&self, len: usize) -> Buffer<f32> {
        self.put(&vec![77.0; len])
    }

    pub(crate) fn zeros<T: Element>(&self, len: usize) -> Buffer<T> {
        Buffer::zeros(&self.device, len).expect("a buffer")
    }

    pub(crate) fn get<T: Element>(&mut self, buffer: &Buffer<T>) -> Vec<T> {
        self.stream.read(buffer).expect("a readback")
    }
}

/// Rows of `columns` normal numbers of deviation `scale`, padded with zeros to a multiple of 4.
pub(crate) fn padded(seed: u64, rows: usize, columns: usize, scale: f64) -> Vec<f32> {
    let mut random = Philox::new(seed, 7);
    let width = columns.next_multiple_of(4);
    let mut out = vec![0.0; rows * width];
    for row in out.chunks_exact_mut(width) {
        row[..columns].iter_mut().for_each(|x| *x = (scale * random.normal()) as f32);
    }
    out
}

pub(crate) fn widen(narrow: &[f32]) -> Vec<f64> {
    narrow.iter().copied().map(f64::from).collect()
}

/// Asserts `|got − want| ≤ tolerance(want)` everywhere.
pub(crate) fn assert_close(what: &str, got: &[f32], want: &[f64], tolerance: impl Fn(f64) -> f64) {
    assert_eq!(got.len(), want.len(), "{what}: lengths");
    for (i, (&got, &want)) in got.iter().zip(want).enumerate() {
        let allowed = tolerance(want);
        let error = (f64::from(got) - want).abs();
        assert!(error <= allowed, "{what}[{i}]: got {got:e}, want {want:e}, off by {error:e}, allowed {allowed:e}");
    }
}
