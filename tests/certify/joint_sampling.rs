//! Joint bounds against sampled networks: the same weights for all inputs.

use bures::certify::core::Network;
use bures::math::eigen::symmetric;

use crate::core_monte_carlo::{Random, network};
use crate::joint::{inputs, joint};

/// The stacked outputs of one random network.
fn sample(network: &Network, inputs: &[Vec<f64>], random: &mut Random) -> Vec<f64> {
    let mut values = inputs.to_vec();
    for layer in &network.layers {
        let mut next = vec![Vec::with_capacity(layer.outputs); values.len()];
        for i in 0..layer.outputs {
            let row = i * layer.inputs..(i + 1) * layer.inputs;
            let draw = |(mean, variance): (&f64, &f64)| mean + variance.sqrt() * random.normal();
            let weights: Vec<f64> = layer.mean[row.clone()].iter().zip(&layer.variance[row]).map(draw).collect();
            let bias = layer.bias_mean[i] + layer.bias_variance[i].sqrt() * random.normal();
            for (next, value) in next.iter_mut().zip(&values) {
                let z = weights.iter().zip(value).map(|(w, x)| w * x).sum::<f64>() + bias;
                next.push(match layer.activation.as_str() {
                    "relu" => z.max(0.0),
                    "tanh" => z.tanh(),
                    _ => z,
                });
            }
        }
        values = next;
    }
    values.concat()
}

/// A lower confidence limit of `W2` from one direction: six standard errors off the gaps of mean and standard deviation.
fn limit(projected: &[f64], mean: f64, variance: f64) -> f64 {
    let n = projected.len() as f64;
    let center = projected.iter().sum::<f64>() / n;
    let moment = |k: i32| projected.iter().map(|x| (x - center).powi(k)).sum::<f64>() / n;
    let (second, fourth) = (moment(2), moment(4));
    let gap = (center - mean).abs() - 6.0 * (second / n).sqrt();
    let off = 6.0 * ((fourth - second * second).max(0.0) / n).sqrt();
    let spread = ((second - variance).abs() - off) / (second.sqrt() + variance.max(0.0).sqrt() + 1e-9);
    gap.max(0.0).hypot(spread.max(0.0))
}

#[test]
fn joint_bounds_are_not_below_gelbrich_estimates() {
    let mut random = Random(17);
    let settings = [("relu", 0.1), ("relu", 0.7), ("tanh", 0.2), ("tanh", 1.0), ("none", 0.5)];
    for (activation, spread) in settings {
        for (widths, points) in [(&[2, 5, 1][..], 2), (&[1, 6, 4, 1], 6), (&[2, 1, 3, 2], 3)] {
            let network = network(&mut random, widths, activation, spread, 0.0);
            let mut inputs = inputs(&mut random, points, widths[0]);
            // One of them twice.
            inputs[1] = if points > 2 { inputs[0].clone() } else { inputs[1].clone() };
            let proof = joint(&network, &inputs);
            let size = proof.mixture.width;
            let n = 20_000;
            let samples: Vec<Vec<f64>> = (0..n).map(|_| sample(&network, &inputs, &mut random)).collect();
            let axes = symmetric(&proof.mixture.covariances, size).expect("eigenvectors").vectors;
            let units = (0..size * size).map(|k| f64::from(u8::from(k / size == k % size)));
            let directions: Vec<f64> = axes.into_iter().chain(units).collect();
            let mut most = 0.0_f64;
            for v in directions.chunks_exact(size) {
                let dot = |x: &[f64]| x.iter().zip(v).map(|(a, b)| a * b).sum::<f64>();
                let projected: Vec<f64> = samples.iter().map(|x| dot(x)).collect();
                let image: Vec<f64> = proof.mixture.covariances.chunks_exact(size).map(dot).collect();
                most = most.max(limit(&projected, dot(&proof.mixture.means), dot(&image)));
            }
            eprintln!("{activation} {spread} {widths:?}: {:e} at least {most:e}", proof.bound);
            assert!(proof.bound >= most, "{activation} {spread} {widths:?}: {} < {most}", proof.bound);
        }
    }
}
