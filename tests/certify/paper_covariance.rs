//! Layers whose weights are correlated (Eqn 20 (b)).

use bures::certify::core::{Layer, Network, Prepared, prove};
use bures::certify::propose::paper::{PaperSettings, certify_paper};

use crate::core_support::{Golden, check_proof, distance, fixtures, plain_witness};
use crate::paper::uniform;

const COARSE: PaperSettings = PaperSettings { points: 10, components: 3, cross: false };

/// Golden laws of a dense layer, with independent and with correlated weights, at one input and at several.
#[test]
fn a_dense_layer_is_exact() {
    let Some(folder) = fixtures() else { return };
    let golden = Golden::read(folder.join("dense.safetensors"));
    for case in 0..3 {
        let shape = golden.0.tensors[&format!("case{case}.acts")].shape.clone();
        let [atoms, points, inputs] = shape[..] else { panic!("{shape:?}") };
        let acts = golden.floats(&format!("case{case}.acts"));
        let bias_mean = golden.floats(&format!("case{case}.b_mean"));
        for (kind, weights, biases) in
            [("fact", "fact.W_var", "fact.b_var"), ("full", "full.W_cov_colstack", "full.b_cov")]
        {
            let layer = Layer {
                inputs,
                outputs: bias_mean.len(),
                mean: golden.floats(&format!("case{case}.W_mean")),
                variance: golden.floats(&format!("case{case}.{weights}")),
                bias_mean: bias_mean.clone(),
                bias_variance: golden.floats(&format!("case{case}.{biases}")),
                activation: "none".to_owned(),
                dropout: 0.0,
            };
            let prepared = Prepared::new(&Network { layers: vec![layer] }).expect("a layer");
            let want = [format!("case{case}.{kind}.means"), format!("case{case}.{kind}.covs")];
            let [means, covariances] = want.map(|name| golden.floats(&name));
            let width = points * bias_mean.len();
            for k in 0..atoms {
                let rows: Vec<&[f64]> = acts[k * points * inputs..][..points * inputs].chunks_exact(inputs).collect();
                let (proof, _) = certify_paper(&prepared, &rows, COARSE).expect("a proof");
                check_proof(&proof);
                let mean = distance(&proof.mixture.means, &means[k * width..][..width]);
                let covariance =
                    distance(&proof.mixture.covariances, &covariances[k * width * width..][..width * width]);
                assert!(mean <= 1e-12 && covariance <= 1e-12, "case {case} {kind}: {mean:e} {covariance:e}");
                assert!(proof.relative_bound <= 1e-6, "case {case} {kind}: rounding only, {:e}", proof.relative_bound);
            }
        }
    }
}

/// The same law, its variances spread out to a covariance.
fn spread_out(network: &Network) -> Network {
    let diagonal = |values: Vec<f64>| -> Vec<f64> {
        let n = values.len();
        (0..n * n).map(|at| if at / n == at % n { values[at / n] } else { 0.0 }).collect()
    };
    let layers = network.layers.iter().map(|layer| {
        let columns = (0..layer.inputs).flat_map(|j| layer.variance.iter().skip(j).step_by(layer.inputs).copied());
        let (variance, bias_variance) = (diagonal(columns.collect()), diagonal(layer.bias_variance.clone()));
        Layer { variance, bias_variance, ..layer.clone() }
    });
    Network { layers: layers.collect() }
}

#[test]
fn independent_weights_written_as_a_covariance() {
    for activation in ["relu", "tanh"] {
        let mut network = uniform(&[2, 5, 4, 2], activation, 0.3, 0.2);
        network.layers[1].variance.iter_mut().enumerate().for_each(|(at, v)| *v *= 1.0 + at as f64);
        network.layers[2].variance[3] = 0.0;
        let (plain, full) = (Prepared::new(&network).expect("a network"), spread_out(&network));
        let full = Prepared::new(&full).expect("a network");
        for inputs in [&[&[0.5, -1.0][..]][..], &[&[0.5, -1.0], &[1.5, 0.2]]] {
            let (want, _) = certify_paper(&plain, inputs, COARSE).expect("a proof");
            let (got, witness) = certify_paper(&full, inputs, COARSE).expect("a proof");
            check_proof(&got);
            assert!((got.bound / want.bound - 1.0).abs() <= 1e-6, "{activation}: {} {}", got.bound, want.bound);
            assert!((got.second_moment / want.second_moment - 1.0).abs() <= 1e-9);
            if let [input] = inputs {
                assert_eq!(prove(&full, input, &witness).expect("the same proof"), got);
            }
        }
    }
}

/// All weights of a neuron equal: its variance is `(Σ a)²` in place of `Σ a²`.
#[test]
fn correlation_counts() {
    let (inputs, outputs) = (3, 2);
    let mut network = uniform(&[inputs, outputs], "relu", 0.3, 0.25);
    let n = inputs * outputs;
    let mut covariance = vec![0.0; n * n];
    for (at, entry) in covariance.iter_mut().enumerate() {
        let ((j, i), (l, k)) = ((at / n / outputs, at / n % outputs), (at % n / outputs, at % n % outputs));
        *entry = if i == k { 0.25 + if j == l { 1e-6 } else { 0.0 } } else { 0.0 };
    }
    network.layers[0].variance = covariance;
    network.layers[0].bias_variance = vec![0.25, 0.0, 0.0, 0.25];
    let prepared = Prepared::new(&network).expect("a network");
    let (proof, _) = certify_paper(&prepared, &[&[1.0, -2.0, 4.0]], COARSE).expect("a proof");
    let want = 0.25 * 9.0 + 1e-6 * 21.0 + 0.25;
    for (at, got) in proof.mixture.covariances.iter().enumerate() {
        let want = if at % 3 == 0 { want } else { 0.0 };
        assert!((got - want).abs() <= 1e-12, "{at}: {got}");
    }
}

#[test]
fn what_is_no_covariance_is_refused() {
    let good = spread_out(&uniform(&[2, 2, 1], "tanh", 0.3, 0.2));
    let refused = |change: &dyn Fn(&mut Layer), words: &str| {
        let mut network = good.clone();
        change(&mut network.layers[0]);
        let why = Prepared::new(&network).err().expect(words).to_string();
        assert!(why.contains(words), "{why}");
    };
    refused(&|l| l.variance[1] = 0.1, "weights is not symmetric");
    refused(&|l| l.variance[0] = f64::NAN, "NaN among the weight variances");
    refused(&|l| l.bias_variance[3] = -0.1, "biases is not proved to be positive semidefinite");
    refused(&|l| (l.variance[1], l.variance[4]) = (0.21, 0.21), "weights is not proved to be positive semidefinite");
    refused(&|l| (l.variance[0], l.variance[1], l.variance[4]) = (0.0, 0.1, 0.1), "add a little to its diagonal");
    refused(&|l| l.variance.truncate(3), "weight variances");
    let prepared = Prepared::new(&good).expect("a network");
    let why = prove(&prepared, &[1.0, 2.0], &plain_witness(&good)).expect_err("tight").to_string();
    assert!(why.contains("--method paper"), "{why}");
}
