//! Certification: both methods and verification for an input, runs over many inputs, and the mathematics under them.
//!
//! With `BURES_FIXTURES` set, the network is the [2×128] MNIST one of the fixtures, else one of the same shape with random numbers.
//! Run one group with `cargo bench --bench certify -- input`.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bures::certify::core::{LayerWitness, Method, Prepared, Witness, prove};
use bures::certify::propose::paper::{PaperSettings, certify_paper};
use bures::certify::{Inputs, Settings, Subject, run};
use bures::io::{TensorData, Tensors, write_npy_f32};
use bures::math::allocation::allocate;
use bures::math::clusters::cluster;
use bures::math::quantizer::Quantizer;
use bures::math::signature::{Grid, Signature};
use bures::math::transport;
use bures::nn::Activation;
use bures::reference::philox::Philox;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// Pixels, two hidden layers, classes.
const WIDTHS: [usize; 4] = [784, 128, 128, 10];

/// Inputs of a run.
const INPUTS: usize = 256;

/// The paper's setting.
const PAPER: PaperSettings = PaperSettings { points: 10, components: 3, cross: false };

/// A network of the same shape, its weights as wide as a trained one's.
fn synthetic(path: &Path) {
    let (mut random, mut file) = (Philox::new(1, 0), Tensors::default());
    for (k, pair) in WIDTHS.windows(2).enumerate() {
        let scale = (2.0 / pair[0] as f64).sqrt();
        for (name, shape) in [("weight", &[pair[1], pair[0]][..]), ("bias", &pair[1..])] {
            let count: usize = shape.iter().product();
            let means = (0..count).map(|_| (scale * random.normal()) as f32).collect();
            let spreads = (0..count).map(|_| (0.1 * scale * random.uniform()) as f32).collect();
            file.insert(format!("layers.{k}.{name}_mean"), shape, TensorData::F32(means));
            file.insert(format!("layers.{k}.{name}_std"), shape, TensorData::F32(spreads));
        }
    }
    file.write(path).expect("a model");
}

/// The network and its inputs: 15 % of the pixels are not 0, as in MNIST; or the golden test images, again and again.
fn subject(folder: &Path) -> (Subject, Inputs) {
    let fixtures = std::env::var_os("BURES_FIXTURES").map(|root| PathBuf::from(root).join("snn"));
    let model = fixtures.as_ref().map_or_else(
        || {
            let path = folder.join("net.safetensors");
            synthetic(&path);
            path
        },
        |snn| snn.join("nets/mnist_2x128_relu_vi.safetensors"),
    );
    let mut random = Philox::new(2, 0);
    let images: Vec<f32> = match fixtures.map(|snn| Tensors::read(snn.join("mnist_2x128.safetensors"))) {
        Some(golden) => match &golden.expect("golden images").tensors["X"].data {
            TensorData::F64(pixels) => pixels.iter().map(|&x| x as f32).collect(),
            other => panic!("images of another kind: {other:?}"),
        },
        None => (0..5 * WIDTHS[0]).map(|_| (random.uniform() * 7.0 - 6.0).max(0.0) as f32).collect(),
    };
    let rows: Vec<f32> = images.iter().copied().cycle().take(INPUTS * WIDTHS[0]).collect();
    let path = folder.join("x.npy");
    write_npy_f32(&path, &[INPUTS, WIDTHS[0]], &rows).expect("inputs");
    let subject = Subject::read(&model, Some(Activation::Relu), None).expect("a network");
    let given = path.to_str().expect("a name in UTF-8");
    let inputs = Inputs::read(given, None, WIDTHS[0], &subject.model.normalize, None).expect("inputs");
    (subject, inputs)
}

fn certification(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let (subject, inputs) = subject(folder.path());
    let prepared = Prepared::new(&subject.network).expect("a network");
    let plain = Witness { method: Method::Tight, layers: vec![LayerWitness::default(); prepared.hidden_layers()] };
    let rows: Vec<Vec<f64>> = (0..5).map(|row| inputs.row(row)).collect();
    let stored: Vec<Witness> =
        rows.iter().map(|row| certify_paper(&prepared, &[&row[..]], PAPER).expect("a proof").1).collect();

    let mut group = c.benchmark_group("input");
    group.bench_function("prepare network", |b| b.iter(|| Prepared::new(&subject.network).expect("a network")));
    let mut next = (0..rows.len()).cycle();
    let mut turn = || next.next().unwrap_or(0);
    group.bench_function("tight", |b| {
        b.iter(|| prove(&prepared, &rows[turn()], &plain).expect("a proof"));
    });
    group.bench_function("paper", |b| {
        b.iter(|| certify_paper(&prepared, &[&rows[turn()][..]], PAPER).expect("a proof"));
    });
    // Verification proves again from the witness alone; of the tight method it is the same work as the proof.
    group.bench_function("verify paper", |b| {
        b.iter(|| {
            let at = turn();
            prove(&prepared, &rows[at], &stored[at]).expect("a proof")
        });
    });
    group.finish();

    let mut group = c.benchmark_group("run");
    for count in [16, 64, INPUTS] {
        let mut share = inputs.clone();
        share.range = 0..count;
        group.throughput(Throughput::Elements(count as u64));
        for method in ["tight", "paper"] {
            let settings = Settings { method: method.to_owned(), ..Settings::default() };
            group.bench_with_input(BenchmarkId::new(method, count), &share, |b, share| {
                b.iter(|| run(&subject, share, &settings, &mut |_| ()).expect("a certification"));
            });
        }
    }
    group.finish();
}

fn signatures(c: &mut Criterion) {
    let n = 128;
    let mut random = Philox::new(3, 0);
    let mean: Vec<f64> = (0..n).map(|_| random.normal()).collect();
    let variances: Vec<f64> = (0..n).map(|_| random.uniform() + 0.01).collect();
    let factor: Vec<f64> = (0..n * n).map(|_| random.normal()).collect();
    let entry = |k: usize| {
        let (i, j) = (k / n, k % n);
        let dot: f64 = factor[i * n..][..n].iter().zip(&factor[j * n..][..n]).map(|(a, b)| a * b).sum();
        dot / n as f64 + if i == j { variances[i] } else { 0.0 }
    };
    let covariance: Vec<f64> = (0..n * n).map(entry).collect();
    let mut grid = Grid::new(10).expect("a budget");
    let mut out = Signature::default();
    let mut group = c.benchmark_group("signature");
    group.bench_function("diagonal 128", |b| {
        b.iter(|| grid.diagonal(black_box(&mean), black_box(&variances), &mut out).expect("a signature"));
    });
    group.bench_function("dense 128", |b| {
        b.iter(|| grid.full(black_box(&mean), black_box(&covariance), &mut out).expect("a signature"));
    });
    group.finish();
}

fn parts(c: &mut Criterion) {
    let mut random = Philox::new(4, 0);
    let mut group = c.benchmark_group("part");
    let mut points = (1..=1000).cycle();
    group.bench_function("quantizer lookup", |b| {
        b.iter(|| Quantizer::optimal(black_box(points.next().unwrap_or(1))).expect("a quantizer").points());
    });
    let weights: Vec<f64> = (0..128).map(|k| 1.0 / f64::from(k + 1)).collect();
    for budget in [10, 100, 1000] {
        group.bench_function(BenchmarkId::new("allocation 128", budget), |b| {
            b.iter(|| allocate(black_box(&weights), budget).expect("an allocation"));
        });
    }
    let atoms: Vec<f64> = (0..100 * 128).map(|_| random.normal()).collect();
    group.bench_function("clusters of 100 points, 128 wide", |b| {
        b.iter(|| cluster(black_box(&atoms), 128, &[0.01; 100], 3).expect("clusters"));
    });
    for n in [30, 300_usize] {
        let masses = vec![1.0 / n as f64; n];
        let cost: Vec<f64> = (0..n * n).map(|_| random.uniform()).collect();
        group.bench_function(BenchmarkId::new("transport", n), |b| {
            b.iter(|| transport::solve(&masses, &masses, black_box(&cost)).expect("a plan"));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(2));
    targets = certification, signatures, parts
}
criterion_main!(benches);
