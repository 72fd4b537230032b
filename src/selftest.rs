//! Start-up self-test: a handful of kernels compared with their host twins on small cases, so that a driver that computes
//! wrong numbers is refused with a message instead of training nonsense. A pass is remembered in the process and in the
//! user's cache folder, by adapter, driver and version of bures.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::device::{Buffer, Device};
use crate::gpu::Gpu;
use crate::kernels::gm_backward::{GmBackward, GmBackwardArgs};
use crate::kernels::gm_forward::{GmForward, GmForwardArgs};
use crate::kernels::gm_state::GmState;
use crate::kernels::loss::{Loss, LossArgs, LossDims, Target};
use crate::kernels::philox::{PhiloxFill, PhiloxFillArgs};
use crate::kernels::relu_moments::{ReluMoments, ReluMomentsArgs};
use crate::reference::philox::Philox;
use crate::reference::{gm_layer, loss, normal};
use crate::shape::{GmDims, stride};
use crate::{Error, Result};

/// Difference allowed relative to the largest value: a hundred times what sound drivers show, a thousandth of what a
/// wrong product gives.
const ALLOWED: f64 = 2e-4;

/// Tests `gpu`, unless this adapter with this driver has passed before.
///
/// # Errors
/// [`Error::SelfTest`] naming the kernel that is off; otherwise what the driver reports.
pub fn check(gpu: &Gpu) -> Result<()> {
    static PASSED: Mutex<Option<HashSet<String>>> = Mutex::new(None);
    let key = key(gpu);
    let known = |passed: &Option<HashSet<String>>| passed.as_ref().is_some_and(|passed| passed.contains(&key));
    if known(&PASSED.lock().unwrap_or_else(PoisonError::into_inner)) {
        return Ok(());
    }
    let file = cache_file(&key);
    if !file.as_ref().is_some_and(|file| file.exists()) {
        run(gpu)?;
        if let Some(file) = file {
            remember(&file);
        }
    }
    PASSED.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default().insert(key);
    Ok(())
}

/// Tests `gpu` whatever is remembered.
///
/// # Errors
/// As [`check`].
pub fn run(gpu: &Gpu) -> Result<()> {
    random_words(gpu)?;
    moments(gpu)?;
    gm(gpu)?;
    logistic(gpu)
}

fn key(gpu: &Gpu) -> String {
    let info = gpu.info();
    let version = env!("CARGO_PKG_VERSION");
    let text = [&info.name, &info.backend, &info.driver, &info.driver_info, version].join("\n");
    Sha256::digest(text.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn cache_file(key: &str) -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")));
    folder.or_else(|| variable("LOCALAPPDATA")).map(|folder| folder.join("bures").join(format!("selftest-{key}")))
}

/// An empty file says that the test was passed. Where it cannot be written the test just runs again next time.
fn remember(file: &std::path::Path) {
    let folder = file.parent().map(std::fs::create_dir_all);
    if folder.is_some_and(|made| made.is_ok()) {
        drop(crate::io::write_atomic(file, |_| Ok(())));
    }
}

fn compare(gpu: &Gpu, kernel: &str, got: &[f32], want: &[f64]) -> Result<()> {
    let largest = want.iter().fold(1e-30f64, |largest, want| largest.max(want.abs()));
    let error = got.iter().zip(want).map(|(&got, want)| (f64::from(got) - want).abs() / largest);
    // A NaN must count as wrong, and `f64::max` would drop it.
    let worst = error.fold(0.0, |worst: f64, error| if error <= worst { worst } else { error });
    if worst <= ALLOWED {
        return Ok(());
    }
    Err(Error::SelfTest { kernel: kernel.into(), adapter: gpu.info().name.clone(), error: worst, allowed: ALLOWED })
}

/// Rows of normal numbers, pads zero.
fn noise(seed: u64, rows: usize, columns: usize, scale: f64) -> Vec<f32> {
    let mut random = Philox::new(seed, 0);
    let mut values = vec![0.0; rows * stride(columns)];
    for row in values.chunks_exact_mut(stride(columns)) {
        row[..columns].iter_mut().for_each(|value| *value = (scale * random.normal()) as f32);
    }
    values
}

fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

fn random_words(gpu: &Gpu) -> Result<()> {
    let device = Device::Gpu(gpu.clone());
    let mut stream = device.stream()?;
    let mut words = Buffer::<u32>::zeros(&device, 64)?;
    let args = PhiloxFillArgs { seed: 1 << 40, stream_id: 3, first_block: 0, words: &mut words };
    PhiloxFill::new(&device)?.record(&mut stream, args)?;
    let mut host = Philox::new(1 << 40, 3);
    let wrong = stream.read(&words)?.iter().filter(|&&word| word != host.next_u32()).count();
    compare(gpu, "philox", &[1.0 + wrong as f32], &[1.0])
}

fn moments(gpu: &Gpu) -> Result<()> {
    let device = Device::Gpu(gpu.clone());
    let mut stream = device.stream()?;
    let means: Vec<f32> = (-20..=20).map(|i| 0.6 * i as f32).collect();
    let mean = Buffer::from_slice(&device, &means)?;
    let variance = Buffer::from_slice(&device, &vec![1.0f32; means.len()])?;
    let mut moments = Buffer::zeros(&device, 4 * means.len())?;
    let args = ReluMomentsArgs { mean: &mean, variance: &variance, moments: &mut moments };
    ReluMoments::new(&device)?.record(&mut stream, args)?;
    // Each value by its own size: the tails are what drivers' `exp` gets wrong.
    for (&mean, got) in means.iter().zip(stream.read(&moments)?.chunks_exact(4)) {
        let want = normal::relu_moments(f64::from(mean), 1.0);
        compare(gpu, "relu_moments", &got[..1], &[want.a])?;
        compare(gpu, "relu_moments", &got[1..2], &[want.f])?;
    }
    Ok(())
}

fn gm(gpu: &Gpu) -> Result<()> {
    let device = Device::Gpu(gpu.clone());
    let mut stream = device.stream()?;
    let dims = GmDims { runs: 1, batch: 9, components: 3, inputs: 37, outputs: 9, rank: 0 };
    let (k, d, l) = (dims.components, dims.inputs, dims.outputs);
    let params = [noise(1, 2 * k, d, 0.4), noise(2, k * l, d, 0.4), noise(3, k, l, 0.4)].concat();
    let (x, dh) = (noise(4, dims.batch, d, 1.0), noise(5, dims.batch, l, 1.0));
    let (x_gpu, params_gpu) = (Buffer::from_slice(&device, &x)?, Buffer::from_slice(&device, &params)?);
    let dh_gpu = Buffer::from_slice(&device, &dh)?;
    let (mut h, mut grads) = (Buffer::zeros(&device, dims.h_len())?, Buffer::zeros(&device, params.len())?);
    let mut state = GmState::new(&device, dims)?;
    let (x_of, params_of) = (&x_gpu, &params_gpu);
    let args = GmForwardArgs { x: x_of, slot: 0, params: params_of, state: &mut state, h: &mut h };
    GmForward::new(&device, dims)?.record(&mut stream, args)?;
    let (state, dh_of, to) = (&mut state, &dh_gpu, &mut grads);
    let args = GmBackwardArgs { x: x_of, slot: 0, params: params_of, state, dh: dh_of, grads: to, dx: None };
    GmBackward::new(&device, dims)?.record(&mut stream, args)?;

    let (x, params, dh) = (widen(&x), widen(&params), widen(&dh));
    let mut workspace = gm_layer::Workspace::new(dims);
    let (mut want, mut want_grads) = (vec![0.0; dims.h_len()], vec![0.0; params.len()]);
    gm_layer::forward(&x, &params, &mut workspace, &mut want)?;
    gm_layer::backward(&x, &params, &dh, &mut workspace, &mut want_grads, None)?;
    compare(gpu, "gm_forward", &stream.read(&h)?, &want)?;
    compare(gpu, "gm_backward", &stream.read(&grads)?, &want_grads)
}

fn logistic(gpu: &Gpu) -> Result<()> {
    let device = Device::Gpu(gpu.clone());
    let mut stream = device.stream()?;
    let dims = LossDims { runs: 1, batch: 6, outputs: 9, valid: 6 };
    let (h, labels) = (noise(6, 6, 9, 3.0), [0, 9, 4, 1, 0, 7]);
    let (h_gpu, labels_gpu) = (Buffer::from_slice(&device, &h)?, Buffer::from_slice(&device, &labels)?);
    let mut dh = Buffer::zeros(&device, h.len())?;
    let (mut losses, mut errors) = (Buffer::zeros(&device, 1)?, Buffer::zeros(&device, 1)?);
    let target = Target::Labels { labels: &labels_gpu, reference: true };
    let (to, count) = (&mut losses, &mut errors);
    let args = LossArgs { valid: 6, h: &h_gpu, target, slot: 0, dh: &mut dh, losses: to, errors: count };
    Loss::new(&device, dims)?.record(&mut stream, args)?;
    let (mut want_dh, mut want, mut wrong) = (vec![0.0; h.len()], [0.0], [0]);
    loss::logistic(dims, true, &widen(&h), &labels, &mut want_dh, &mut want, &mut wrong)?;
    compare(gpu, "logistic", &stream.read(&losses)?, &want)?;
    compare(gpu, "logistic", &stream.read(&dh)?, &want_dh)?;
    compare(gpu, "logistic", &[1.0 + stream.read(&errors)?[0] as f32], &[f64::from(1 + wrong[0])])
}
