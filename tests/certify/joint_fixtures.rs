//! The joint law against golden values: exact first layers, moments of sampled networks, and real networks in size.

use bures::certify::core::{Layer, Network};

use crate::core_monte_carlo::Random;
use crate::core_support::{Golden, distance, fixtures};
use crate::joint::{inputs, joint};

fn rows(flat: &[f64], width: usize) -> Vec<Vec<f64>> {
    flat.chunks_exact(width).map(<[f64]>::to_vec).collect()
}

/// Equation 20 for one layer, several inputs.
#[test]
fn one_layer_is_exact() {
    let Some(folder) = fixtures() else { return };
    let golden = Golden::read(folder.join("dense.safetensors"));
    for case in ["case0", "case1", "case2"] {
        let floats = |name: &str| golden.floats(&format!("{case}.{name}"));
        let shape = &golden.0.tensors[&format!("{case}.acts")].shape;
        let (atoms, points, inputs) = (shape[0], shape[1], shape[2]);
        let outputs = floats("b_mean").len();
        let network = Network {
            layers: vec![Layer {
                inputs,
                outputs,
                mean: floats("W_mean"),
                variance: floats("fact.W_var"),
                bias_mean: floats("b_mean"),
                bias_variance: floats("fact.b_var"),
                activation: "none".to_owned(),
                dropout: 0.0,
            }],
        };
        let (acts, means, covariances) = (floats("acts"), floats("fact.means"), floats("fact.covs"));
        let size = points * outputs;
        for atom in 0..atoms {
            let proof = joint(&network, &rows(&acts[atom * points * inputs..][..points * inputs], inputs));
            assert!(proof.relative_bound < 1e-6, "{}", proof.relative_bound);
            assert!(distance(&proof.mixture.means, &means[atom * size..][..size]) < 1e-12);
            assert!(distance(&proof.mixture.covariances, &covariances[atom * size * size..][..size * size]) < 1e-12);
        }
    }
}

/// Moments of the stacked outputs of small networks, from 400,000 sampled networks.
#[test]
fn moments_agree_with_sampled_networks() {
    let Some(folder) = fixtures() else { return };
    let golden = Golden::read(folder.join("tiny_net.safetensors"));
    for activation in ["relu", "tanh"] {
        let network = golden.network(&format!("{activation}.net."), activation, 0.0);
        let floats = |name: &str| golden.floats(&format!("{activation}.{name}"));
        let proof = joint(&network, &rows(&floats("X"), 2));
        let errors = floats("MC.stderr_mean");
        let gaps: Vec<f64> = proof.mixture.means.iter().zip(floats("MC.mean")).map(|(a, b)| (a - b).abs()).collect();
        let off = distance(&proof.mixture.covariances, &floats("MC.cov"));
        eprintln!("{activation}: {} relative {}, covariance off by {off}", proof.bound, proof.relative_bound);
        // The bound covers the distance of the means, and the covariance is near.
        let beyond: f64 = gaps.iter().zip(&errors).map(|(gap, e)| (gap - 6.0 * e).max(0.0).powi(2)).sum();
        assert!(beyond.sqrt() <= proof.bound && off < 0.1);
    }
}

/// Networks of the fixtures with as many inputs as figures have, in seconds.
#[test]
fn real_networks_are_proved_at_many_inputs() {
    let Some(folder) = fixtures() else { return };
    let line: Vec<Vec<f64>> = (0..100).map(|k| vec![-1.0 + 2.0 * f64::from(k) / 99.0]).collect();
    let images = Golden::read(folder.join("mnist_2x128.safetensors")).floats("X");
    let cases = [
        ("noisysines_1x64_tanh_vi", "tanh", line.clone()),
        ("noisysines_2x64_tanh_vi", "tanh", line),
        ("kin8nm_2x128_tanh_vi", "tanh", inputs(&mut Random(3), 16, 8)),
        ("mnist_2x128_relu_vi", "relu", rows(&images, 784)),
    ];
    for (name, activation, points) in cases {
        let network = Golden::read(folder.join(format!("nets/{name}.safetensors"))).network("", activation, 0.0);
        let start = std::time::Instant::now();
        let proof = joint(&network, &points);
        eprintln!("{name}, {} inputs: {:e} {:?}", points.len(), proof.relative_bound, start.elapsed());
        proof.terms.iter().for_each(|term| eprintln!("  {term:?}"));
        assert!(proof.relative_bound < 0.1, "{name}: {}", proof.relative_bound);
    }
}
