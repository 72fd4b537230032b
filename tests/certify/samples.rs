//! Samples of a network's outputs: their moments are those of the theory, at one input and at several under the same weights.

use bures::certify::core::{Layer, Mixture, Network, Prepared};
use bures::certify::measure;
use bures::certify::propose::paper::{PaperSettings, certify_paper};
use bures::certify::sample::{Stream, outputs};

use crate::core_monte_carlo::{Random, network};
use crate::joint::{inputs, joint};

const STREAM: Stream = Stream { seed: 3, number: 5 };

fn slices(rows: &[Vec<f64>]) -> Vec<&[f64]> {
    rows.iter().map(Vec::as_slice).collect()
}

/// The covariance of all weights, column after column, of independent or correlated ones.
fn covariance(values: &[f64], [rows, columns]: [usize; 2]) -> Vec<f64> {
    let n = rows * columns;
    if values.len() == n * n {
        return values.to_vec();
    }
    let mut matrix = vec![0.0; n * n];
    for (at, v) in values.iter().enumerate() {
        matrix[(at % columns * rows + at / columns) * (n + 1)] = *v;
    }
    matrix
}

/// Correlates the weights of a layer, and its biases: `σ_p σ_q (½ + ½ δ_pq)` for the deviations that it had.
fn correlate(layer: &mut Layer) {
    for (values, columns) in [(&mut layer.variance, layer.inputs), (&mut layer.bias_variance, 1)] {
        let own = covariance(values, [layer.outputs, columns]);
        let n = values.len();
        let deviation = |p: usize| own[p * (n + 1)].sqrt();
        let entry = |(p, q): (usize, usize)| deviation(p) * deviation(q) * if p == q { 1.0 } else { 0.5 };
        *values = (0..n * n).map(|at| entry((at / n, at % n))).collect();
    }
}

/// Mean and covariance of the stacked outputs of a network without activations, exactly: with `a` what enters a layer,
/// `Cov(z_di, z_ek) = Σ_jl (M_ij M_kl Cov(a_dj, a_el) + Cov(W_ij, W_kl) E a_dj a_el) + Cov(b_i, b_k)`.
fn linear(network: &Network, rows: &[Vec<f64>]) -> (Vec<f64>, Vec<f64>) {
    let mut mean = rows.concat();
    let mut spread = vec![0.0; mean.len() * mean.len()];
    for layer in &network.layers {
        let (n, m, points, size) = (layer.inputs, layer.outputs, rows.len(), mean.len());
        let weights = covariance(&layer.variance, [m, n]);
        let biases = covariance(&layer.bias_variance, [m, 1]);
        let center = |k: usize| -> f64 {
            let row = layer.mean[k % m * n..][..n].iter().zip(&mean[k / m * n..]);
            row.map(|(w, a)| w * a).sum::<f64>() + layer.bias_mean[k % m]
        };
        let next: Vec<f64> = (0..points * m).map(center).collect();
        let mut cross = vec![0.0; next.len() * next.len()];
        for (k, l) in (0..next.len()).flat_map(|k| (0..points * m).map(move |l| (k, l))) {
            let (i, h) = (k % m, l % m);
            let mut sum = biases[i * m + h];
            for (p, q) in (0..n).flat_map(|p| (0..n).map(move |q| (p, q))) {
                let (a, b) = (k / m * n + p, l / m * n + q);
                let second = spread[a * size + b] + mean[a] * mean[b];
                sum += layer.mean[i * n + p] * layer.mean[h * n + q] * spread[a * size + b];
                sum += weights[(p * m + i) * n * m + q * m + h] * second;
            }
            cross[k * next.len() + l] = sum;
        }
        (mean, spread) = (next, cross);
    }
    (mean, spread)
}

/// Asserts that all first and second moments of the samples are right within six standard errors.
fn check_moments(name: &str, samples: &[f64], mean: &[f64], covariance: &[f64]) {
    let size = mean.len();
    let n = (samples.len() / size) as f64;
    let average = |value: &dyn Fn(&[f64]) -> f64| samples.chunks_exact(size).map(value).sum::<f64>() / n;
    for i in 0..size {
        let off = average(&|z| z[i]) - mean[i];
        let error = (covariance[i * (size + 1)] / n).sqrt();
        assert!(off.abs() <= 6.0 * error, "{name}: mean {i} is off by {off}, standard error {error}");
        for j in 0..=i {
            let product = |z: &[f64]| (z[i] - mean[i]) * (z[j] - mean[j]);
            let off = average(&product) - covariance[i * size + j];
            let error = (average(&|z| product(z).powi(2)) / n).sqrt();
            assert!(off.abs() <= 6.0 * error, "{name}: covariance {i}, {j} is off by {off}, standard error {error}");
            assert!(error < 0.1 * (covariance[i * (size + 1)] * covariance[j * (size + 1)]).sqrt(), "{name}: {error}");
        }
    }
}

#[test]
fn moments_of_linear_networks_are_exact() {
    let mut random = Random(23);
    for (widths, points) in
        [(&[3, 4, 2][..], 1), (&[3, 4, 2], 2), (&[3, 2, 3, 2], 3), (&[1, 3, 2], 4), (&[4, 18, 1], 17)]
    {
        for correlated in [None, Some(0), Some(1)] {
            let mut network = network(&mut random, widths, "none", 0.4, 0.0);
            if let Some(layer) = correlated {
                correlate(&mut network.layers[layer]);
            }
            let rows = inputs(&mut random, points, widths[0]);
            let (mean, covariance) = linear(&network, &rows);
            let samples = outputs(&network, &slices(&rows), 30_000, STREAM).expect("samples");
            check_moments(&format!("{widths:?}, {points} points, {correlated:?}"), &samples, &mean, &covariance);
        }
    }
}

/// A rectified and a squashed neuron with dropout, read off by a weight of 1: `E` of the activation by the trapezoidal rule.
#[test]
fn activations_and_dropout_are_those_of_the_network() {
    for (activation, f) in [("relu", (|z: f64| z.max(0.0)) as fn(f64) -> f64), ("tanh", f64::tanh)] {
        for dropout in [0.0, 0.3] {
            let mut network = network(&mut Random(4), &[2, 1, 1], activation, 0.5, dropout);
            let (first, last) = (&network.layers[0].clone(), &mut network.layers[1]);
            (last.mean, last.variance, last.bias_mean, last.bias_variance) =
                (vec![1.0], vec![0.0], vec![0.0], vec![0.0]);
            let row = [0.7, -1.2];
            let center = first.mean[0] * row[0] + first.mean[1] * row[1] + first.bias_mean[0];
            let variance = first.variance[0] * row[0].powi(2) + first.variance[1] * row[1].powi(2);
            let scale = (variance + first.bias_variance[0]).sqrt();
            let moment = |power: i32| -> f64 {
                let step = 0.005;
                let points = (-2000..=2000).map(|k| step * f64::from(k));
                let density = |x: f64| (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
                points.map(|x| step * density(x) * f(center + scale * x).powi(power)).sum()
            };
            let (mean, square) = (moment(1), moment(2) / (1.0 - dropout));
            let samples = outputs(&network, &[&row], 40_000, STREAM).expect("samples");
            check_moments(&format!("{activation}, dropout {dropout}"), &samples, &[mean], &[square - mean * mean]);
        }
    }
}

/// Equal inputs have equal outputs under one network, and different ones do not.
#[test]
fn equal_inputs_have_correlation_one() {
    let mut random = Random(31);
    // Fewer and more points than inputs, which are drawn in different ways.
    for (widths, others) in [(&[5, 6, 4, 2][..], 1), (&[2, 6, 4, 2], 3), (&[20, 6, 4, 2], 15)] {
        for correlated in [false, true] {
            let mut network = network(&mut random, widths, "tanh", 0.5, 0.0);
            if correlated {
                network.layers.iter_mut().for_each(correlate);
            }
            let mut rows = inputs(&mut random, 2 + others, widths[0]);
            rows[1] = rows[0].clone();
            let samples = outputs(&network, &slices(&rows), 200, STREAM).expect("samples");
            for sample in samples.chunks_exact(2 * rows.len()) {
                for (a, b) in sample[..2].iter().zip(&sample[2..4]) {
                    assert!((a - b).abs() <= 1e-6 * (1.0 + a.abs()), "{widths:?}: {a} {b}");
                }
                assert!((sample[0] - sample[4]).abs() > 1e-6, "{widths:?}: {}", sample[0]);
            }
        }
    }
}

/// Of a joint law, and with correlated weights: the samples are no farther than what is proved, and a shift is seen.
#[test]
fn sampled_distances_are_below_the_bound() {
    let mut random = Random(41);
    for (correlated, points) in [(false, 3), (true, 1), (true, 3)] {
        let mut network = network(&mut random, &[2, 6, 2], "relu", 0.5, 0.0);
        if correlated {
            network.layers.iter_mut().for_each(correlate);
        }
        let rows = inputs(&mut random, points, 2);
        let prepared = Prepared::new(&network).expect("a network");
        let settings = PaperSettings { points: 20, components: 4, cross: false };
        let (proof, _) = certify_paper(&prepared, &slices(&rows), settings).expect("a proof");
        let (measured, samples) =
            measure(&network, &slices(&rows), &proof.mixture, 500, [9, 0]).expect("a measured distance");
        assert_eq!(samples.len(), 500 * 2 * points);
        assert!(
            measured.lower <= measured.distance && measured.distance <= proof.bound,
            "{measured:?} {}",
            proof.bound
        );
        assert!(measured.distance >= 0.5 * measured.floor, "{measured:?}");
        let mut shifted = proof.mixture;
        let away = 3.0 * shifted.second_moment_root();
        shifted.means.chunks_exact_mut(2 * points).for_each(|mean| mean[0] += away);
        let (seen, _) = measure(&network, &slices(&rows), &shifted, 500, [9, 0]).expect("a measured distance");
        assert!(seen.lower > 0.5 * away && seen.lower <= away + proof.bound, "{seen:?}, {away} away");
    }
}

trait Size {
    fn second_moment_root(&self) -> f64;
}

impl Size for Mixture {
    fn second_moment_root(&self) -> f64 {
        let n = self.width;
        let square = |c: usize| -> f64 {
            (0..n).map(|i| self.means[c * n + i].powi(2) + self.covariances[(c * n + i) * n + i]).sum()
        };
        (0..self.weights.len()).map(|c| self.weights[c] * square(c)).sum::<f64>().sqrt()
    }
}

/// One layer is Gaussian: its joint law is the mixture, in more dimensions than the lower limit looks at.
#[test]
fn a_gaussian_joint_law_is_at_the_floor() {
    let mut random = Random(53);
    let mut network = network(&mut random, &[6, 8], "none", 0.3, 0.0);
    network.layers[0].bias_variance[0] = 4.0;
    let mut rows = inputs(&mut random, 5, 6);
    rows[4] = rows[0].clone();
    let proof = joint(&network, &rows);
    let (equal, samples) = measure(&network, &slices(&rows), &proof.mixture, 300, [1, 2]).expect("a distance");
    assert!(equal.lower == 0.0 && (0.8..1.25).contains(&(equal.distance / equal.floor)), "{equal:?}");
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    let again = one.install(|| measure(&network, &slices(&rows), &proof.mixture, 300, [1, 2])).expect("a distance");
    assert!(again == (equal, samples), "equal seeds give equal bits, whatever the number of threads");
    // The bias of neuron 0 is what varies most, the same at all points: a shift along it is seen in full.
    let mut shifted = proof.mixture;
    (0..5).for_each(|point| shifted.means[8 * point] += 10.0);
    let (seen, _) = measure(&network, &slices(&rows), &shifted, 300, [1, 2]).expect("a distance");
    let away = 10.0 * 5.0_f64.sqrt();
    assert!(seen.lower <= away && seen.lower > 0.8 * away, "{seen:?}, {away} away");
}

#[test]
fn what_cannot_be_sampled_is_refused() {
    let mut network = network(&mut Random(1), &[2, 3, 2], "relu", 0.3, 0.5);
    let refused = |network: &Network, rows: &[&[f64]], words: &str| {
        let why = outputs(network, rows, 10, STREAM).expect_err(words).to_string();
        assert!(why.contains(words), "{why}");
    };
    refused(&network, &[&[1.0]], "inputs of 2 numbers");
    refused(&network, &[&[1.0, 2.0], &[1.0, 2.0]], "without dropout");
    network.layers[0].activation = "gelu".to_owned();
    refused(&network, &[&[1.0, 2.0]], "gelu");
}
