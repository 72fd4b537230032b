//! A training run and a trained model on real MNIST, against golden values.

use bures::data::{Dataset, Features, LoadOptions, Normalization, Split, Targets, load};
use bures::reference::gather::{Affine, Rows, rows};
use bures::reference::optimizer::{Group, Rule, step};
use bures::reference::{Real, gm_layer};
use bures::shape::{GmDims, stride};

use crate::golden_layer::{loss, predictions};
use crate::skip::folder_or_skip;
use crate::support::{Golden, distance, golden_folder, pack, pad, pass, unpack, unpad};
use crate::tolerances::{F64_GOLDEN, epsilon};

pub(crate) const TRAJECTORY: &str = "sgd_mnist_K5";
pub(crate) const TRAINED: &str = "gm_trained_K20";

/// The golden file and MNIST, or `None` after a skip.
fn open(name: &str) -> Option<(Golden, Dataset)> {
    let folder = golden_folder()?;
    let options = LoadOptions { folders: vec![folder_or_skip("BURES_DATA")?], ..LoadOptions::default() };
    Some((Golden::read(&folder, name), load("mnist", &options).expect("MNIST")))
}

fn pixels(split: &Split) -> &[u8] {
    match &split.features {
        Features::U8(pixels) => pixels,
        Features::F32(_) => panic!("MNIST is bytes"),
    }
}

fn labels(split: &Split) -> &[u32] {
    match &split.targets {
        Targets::Classes { labels, .. } => labels,
        Targets::Values { .. } => panic!("MNIST has classes"),
    }
}

/// Mean and population standard deviation of every image, in f64; z-scores do not depend on a division by 255.
fn image_moments(pixels: &[u8], inputs: usize) -> Vec<(f64, f64)> {
    let moments = |image: &[u8]| {
        let n = image.len() as f64;
        let mean = image.iter().map(|&p| f64::from(p)).sum::<f64>() / n;
        let variance = image.iter().map(|&p| (f64::from(p) - mean).powi(2)).sum::<f64>() / n;
        (mean, variance.sqrt())
    };
    pixels.chunks_exact(inputs).map(moments).collect()
}

/// The images named by `indices`, each brought to mean 0 and deviation 1 in f64.
fn z_scores(pixels: &[u8], inputs: usize, moments: &[(f64, f64)], indices: &[u32]) -> Vec<f64> {
    let image = |&index: &u32| {
        let (mean, deviation) = moments[index as usize];
        let image = &pixels[index as usize * inputs..][..inputs];
        image.iter().map(move |&p| (f64::from(p) - mean) / deviation)
    };
    indices.iter().flat_map(image).collect()
}

fn dims(golden: &Golden, batch: usize, u: &str) -> GmDims {
    let &[components, outputs, inputs] = golden.shape(u) else { panic!("U has three dimensions") };
    GmDims { runs: 1, batch, components, inputs, outputs, rank: 0 }
}

/// The losses before each step and the parameters after the last: SGD at 0.1, and 1 for σ.
fn train<T: Real>(dims: GmDims, start: &[Vec<f64>], batches: &[(Vec<T>, &[u32])]) -> (Vec<f64>, [Vec<f64>; 4]) {
    let mut params = pack::<T>(dims, start);
    let group = |range, rate| Group { range, rate, l2: 0.0 };
    let groups = [group(dims.mu(), 0.1), group(dims.sigma(), 1.0), group(dims.u(), 0.1), group(dims.v(), 0.1)];
    // Rates are held in f32, and the golden run has 0.1 in f64. The difference goes into the gradients; it is 1e-8,
    // so in f32 the factor is 1.
    let correction = T::of(0.1 / f64::from(0.1_f32));
    let mut losses = Vec::new();
    for (x, labels) in batches {
        let mut pass = pass(dims, x, &params, |h| {
            let (mean, dh, _) = loss(dims.outputs, h, labels);
            losses.push(mean.to_f64());
            dh
        });
        for range in [dims.mu(), dims.u(), dims.v()] {
            pass.grads[range].iter_mut().for_each(|g| *g *= correction);
        }
        step(&Rule::Sgd, dims.params_len(), &groups, &mut params, &pass.grads, Default::default()).expect("shapes fit");
    }
    (losses, unpack(dims, &params))
}

/// The largest difference of two losses, relative to the wanted one.
fn loss_error(got: &[f64], want: &[f64]) -> f64 {
    assert_eq!(got.len(), want.len());
    got.iter().zip(want).map(|(got, want)| ((got - want) / want).abs()).fold(0.0, f64::max)
}

const FINAL: [&str; 4] = ["mu_final", "sigma_final", "U_final", "v_final"];

#[test]
fn training_in_double_precision_follows_the_golden_run() {
    let Some((golden, mnist)) = open(TRAJECTORY) else { return };
    let indices = golden.integers("indices");
    let &[steps, batch] = golden.shape("indices") else { panic!("indices have two dimensions") };
    let dims = dims(&golden, batch, "U0");
    let (pixels, all_labels) = (pixels(&mnist.train), labels(&mnist.train));
    let known = golden.integers("labels");
    let found: Vec<u32> = indices.iter().map(|&index| all_labels[index as usize]).collect();
    assert_eq!(found, known, "labels");

    let moments = image_moments(pixels, dims.inputs);
    let scores: Vec<_> =
        indices.chunks_exact(batch).map(|indices| z_scores(pixels, dims.inputs, &moments, indices)).collect();
    assert!(distance(&scores[0], &golden.floats("X_first")) <= F64_GOLDEN, "X_first");
    let batches: Vec<_> = scores.iter().map(|x| pad::<f64>(dims.inputs, x)).zip(known.chunks_exact(batch)).collect();
    let start: Vec<_> = ["mu0", "sigma0", "U0", "v0"].iter().map(|name| golden.floats(name)).collect();

    let first = pass(dims, &batches[0].0, &pack(dims, &start), |h| loss(dims.outputs, h, batches[0].1).1);
    assert!(distance(&unpad(dims.outputs, &first.h), &golden.floats("h_step0")) <= F64_GOLDEN, "h_step0");
    let norms = unpack(dims, &first.grads).map(|g| g.iter().map(|g| g * g).sum::<f64>().sqrt());
    for (got, want) in norms.iter().zip(golden.floats("grad_norms_step0")) {
        assert!((got / want - 1.0).abs() <= F64_GOLDEN, "norm of the first gradient: {got}, not {want}");
    }

    let (losses, end) = train(dims, &start, &batches);
    assert_eq!(losses.len(), steps);
    let off = loss_error(&losses, &golden.floats("loss_f64"));
    eprintln!("f64 {TRAJECTORY} losses: {off:.1e}");
    assert!(off <= 1e-9, "losses are off by {off:e}");
    for (name, got) in FINAL.iter().zip(&end) {
        let off = distance(got, &golden.floats(name));
        eprintln!("f64 {TRAJECTORY} {name}: {off:.1e}");
        assert!(off <= F64_GOLDEN, "{name} is off by {off:e}");
    }
}

/// In f32, images gathered from bytes with a scale and a shift for each, as training does.
#[test]
fn training_in_single_precision_follows_the_golden_run() {
    let Some((golden, mnist)) = open(TRAJECTORY) else { return };
    let indices = golden.integers("indices");
    let &[_, batch] = golden.shape("indices") else { panic!("indices have two dimensions") };
    let dims = dims(&golden, batch, "U0");
    let pixels = pixels(&mnist.train);
    assert_eq!(stride(dims.inputs), dims.inputs, "the data set itself has no pads");
    let moments = image_moments(pixels, dims.inputs);
    let affine: Vec<f32> =
        moments.iter().flat_map(|&(mean, deviation)| [(1.0 / deviation) as f32, (-mean / deviation) as f32]).collect();
    let gather = |indices: &[u32]| {
        let mut x = vec![0.0_f32; batch * dims.input_stride()];
        rows(dims.inputs, Rows::Bytes(pixels), Affine::PerRow(&affine), indices, &mut x).expect("indices are rows");
        x
    };
    let known = golden.integers("labels");
    let batches: Vec<_> = indices.chunks_exact(batch).map(gather).zip(known.chunks_exact(batch)).collect();
    // Scale, product and shift are rounded once each, and the scale's error is that of the largest value.
    let off = distance(&unpad(dims.inputs, &batches[0].0), &golden.floats("X_first"));
    assert!(off <= 2.0 * epsilon::<f32>(), "gathered images are off by {off:e}");

    let start: Vec<_> = ["mu0", "sigma0", "U0", "v0"].iter().map(|name| golden.floats(name)).collect();
    let (losses, end) = train(dims, &start, &batches);
    for reference in ["loss_f64", "loss_f32"] {
        let off = loss_error(&losses, &golden.floats(reference));
        eprintln!("f32 {TRAJECTORY} against {reference}: {off:.1e}");
        assert!(off <= 1e-5, "losses are off from {reference} by {off:e}");
    }
    // Four times as far as the f32 run of the program that made the file (its manifest gives these distances).
    for ((name, got), bound) in FINAL.iter().zip(&end).zip([1.5e-6, 5e-6, 2.1e-6, 4.1e-7]) {
        let want = golden.floats(name);
        let off = got.iter().zip(&want).map(|(got, want)| (got - want).abs()).fold(0.0, f64::max);
        eprintln!("f32 {TRAJECTORY} {name}: {off:.1e} absolute");
        assert!(off <= 4.0 * bound, "{name} is off by {off:e}");
    }
}

/// Logits of all test images.
fn logits<T: Real>(dims: GmDims, params: &[T], images: &[f64]) -> Vec<T> {
    let mut workspace = gm_layer::Workspace::new(dims);
    let mut all = Vec::new();
    for images in images.chunks_exact(dims.batch * dims.inputs) {
        let mut h = vec![T::ZERO; dims.h_len()];
        gm_layer::forward(&pad(dims.inputs, images), params, &mut workspace, &mut h).expect("shapes fit");
        all.extend(h);
    }
    all
}

#[test]
fn a_trained_model_classifies_as_it_did() {
    let Some((golden, mnist)) = open(TRAINED) else { return };
    let dims = dims(&golden, 1000, "U");
    let (pixels, labels) = (pixels(&mnist.test), labels(&mnist.test));
    let params: Vec<_> = ["mu", "sigma", "U", "v"].iter().map(|name| golden.floats(name)).collect();
    let indices: Vec<u32> = (0..mnist.test.n as u32).collect();
    let images = z_scores(pixels, dims.inputs, &image_moments(pixels, dims.inputs), &indices);

    let h = logits::<f64>(dims, &pack(dims, &params), &images);
    let (mean, _, errors) = loss(dims.outputs, &h, labels);
    let h = unpad(dims.outputs, &h);
    let first = &h[..256 * dims.outputs];
    let off = distance(first, &golden.floats("h_first256"));
    eprintln!("f64 {TRAINED} h: {off:.1e}, loss: {:.1e}", mean / golden.floats("test_loss")[0] - 1.0);
    assert!(off <= F64_GOLDEN, "logits are off by {off:e}");
    assert!((mean / golden.floats("test_loss")[0] - 1.0).abs() <= F64_GOLDEN, "test loss {mean}");
    assert_eq!([errors].as_slice(), golden.integers("test_errors"));
    assert_eq!(predictions(dims.outputs, &h), golden.integers("pred"));

    // In f32, with the library's own normalisation of f32 rows: logits of size 20 from sums of 784 terms.
    let mut rows: Vec<f32> = pixels.iter().map(|&p| f32::from(p) / 255.0).collect();
    rows.chunks_exact_mut(dims.inputs).for_each(|row| Normalization::PerImage.apply(row));
    let rows: Vec<f64> = rows.into_iter().map(f64::from).collect();
    let single = logits::<f32>(dims, &pack(dims, &params), &rows);
    let (single_mean, _, _) = loss(dims.outputs, &single, labels);
    assert!((f64::from(single_mean) / mean - 1.0).abs() <= 1e-5, "test loss {single_mean}, not {mean}");
    let single = unpad(dims.outputs, &single);
    let off = h.iter().zip(&single).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    eprintln!("f32 {TRAINED} h: {off:.1e} absolute, relative {:.1e}", distance(&single, &h));
    assert!(off <= 1e-4, "logits in f32 are off by {off:e}");
    let margins = golden.floats("margin");
    let pairs = predictions(dims.outputs, &single).into_iter().zip(golden.integers("pred")).zip(margins);
    for (image, ((got, want), margin)) in pairs.enumerate() {
        assert!(got == want || margin <= 2.0 * off, "image {image}: class {got}, not {want}, with margin {margin:e}");
    }
}
