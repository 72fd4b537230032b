//! What mixtures go through: moments, propagation, distances, signatures, compression, samples.

use bures::device::{Buffer, Device};
use bures::kernels::activation_moments::{ActivationMoments, ActivationMomentsArgs, Elementwise, PLANES};
use bures::kernels::compression::{Compression, CompressionDims, MergeArgs};
use bures::kernels::gaussian_w2::{GaussianW2Args, GaussianW2Diagonal, GaussianW2Full, PairDims};
use bures::kernels::propagation::{Covariances, DensePropagation, DensePropagationArgs};
use bures::kernels::signature::{Directions, SignatureDims, Signatures, SignaturesArgs};
use bures::kernels::stochastic::{Draw, StochasticDense, StochasticDenseArgs};
use bures::reference::philox::Philox;
use bures::shape::DenseDims;
use criterion::Criterion;

use crate::{INPUTS, devices, noise, time};

pub(crate) fn mixtures(c: &mut Criterion) {
    for (device_name, device) in devices() {
        activation_moments(c, device_name, &device);
        propagation(c, device_name, &device);
        distances(c, device_name, &device);
        signatures(c, device_name, &device);
        compression(c, device_name, &device);
        stochastic(c, device_name, &device);
    }
}

fn squares(device: &Device, len: usize, scale: f64) -> Buffer<f32> {
    let mut random = Philox::new(len as u64, 1);
    let values: Vec<f32> = (0..len).map(|_| (scale * random.normal()).powi(2) as f32).collect();
    Buffer::from_vec(device, values).expect("a buffer")
}

fn activation_moments(c: &mut Criterion, device_name: &str, device: &Device) {
    const N: usize = 1 << 13;
    let (mean, variance) = (noise(device, N, 1.0), squares(device, N, 0.5));
    let mut moments = noise(device, PLANES * N, 0.0);
    for kind in [Elementwise::Relu, Elementwise::Tanh] {
        let kernel = ActivationMoments::new(device, kind).expect("a kernel");
        time(c, &format!("activation_moments/{device_name}/{kind:?}/8192"), device, |stream| {
            kernel.record(stream, ActivationMomentsArgs { mean: &mean, variance: &variance, moments: &mut moments })
        });
    }
}

/// The second layer of [2x128], for 16 inputs.
fn propagation(c: &mut Criterion, device_name: &str, device: &Device) {
    let dims = DenseDims { runs: 1, batch: 16, inputs: 128, outputs: 128 };
    let (moments, means) = (noise(device, PLANES * dims.x_len(), 1.0), noise(device, dims.params_len(), 0.1));
    let (variances, diagonal) = (squares(device, dims.params_len(), 0.1), squares(device, dims.x_len(), 1.0));
    let full = noise(device, dims.inputs * dims.x_len(), 0.1);
    let (mut mean_out, mut covariance_out) =
        (noise(device, dims.h_len(), 0.0), noise(device, dims.outputs * dims.h_len(), 0.0));
    let mut kernel = DensePropagation::new(device, dims).expect("kernels");
    for (name, covariance) in [("diagonal", Covariances::Diagonal(&diagonal)), ("full", Covariances::Full(&full))] {
        time(c, &format!("dense_propagation/{device_name}/{name}/16x128x128"), device, |stream| {
            let (moments, means, variances) = (&moments, &means, &variances);
            let (mean_out, covariance_out) = (&mut mean_out, &mut covariance_out);
            let args = DensePropagationArgs { moments, covariance, means, variances, mean_out, covariance_out };
            kernel.record(stream, args)
        });
    }
}

fn distances(c: &mut Criterion, device_name: &str, device: &Device) {
    let dims = PairDims { batch: 16, left: 30, right: 3, width: 128 };
    let list = |count: usize| (noise(device, count * dims.width, 1.0), squares(device, count * dims.width, 1.0));
    let ((m1, s1), (m2, s2)) = (list(dims.batch * dims.left), list(dims.batch * dims.right));
    let mut out = noise(device, dims.pairs(), 0.0);
    let kernel = GaussianW2Diagonal::new(device).expect("a kernel");
    time(c, &format!("gaussian_w2_diagonal/{device_name}/16 of 30x3, 128"), device, |stream| {
        let args = GaussianW2Args { left_means: &m1, left_covariances: &s1, right_means: &m2, right_covariances: &s2 };
        kernel.record(stream, dims, args, &mut out)
    });
    for width in [10, 32] {
        let dims = PairDims { batch: 1, left: 10, right: 3, width };
        let row = width.next_multiple_of(4);
        let list = |count: usize| (noise(device, count * row, 1.0), covariances(device, count, width));
        let ((m1, s1), (m2, s2)) = (list(dims.left), list(dims.right));
        let mut out = noise(device, dims.pairs(), 0.0);
        let mut kernel = GaussianW2Full::new(device, dims).expect("kernels");
        time(c, &format!("gaussian_w2_full/{device_name}/10x3, {width}"), device, |stream| {
            let args =
                GaussianW2Args { left_means: &m1, left_covariances: &s1, right_means: &m2, right_covariances: &s2 };
            kernel.record(stream, args, &mut out)
        });
    }
}

/// `A Aᵀ` of normal numbers.
fn covariances(device: &Device, count: usize, width: usize) -> Buffer<f32> {
    let (mut random, row) = (Philox::new(width as u64, 2), width.next_multiple_of(4));
    let mut out = vec![0.0; count * width * row];
    for matrix in out.chunks_exact_mut(width * row) {
        let a: Vec<f64> = (0..width * width).map(|_| random.normal()).collect();
        for at in 0..width * width {
            let (i, j) = (at / width, at % width);
            matrix[i * row + j] = (0..width).map(|k| a[i * width + k] * a[j * width + k]).sum::<f64>() as f32;
        }
    }
    Buffer::from_vec(device, out).expect("a buffer")
}

fn signatures(c: &mut Criterion, device_name: &str, device: &Device) {
    let dims = SignatureDims { components: 400, width: 128, cuts: 3, points: 10 };
    let cuts = dims.components * dims.cuts;
    let (means, values) =
        (noise(device, dims.components * dims.width, 1.0), squares(device, cuts + dims.components, 1.0));
    let axes: Vec<u32> = (0..cuts as u32).map(|at| at * 7 % 128).collect();
    let axes = Buffer::from_vec(device, axes).expect("a buffer");
    let shape = Buffer::from_vec(device, vec![2u32; cuts]).expect("a buffer");
    let (mut masses, mut locations) =
        (noise(device, dims.components * dims.points, 0.0), noise(device, dims.locations_len(), 0.0));
    let mut distances = noise(device, dims.components, 0.0);
    let kernel = Signatures::new(device, dims).expect("kernels");
    time(c, &format!("signature/{device_name}/400 diagonal, 128"), device, |stream| {
        let args = SignaturesArgs {
            means: &means,
            directions: Directions::Axes(&axes),
            values: &values,
            shape: &shape,
            masses: &mut masses,
            locations: &mut locations,
            distances: &mut distances,
        };
        kernel.record(stream, args)
    });
}

fn compression(c: &mut Criterion, device_name: &str, device: &Device) {
    let dims = CompressionDims { batch: 16, components: 30, clusters: 3, width: 128 };
    let (means, centres) = (noise(device, dims.means_len(), 1.0), noise(device, dims.centres_len(), 1.0));
    let variances = squares(device, dims.means_len(), 1.0);
    let weights = squares(device, dims.batch * dims.components, 1.0);
    let mut labels = Buffer::<u32>::zeros(device, dims.batch * dims.components).expect("a buffer");
    let (mut w, mut m) = (noise(device, dims.batch * dims.clusters, 0.0), noise(device, dims.centres_len(), 0.0));
    let mut s = noise(device, dims.centres_len() * dims.width, 0.0);
    let kernel = Compression::new(device).expect("kernels");
    time(c, &format!("compression/{device_name}/assign 16 of 30 to 3, 128"), device, |stream| {
        kernel.assign(stream, dims, &means, &centres, &mut labels)
    });
    time(c, &format!("compression/{device_name}/merge 16 of 30 to 3, 128"), device, |stream| {
        let args = MergeArgs {
            labels: &labels,
            weights: &weights,
            means: &means,
            covariances: Covariances::Diagonal(&variances),
            merged_weights: &mut w,
            merged_means: &mut m,
            merged_covariances: &mut s,
        };
        kernel.merge(stream, dims, args)
    });
}

/// 1,000 samples of the first layer of [2x128] for one input, and of the second.
fn stochastic(c: &mut Criterion, device_name: &str, device: &Device) {
    const ROWS: usize = 1000;
    for (batch, inputs) in [(1, INPUTS), (ROWS, 128)] {
        let dims = DenseDims { runs: 1, batch, inputs, outputs: 128 };
        let (x, means) = (noise(device, dims.x_len(), 1.0), noise(device, dims.params_len(), 0.1));
        let variances = squares(device, dims.params_len(), 0.1);
        let mut z = noise(device, ROWS * dims.output_stride(), 0.0);
        let mut layer = StochasticDense::new(device, dims).expect("kernels");
        let draw = Draw { seed: 1, stream: 2, first_row: 0 };
        time(c, &format!("stochastic_forward/{device_name}/1000x{inputs}x128 of {batch}"), device, |stream| {
            let args = StochasticDenseArgs { draw, x: &x, means: &means, variances: &variances, z: &mut z };
            layer.record(stream, args)
        });
    }
}
