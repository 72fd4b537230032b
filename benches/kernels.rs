//! Kernels on the CPU and, where there is one, on a GPU (hardware, else the software adapter). Many dispatches per wait;
//! uploads and readbacks are timed apart. Run one group with `cargo bench --bench kernels -- train_step`.

use std::time::{Duration, Instant};

use bures::device::{Buffer, Device, Stream};
#[cfg(feature = "gpu")]
use bures::gpu::{AdapterChoice, Gpu};
use bures::kernels::dense::{Dense, DenseForwardArgs};
use bures::kernels::gather::{Gather, GatherRowsArgs, Normalization, Source};
use bures::kernels::gm_backward::{GmBackward, GmBackwardArgs};
use bures::kernels::gm_forward::{GmForward, GmForwardArgs};
use bures::kernels::gm_state::GmState;
use bures::kernels::gm_step::{GmStep, GmStepArgs};
use bures::kernels::loss::{Loss, LossArgs, LossDims, Target};
use bures::kernels::optimizer::{Group, Optimizer, OptimizerArgs, OptimizerKind, Update};
use bures::kernels::philox::{PhiloxFill, PhiloxFillArgs};
use bures::kernels::relu_moments::{ReluMoments, ReluMomentsArgs};
use bures::reference::philox::Philox;
use bures::shape::{DenseDims, GmDims};
use criterion::{Criterion, criterion_group, criterion_main};

#[path = "kernels/convolutions.rs"]
mod convolutions;
#[path = "kernels/covariance.rs"]
mod covariance;
#[path = "kernels/mixtures.rs"]
mod mixtures;

/// Inputs and outputs of MNIST with a reference class.
const INPUTS: usize = 784;
const OUTPUTS: usize = 9;

fn devices() -> Vec<(&'static str, Device)> {
    #[cfg_attr(not(feature = "gpu"), allow(unused_mut))]
    let mut devices = vec![("cpu", Device::Cpu)];
    #[cfg(feature = "gpu")]
    if let Ok(gpu) = Gpu::open(&AdapterChoice::Auto) {
        devices.push(("gpu", Device::Gpu(gpu)));
    } else if let Ok(gpu) = Gpu::open(&AdapterChoice::Software) {
        devices.push(("software", Device::Gpu(gpu)));
    }
    devices
}

/// Times `record` with one wait for all iterations, after a first one that compiles.
fn time(c: &mut Criterion, name: &str, device: &Device, mut record: impl FnMut(&mut Stream) -> bures::Result<()>) {
    let mut stream = device.stream().expect("a stream");
    record(&mut stream).and_then(|()| stream.wait()).expect("a first run");
    c.bench_function(name, |b| {
        b.iter_custom(|n| {
            let start = Instant::now();
            for _ in 0..n {
                record(&mut stream).expect("a recording");
            }
            stream.wait().expect("a wait");
            start.elapsed()
        });
    });
}

/// Normal numbers: with repeating or saturating data the loss would vanish and subnormal numbers slow the CPU down.
fn noise(device: &Device, len: usize, scale: f64) -> Buffer<f32> {
    let mut random = Philox::new(len as u64, 0);
    let values: Vec<f32> = (0..len).map(|_| (scale * random.normal()) as f32).collect();
    Buffer::from_vec(device, values).expect("a buffer")
}

fn classes(device: &Device, len: usize) -> Buffer<u32> {
    let labels: Vec<u32> = (0..len).map(|i| (i * 7 % (OUTPUTS + 1)) as u32).collect();
    Buffer::from_vec(device, labels).expect("a buffer")
}

fn train_step(c: &mut Criterion) {
    for (device_name, device) in devices() {
        for components in [5, 10, 20] {
            for batch in [64, 256, 1024] {
                let dims = GmDims { runs: 1, batch, components, inputs: INPUTS, outputs: OUTPUTS, rank: 0 };
                let name = format!("{device_name}/K={components}/B={batch}");
                fused(c, &format!("train_step/fused/{name}"), &device, dims);
                unfused(c, &format!("train_step/unfused/{name}"), &device, dims);
            }
        }
    }
}

fn fused(c: &mut Criterion, name: &str, device: &Device, dims: GmDims) {
    let x = noise(device, dims.x_len(), 1.0);
    let labels = classes(device, dims.batch);
    let mut params = noise(device, dims.params_len(), 0.5);
    let (mut losses, mut errors) =
        (Buffer::zeros(device, 1).expect("a buffer"), Buffer::zeros(device, 1).expect("a buffer"));
    let mut step = GmStep::new(device, dims, true, OptimizerKind::Sgd).expect("kernels");
    time(c, name, device, |stream| {
        step.record(
            stream,
            GmStepArgs {
                x: &x,
                labels: &labels,
                slot: 0,
                params: &mut params,
                rates: [1e-6; 4],
                l2: [0.0; 4],
                update: Update::Sgd,
                losses: &mut losses,
                errors: &mut errors,
            },
        )
    });
}

fn unfused(c: &mut Criterion, name: &str, device: &Device, dims: GmDims) {
    let x = noise(device, dims.x_len(), 1.0);
    let labels = classes(device, dims.batch);
    let mut params = noise(device, dims.params_len(), 0.5);
    let mut grads = noise(device, dims.params_len(), 0.0);
    let (mut h, mut dh) = (noise(device, dims.h_len(), 0.0), noise(device, dims.h_len(), 0.0));
    let (mut losses, mut errors) =
        (Buffer::zeros(device, 1).expect("a buffer"), Buffer::zeros(device, 1).expect("a buffer"));
    let mut state = GmState::new(device, dims).expect("a state");
    let forward = GmForward::new(device, dims).expect("kernels");
    let backward = GmBackward::new(device, dims).expect("kernels");
    let optimizer = Optimizer::new(device, OptimizerKind::Sgd).expect("a kernel");
    let loss_dims = LossDims { runs: 1, batch: dims.batch, outputs: dims.outputs, valid: dims.batch };
    let loss = Loss::new(device, loss_dims).expect("kernels");
    let groups = [Group { range: 0..dims.params_len(), rate: 1e-6, l2: 0.0 }];
    time(c, name, device, |stream| {
        forward.record(stream, GmForwardArgs { x: &x, slot: 0, params: &params, state: &mut state, h: &mut h })?;
        let target = Target::Labels { labels: &labels, reference: true };
        let (to, count) = (&mut losses, &mut errors);
        let args = LossArgs { valid: dims.batch, h: &h, target, slot: 0, dh: &mut dh, losses: to, errors: count };
        loss.record(stream, args)?;
        let (grads_to, state) = (&mut grads, &mut state);
        let args = GmBackwardArgs { x: &x, slot: 0, params: &params, state, dh: &dh, grads: grads_to, dx: None };
        backward.record(stream, args)?;
        let (params_len, params, grads) = (dims.params_len(), &mut params, &grads);
        optimizer.record(stream, OptimizerArgs { params_len, groups: &groups, params, grads, update: Update::Sgd })
    });
}

fn kernels(c: &mut Criterion) {
    for (device_name, device) in devices() {
        elementwise(c, device_name, &device);
        dense(c, device_name, &device);
        gather(c, device_name, &device);
        transfers(c, device_name, &device);
    }
}

fn elementwise(c: &mut Criterion, device_name: &str, device: &Device) {
    const N: usize = 1 << 16;
    let (mean, variance) = (noise(device, N, 3.0), noise(device, N, 1.0));
    let mut moments = noise(device, 4 * N, 0.0);
    let kernel = ReluMoments::new(device).expect("a kernel");
    time(c, &format!("relu_moments/{device_name}/65536"), device, |stream| {
        kernel.record(stream, ReluMomentsArgs { mean: &mean, variance: &variance, moments: &mut moments })
    });
    let mut words = Buffer::<u32>::zeros(device, N).expect("a buffer");
    let kernel = PhiloxFill::new(device).expect("a kernel");
    time(c, &format!("philox/{device_name}/65536"), device, |stream| {
        kernel.record(stream, PhiloxFillArgs { seed: 1, stream_id: 2, first_block: 0, words: &mut words })
    });
}

fn dense(c: &mut Criterion, device_name: &str, device: &Device) {
    let dims = DenseDims { runs: 1, batch: 64, inputs: INPUTS, outputs: 1000 };
    let (x, params) = (noise(device, dims.x_len(), 1.0), noise(device, dims.params_len(), 0.1));
    let mut h = noise(device, dims.h_len(), 0.0);
    let layer = Dense::new(device).expect("kernels");
    time(c, &format!("dense_forward/{device_name}/64x784x1000"), device, |stream| {
        layer.forward(stream, DenseForwardArgs { dims, x: &x, slot: 0, params: &params, h: &mut h })
    });
}

fn gather(c: &mut Criterion, device_name: &str, device: &Device) {
    let source = Buffer::<u8>::zeros(device, 1000 * INPUTS).expect("a buffer");
    let indices: Vec<u32> = (0..640).map(|i| i * 7 % 1000).collect();
    let indices = Buffer::from_vec(device, indices).expect("a buffer");
    let mut x = noise(device, 640 * INPUTS, 0.0);
    let gather = Gather::new(device).expect("kernels");
    time(c, &format!("gather/{device_name}/640 of 784 bytes"), device, |stream| {
        let (source, normalization) = (Source::Bytes(&source), Normalization::Global(0.01, -0.4));
        gather.rows(stream, GatherRowsArgs { inputs: INPUTS, source, normalization, indices: &indices, x: &mut x })
    });
}

fn transfers(c: &mut Criterion, device_name: &str, device: &Device) {
    let mut stream = device.stream().expect("a stream");
    let mut buffer = noise(device, 1 << 18, 1.0);
    let contents = vec![0.0f32; 1 << 18];
    c.bench_function(&format!("upload/{device_name}/1 MiB"), |b| {
        b.iter(|| stream.write(&mut buffer, 0, &contents).and_then(|()| stream.wait()).expect("an upload"));
    });
    c.bench_function(&format!("readback/{device_name}/1 MiB"), |b| {
        b.iter(|| stream.read(&buffer).expect("a readback"));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(1));
    targets = kernels, covariance::covariance, mixtures::mixtures, convolutions::convolutions, train_step
}
criterion_main!(benches);
