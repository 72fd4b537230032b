//! Layers of convolutional networks on the software adapter against their twins.

use bures::device::Buffer;
use bures::kernels::augment::Augment;
use bures::kernels::batch_norm::{BatchNorm, BatchNormBackwardArgs, Statistics};
use bures::kernels::conv::{Conv, ConvBackwardArgs, ConvForwardArgs};
use bures::kernels::max_pool::MaxPool;
use bures::kernels::stochastic::{Draw, Dropout};
use bures::reference::{augment, batch_norm, conv, max_pool, stochastic};
use bures::shape::{ConvDims, ImageDims, stride};

use crate::device::{Bench, assert_close, padded, widen};
use crate::tolerances;

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |largest, value| largest.max(value.abs()))
}

/// What a convolution leaves: outputs, gradients, gradient of the input.
fn convolve(dims: ConvDims, x: &[f32], params: &[f32], dh: &[f32]) -> [Vec<f32>; 3] {
    let mut bench = Bench::gpu();
    // The block of x before the one that counts is garbage.
    let x = bench.put(&[vec![77.0; x.len()], x.to_vec()].concat());
    let (params, dh) = (bench.put(params), bench.put(dh));
    let (mut h, mut grads) = (bench.garbage(dims.made().len()), bench.garbage(params.len()));
    let mut dx = bench.garbage(dims.images.len());
    let mut layer = Conv::new(&bench.device, dims, true).expect("kernels");
    let args = ConvForwardArgs { x: &x, slot: 1, params: &params, h: &mut h };
    layer.forward(&mut bench.stream, args).expect("a dispatch");
    let args = ConvBackwardArgs { x: &x, slot: 1, params: &params, dh: &dh, grads: &mut grads, dx: Some(&mut dx) };
    layer.backward(&mut bench.stream, args).expect("dispatches");
    [h, grads, dx].map(|buffer| bench.get(&buffer))
}

/// Sizes below, at and above a tile of 32 × 64 and a step of 16, odd ones, and two runs.
#[test]
fn convolutions_agree_with_the_twin() {
    for (runs, batch, channels, outputs, height, width) in
        [(1, 5, 3, 33, 8, 8), (2, 3, 7, 5, 3, 5), (1, 1, 1, 1, 1, 1), (1, 2, 16, 40, 4, 6)]
    {
        let images = ImageDims { runs, batch, channels, height, width };
        let dims = ConvDims { images, outputs };
        let x = padded(1, runs * batch, images.values(), 1.0);
        let dh = padded(3, runs * batch, dims.made().values(), 1.0);
        let params: Vec<f32> = (0..runs as u64)
            .flat_map(|run| [padded(10 + run, outputs, dims.inner(), 0.3), padded(20 + run, 1, outputs, 0.3)].concat())
            .collect();
        let got = convolve(dims, &x, &params, &dh);
        assert!(got == convolve(dims, &x, &params, &dh), "{dims:?}: two runs differ");
        let (x, params, dh) = (widen(&x), widen(&params), widen(&dh));
        let mut want = [vec![0.0; dh.len()], vec![0.0; params.len()], vec![0.0; x.len()]];
        let [h, grads, dx] = &mut want;
        conv::forward(dims, &x, &params, h).expect("shapes");
        conv::backward(dims, &x, &params, &dh, grads, Some(dx)).expect("shapes");
        let terms = [dims.inner(), batch * images.pixels(), 9 * outputs];
        for (((name, got), want), terms) in ["h", "gradients", "dx"].into_iter().zip(&got).zip(&want).zip(terms) {
            assert_close(&format!("{dims:?}, {name}"), got, want, tolerances::sums(terms, largest(want)));
        }
    }
}

/// Training forward, evaluation forward, gradients, gradient of the input, parameters after the minibatch was taken in.
fn normalize(dims: ImageDims, x: &[f32], params: &[f32], dh: &[f32]) -> [Vec<f32>; 5] {
    let mut bench = Bench::gpu();
    let (x, mut params, dh) = (bench.put(x), bench.put(params), bench.put(dh));
    let [mut h, mut evaluated, mut dx] = [(); 3].map(|()| bench.garbage(dims.len()));
    let mut grads = bench.garbage(params.len());
    let mut layer = BatchNorm::new(&bench.device, dims).expect("kernels");
    layer.forward(&mut bench.stream, Statistics::Running, &x, &params, &mut evaluated).expect("dispatches");
    layer.forward(&mut bench.stream, Statistics::Minibatch, &x, &params, &mut h).expect("dispatches");
    let args = BatchNormBackwardArgs { x: &x, params: &params, dh: &dh, grads: &mut grads, dx: Some(&mut dx) };
    layer.backward(&mut bench.stream, args).expect("dispatches");
    layer.keep(&mut bench.stream, &mut params).expect("a dispatch");
    [h, evaluated, grads, dx, params].map(|buffer: Buffer<f32>| bench.get(&buffer))
}

#[test]
fn batch_normalisation_agrees_with_the_twin() {
    for (runs, batch, channels, height, width) in [(1, 9, 5, 4, 4), (2, 3, 3, 3, 5), (1, 2, 4, 1, 1)] {
        let dims = ImageDims { runs, batch, channels, height, width };
        let mut x = padded(1, runs * batch, dims.values(), 3.0);
        // Channel 1 is constant.
        for picture in x.chunks_exact_mut(dims.stride()) {
            picture[dims.pixels()..2 * dims.pixels()].fill(0.25);
        }
        let dh = padded(2, runs * batch, dims.values(), 1.0);
        let params: Vec<f32> = (0..4 * runs as u64)
            .flat_map(|tensor| padded(10 + tensor, 1, channels, 1.0))
            .enumerate()
            .map(|(at, value)| if at / stride(channels) % 4 == 3 && value != 0.0 { value.abs() + 0.1 } else { value })
            .collect();
        let got = normalize(dims, &x, &params, &dh);
        assert!(got == normalize(dims, &x, &params, &dh), "{dims:?}: two runs differ");
        let (x, mut params, dh) = (widen(&x), widen(&params), widen(&dh));
        let mut statistics = vec![0.0; batch_norm::KEPT * runs * channels];
        let [mut h, mut evaluated, mut dx] = [(); 3].map(|()| vec![0.0; x.len()]);
        let mut grads = vec![0.0; params.len()];
        batch_norm::running(dims, &params, &mut statistics).expect("shapes");
        batch_norm::apply(dims, &x, &params, &statistics, &mut evaluated).expect("shapes");
        batch_norm::statistics(dims, &x, &mut statistics).expect("shapes");
        batch_norm::apply(dims, &x, &params, &statistics, &mut h).expect("shapes");
        batch_norm::backward(dims, &x, &params, &statistics, &dh, &mut grads, Some(&mut dx)).expect("shapes");
        batch_norm::keep(dims, &statistics, &mut params).expect("shapes");
        let names = ["h", "evaluated", "gradients", "dx", "params"];
        for ((name, got), want) in names.into_iter().zip(&got).zip([h, evaluated, grads, dx, params]) {
            let terms = batch * dims.pixels();
            assert_close(&format!("{dims:?}, {name}"), got, &want, tolerances::sums(terms, largest(&want)));
        }
    }
}

#[test]
fn pooling_is_exact() {
    for (runs, batch, channels, height, width) in [(1, 3, 2, 4, 6), (2, 2, 3, 5, 7), (1, 1, 1, 2, 2)] {
        let dims = ImageDims { runs, batch, channels, height, width };
        // Rounded, so that there are ties.
        let x: Vec<f32> = padded(1, runs * batch, dims.values(), 1.0).iter().map(|x| x.round()).collect();
        let dh = padded(2, runs * batch, dims.pooled().values(), 1.0);
        let mut bench = Bench::gpu();
        let (x_gpu, dh_gpu) = (bench.put(&x), bench.put(&dh));
        let (mut h, mut dx) = (bench.garbage(dh.len()), bench.garbage(x.len()));
        let layer = MaxPool::new(&bench.device, dims).expect("kernels");
        layer.forward(&mut bench.stream, &x_gpu, &mut h).expect("a dispatch");
        layer.backward(&mut bench.stream, &x_gpu, &dh_gpu, &mut dx).expect("a dispatch");
        let (mut want, mut want_dx) = (vec![0.0; dh.len()], vec![0.0; x.len()]);
        max_pool::forward(dims, &x, &mut want).expect("shapes");
        max_pool::backward(dims, &x, &dh, &mut want_dx).expect("shapes");
        assert!(bench.get(&h) == want && bench.get(&dx) == want_dx, "{dims:?}");
    }
}

/// All moves that there are, on pictures smaller and larger than the margin.
#[test]
fn augmentation_is_exact() {
    let moves: Vec<u32> = (0..162).map(|at| (at % 9) | ((at / 9 % 9) << 8) | ((at / 81) << 16)).collect();
    for (channels, height, width) in [(3, 6, 5), (1, 3, 3)] {
        let dims = ImageDims { runs: 1, batch: moves.len(), channels, height, width };
        let x = padded(1, moves.len(), dims.values(), 1.0);
        let mut bench = Bench::gpu();
        let (x_gpu, moves_gpu, mut out) = (bench.put(&x), bench.put(&moves), bench.garbage(x.len()));
        let layer = Augment::new(&bench.device, dims).expect("a kernel");
        layer.record(&mut bench.stream, &moves_gpu, &x_gpu, &mut out).expect("a dispatch");
        let mut want = vec![0.0; x.len()];
        augment::augment(dims, &moves, &x, &mut want).expect("shapes");
        assert!(bench.get(&out) == want, "{dims:?}");
        // No move at all, and a mirror image.
        let still = 4 * 9 + 4;
        assert_eq!(want[still * dims.stride()..][..dims.values()], x[still * dims.stride()..][..dims.values()]);
        let mirrored = still + 81;
        assert_eq!(want[mirrored * dims.stride()], x[mirrored * dims.stride() + width - 1]);
    }
}

/// Several runs in one call drop what each of them drops alone.
#[test]
fn dropout_of_runs_is_that_of_each() {
    let draws = [5, 9].map(|seed| Draw { seed, stream: 3, first_row: 7 });
    let x = padded(1, 6, 9, 1.0);
    let mut bench = Bench::gpu();
    let (x_gpu, mut out) = (bench.put(&x), bench.garbage(x.len()));
    let layer = Dropout::new(&bench.device, 0.4).expect("a kernel");
    layer.record_runs(&mut bench.stream, 12, &draws, &x_gpu, &mut out).expect("dispatches");
    let mut want = vec![0.0; x.len()];
    for ((draw, x), want) in draws.into_iter().zip(x.chunks_exact(36)).zip(want.chunks_exact_mut(36)) {
        stochastic::dropout(12, draw, 0.4, x, want).expect("shapes");
    }
    assert!(bench.get(&out) == want);
}
