//! No bound is below what samples make sure of: every network of the fixtures, both methods.
//!
//! `E‖z − z'‖²` is a sum over coordinates, so `W2²` is at least the sum of the squared distances of the marginals, and each of those at
//! least `Δm² + Δσ²` (Gelbrich). Means and deviations of samples are off by six standard errors at most.
//! `BURES_SAMPLES` takes more samples for a longer run.

use bures::certify::core::{Layer, Mixture, Network, Prepared, Proof, prove};
use bures::certify::propose::paper::{PaperSettings, certify_paper};
use bures::reference::philox::Philox;

use crate::core_support::{Golden, check_proof, fixtures, plain_witness};

/// Standard errors that a moment of samples may be off by.
const SURE: f64 = 6.0;

/// Means and variances of the layer's outputs, given what enters it.
fn dense(layer: &Layer, a: &[f64]) -> Vec<(f64, f64)> {
    let rows = layer.mean.chunks_exact(layer.inputs).zip(layer.variance.chunks_exact(layer.inputs));
    let biases = layer.bias_mean.iter().zip(&layer.bias_variance);
    let moments = rows.zip(biases).map(|((means, variances), (mean, variance))| {
        let along: f64 = means.iter().zip(a).map(|(m, a)| m * a).sum();
        let about: f64 = variances.iter().zip(a).map(|(v, a)| v * a * a).sum();
        (mean + along, variance + about)
    });
    moments.collect()
}

/// One output of the network, given the law of its first layer: outputs of a layer are independent, given those before.
fn draw(network: &Network, first: &[(f64, f64)], random: &mut Philox) -> Vec<f64> {
    let normal = |law: &[(f64, f64)], random: &mut Philox| -> Vec<f64> {
        law.iter().map(|(mean, variance)| mean + variance.sqrt() * random.normal()).collect()
    };
    let mut z = normal(first, random);
    for (layer, next) in network.layers.iter().zip(&network.layers[1..]) {
        for z in &mut z {
            let a = if layer.activation == "relu" { z.max(0.0) } else { z.tanh() };
            let kept = layer.dropout == 0.0 || random.uniform() >= layer.dropout;
            *z = if kept { a / (1.0 - layer.dropout) } else { 0.0 };
        }
        z = normal(&dense(next, &z), random);
    }
    z
}

/// Mean, deviation and both standard errors of every coordinate.
fn moments(samples: &[Vec<f64>]) -> Vec<[f64; 4]> {
    let n = samples.len() as f64;
    let of = |j: usize| {
        let mean = samples.iter().map(|z| z[j]).sum::<f64>() / n;
        let power = |k: i32| samples.iter().map(|z| (z[j] - mean).powi(k)).sum::<f64>() / n;
        let (variance, fourth) = (power(2), power(4));
        let spread = (fourth - variance * variance).max(0.0).sqrt();
        // A deviation's standard error is that of the variance by twice the deviation.
        let error = if variance > 0.0 { 0.5 * spread / (variance * n).sqrt() } else { 0.0 };
        [mean, variance.sqrt(), (variance / n).sqrt(), error]
    };
    (0..samples[0].len()).map(of).collect()
}

/// A distance that the law of the samples has from the mixture, as sure as [`SURE`] errors are.
fn lower_limit(sampled: &[[f64; 4]], mixture: &Mixture) -> f64 {
    let n = mixture.width;
    let marginal = |(j, [mean, deviation, off_mean, off_deviation]): (usize, &[f64; 4])| {
        let components = || mixture.weights.iter().enumerate().map(|(c, weight)| (weight, c * n + j));
        let center: f64 = components().map(|(weight, at)| weight * mixture.means[at]).sum();
        let square: f64 = components()
            .map(|(weight, at)| weight * (mixture.covariances[at * n + j] + (mixture.means[at] - center).powi(2)))
            .sum();
        let shift = ((mean - center).abs() - SURE * off_mean).max(0.0);
        let spread = ((deviation - square.sqrt()).abs() - SURE * off_deviation).max(0.0);
        shift * shift + spread * spread
    };
    sampled.iter().enumerate().map(marginal).sum::<f64>().sqrt()
}

fn check(name: &str, sampled: &[[f64; 4]], proof: &Proof) -> f64 {
    check_proof(proof);
    let limit = lower_limit(sampled, &proof.mixture);
    assert!(limit <= proof.bound, "{name}: {} is below {limit}", proof.bound);
    limit / proof.bound
}

/// An input of each kind: five test images, the values that tables have after scaling, and a sine's domain.
pub(crate) fn inputs(name: &str, width: usize, images: &[f64]) -> Vec<Vec<f64>> {
    if name.starts_with("mnist") {
        return images.chunks_exact(width).map(<[f64]>::to_vec).collect();
    }
    let mut random = Philox::new(11, 0);
    (0..5).map(|_| (0..width).map(|_| 2.0 * random.uniform() - 1.0).collect()).collect()
}

#[test]
fn no_bound_is_below_samples() {
    let Some(folder) = fixtures() else { return };
    let samples: usize = std::env::var("BURES_SAMPLES").map_or(2_000, |n| n.parse().expect("a number"));
    let images = Golden::read(folder.join("mnist_2x128.safetensors")).floats("X");
    for (name, activation, dropout) in [
        ("kin8nm_1x128_tanh_vi", "tanh", 0.0),
        ("kin8nm_2x128_tanh_vi", "tanh", 0.0),
        ("mnist_1x128_relu_vi", "relu", 0.0),
        ("mnist_1x64_relu_dropout", "relu", 0.5),
        ("mnist_2x128_relu_vi", "relu", 0.0),
        ("noisysines_1x64_tanh_vi", "tanh", 0.0),
        ("noisysines_2x64_tanh_vi", "tanh", 0.0),
    ] {
        let file = Golden::read(folder.join(format!("nets/{name}.safetensors")));
        let network = file.network("", activation, dropout);
        let prepared = Prepared::new(&network).expect("a network");
        let (mut tight_limit, mut paper_limit) = (0.0_f64, 0.0_f64);
        for (stream, input) in inputs(name, prepared.inputs(), &images).iter().enumerate() {
            let mut random = Philox::new(5, stream as u64);
            let first = dense(&network.layers[0], input);
            let drawn: Vec<Vec<f64>> = (0..samples).map(|_| draw(&network, &first, &mut random)).collect();
            let sampled = moments(&drawn);
            let tight = prove(&prepared, input, &plain_witness(&network)).expect("a proof");
            tight_limit = tight_limit.max(check(name, &sampled, &tight));
            assert!(tight.relative_bound < 0.5, "{name}: {}", tight.relative_bound);
            if dropout == 0.0 {
                let settings = PaperSettings { points: 10, components: 3, cross: false };
                let (paper, _) = certify_paper(&prepared, &[input], settings).expect("a proof");
                paper_limit = paper_limit.max(check(name, &sampled, &paper));
            }
        }
        eprintln!("{name}: lower limits up to {tight_limit:.3} of the tight bound, {paper_limit:.3} of the paper's");
    }
}
