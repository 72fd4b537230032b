//! Bounds against samples: no bound is below what a Gelbrich estimate makes sure of.

use bures::certify::core::{Layer, Network, Prepared, Proof, Shared, Split, TermKind, prove};

use crate::core_support::{check_proof, plain_witness};

/// A small generator of its own (SplitMix64), uniform in (0, 1) and normal by Box and Muller.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64 + 1e-17
    }

    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

pub(crate) fn network(random: &mut Random, widths: &[usize], activation: &str, spread: f64, dropout: f64) -> Network {
    let layer = |(k, pair): (usize, &[usize])| {
        let (inputs, outputs) = (pair[0], pair[1]);
        let last = k + 2 == widths.len();
        let scale = (1.0 / inputs as f64).sqrt();
        let mut variances = |n: usize| (0..n).map(|_| (spread * random.normal()).powi(2)).collect::<Vec<f64>>();
        let (variance, bias_variance) = (variances(inputs * outputs), variances(outputs));
        Layer {
            inputs,
            outputs,
            mean: (0..inputs * outputs).map(|_| scale * random.normal()).collect(),
            variance,
            bias_mean: (0..outputs).map(|_| 0.3 * random.normal()).collect(),
            bias_variance,
            activation: if last { "none" } else { activation }.to_owned(),
            dropout: if last { 0.0 } else { dropout },
        }
    };
    Network { layers: widths.windows(2).enumerate().map(layer).collect() }
}

/// A sample of the output: given `a`, the outputs of a layer are independent Gaussians.
fn sample(network: &Network, input: &[f64], random: &mut Random) -> f64 {
    let mut a = input.to_vec();
    for layer in &network.layers {
        let mut z = Vec::with_capacity(layer.outputs);
        for i in 0..layer.outputs {
            let row = i * layer.inputs..(i + 1) * layer.inputs;
            let mean: f64 = layer.mean[row.clone()].iter().zip(&a).map(|(w, a)| w * a).sum();
            let variance: f64 = layer.variance[row].iter().zip(&a).map(|(v, a)| v * a * a).sum();
            z.push(mean + layer.bias_mean[i] + (variance + layer.bias_variance[i]).sqrt() * random.normal());
        }
        let keep = 1.0 - layer.dropout;
        a = z
            .into_iter()
            .map(|z| match layer.activation.as_str() {
                "relu" => z.max(0.0),
                "tanh" => z.tanh(),
                _ => z,
            })
            .map(|a| if layer.dropout == 0.0 || random.uniform() < keep { a / keep } else { 0.0 })
            .collect();
    }
    a[0]
}

#[test]
fn bounds_are_not_below_gelbrich_estimates() {
    let mut random = Random(7);
    let settings = [
        ("relu", 0.1, 0.0),
        ("relu", 0.6, 0.0),
        ("relu", 0.3, 0.4),
        ("relu", 0.0, 0.5),
        ("tanh", 0.2, 0.0),
        ("tanh", 1.0, 0.0),
        ("tanh", 0.3, 0.2),
        ("none", 0.5, 0.3),
    ];
    for (activation, spread, dropout) in settings {
        for widths in [&[2, 5, 1][..], &[2, 6, 4, 1], &[2, 1, 1, 3, 1]] {
            let network = network(&mut random, widths, activation, spread, dropout);
            let prepared = Prepared::new(&network).expect("a network");
            let input = [1.0, -0.7];
            let proof = prove(&prepared, &input, &plain_witness(&network)).expect("a proof");
            check_proof(&proof);
            let (lower, gap) = gelbrich(&network, &input, &proof, &mut random);
            assert!(proof.bound >= lower, "{activation} {spread} {dropout} {widths:?}: {} < {lower}", proof.bound);
            // Mean and variance are near, so that the bound is about this network.
            assert!(gap <= proof.bound && (proof.bound > 0.0 || spread == 0.0));
        }
    }
}

/// A distance that samples make sure of, by six standard errors of mean and variance, and the part of the means alone.
fn gelbrich(network: &Network, input: &[f64], proof: &Proof, random: &mut Random) -> (f64, f64) {
    let n = 40_000;
    let outputs: Vec<f64> = (0..n).map(|_| sample(network, input, random)).collect();
    let mean = outputs.iter().sum::<f64>() / f64::from(n);
    let moment = |k: i32| outputs.iter().map(|x| (x - mean).powi(k)).sum::<f64>() / f64::from(n);
    let (variance, fourth) = (moment(2), moment(4));
    let off_mean = 6.0 * (variance / f64::from(n)).sqrt();
    let off_variance = 6.0 * ((fourth - variance * variance).max(0.0) / f64::from(n)).sqrt();
    let parts = || proof.mixture.weights.iter().zip(&proof.mixture.means).zip(&proof.mixture.covariances);
    let stored_mean: f64 = parts().map(|((w, m), _)| w * m).sum();
    let stored = parts().map(|((w, m), v)| w * (v + (m - stored_mean).powi(2))).sum::<f64>();
    let gap = (mean - stored_mean).abs() - off_mean;
    let spread_gap = ((variance - stored).abs() - off_variance) / (variance.sqrt() + stored.sqrt() + 1e-9);
    (gap.max(0.0).hypot(spread_gap.max(0.0)), gap)
}

/// Components cut, merged and cut again, with noise shared: the mixture keeps its weights exactly, its bound stays sound.
#[test]
fn bounds_of_every_kind_of_witness_are_not_below_gelbrich_estimates() {
    let mut random = Random(11);
    let cut = |component, coordinate, points| Split { component, coordinate, points };
    let mut shared = 0;
    for (activation, spread) in [("relu", 0.4), ("relu", 0.8), ("tanh", 0.5), ("none", 0.5)] {
        for widths in [&[2, 4, 3, 1][..], &[2, 3, 2, 2, 1]] {
            let network = network(&mut random, widths, activation, spread, 0.0);
            let prepared = Prepared::new(&network).expect("a network");
            let mut witness = plain_witness(&network);
            witness.layers[0].splits = vec![cut(0, 1, 4), cut(1, 2, 3)];
            witness.layers[1].labels = vec![0, 1, 1, 2, 0, 2];
            witness.layers[1].splits = vec![cut(2, 0, 2), cut(0, 1, 3)];
            let mut sharing = witness.clone();
            sharing.layers[0].sharing = vec![Shared { neuron: 0, level: 0 }];
            let input = [1.0, -0.7];
            for witness in [witness, sharing] {
                let Ok(proof) = prove(&prepared, &input, &witness) else { continue };
                check_proof(&proof);
                assert_eq!(proof.mixture.weights.iter().sum::<f64>(), 1.0);
                assert_eq!(proof.mixture.weights.len(), 6);
                let kinds = |kind| proof.terms.iter().any(|term| term.kind == kind && term.value > 1e-9);
                assert!(kinds(TermKind::Compression) && kinds(TermKind::Split), "{:?}", proof.terms);
                shared += usize::from(kinds(TermKind::NoiseSharing));
                let (lower, gap) = gelbrich(&network, &input, &proof, &mut random);
                assert!(proof.bound >= lower, "{activation} {spread} {widths:?}: {} < {lower}", proof.bound);
                assert!(gap <= proof.bound);
            }
        }
    }
    assert!(shared > 0, "no noise was shared");
}

#[test]
fn clusters_that_do_not_fit_are_refused() {
    let network = network(&mut Random(3), &[1, 2, 2, 1], "relu", 0.5, 0.0);
    let prepared = Prepared::new(&network).expect("a network");
    for labels in [vec![0, 0], vec![0, 2, 0], vec![0, 1, u32::MAX]] {
        let mut witness = plain_witness(&network);
        witness.layers[0].splits = vec![Split { component: 0, coordinate: 0, points: 3 }];
        witness.layers[1].labels = labels.clone();
        let error = prove(&prepared, &[1.0], &witness).expect_err("a refusal");
        assert!(error.to_string().contains("clusters"), "{labels:?}: {error}");
    }
}
