//! What no proof is about, and what ends without a certificate.

use bures::certify::core::{Layer, Method, Network, Prepared, Proof, prove};

use crate::core_support::{check_proof, plain_witness};

fn layer(inputs: usize, outputs: usize, activation: &str) -> Layer {
    Layer {
        inputs,
        outputs,
        mean: (0..inputs * outputs).map(|k| 0.3 - 0.1 * k as f64).collect(),
        variance: vec![0.01; inputs * outputs],
        bias_mean: vec![0.1; outputs],
        bias_variance: vec![0.01; outputs],
        activation: activation.to_owned(),
        dropout: 0.0,
    }
}

fn network() -> Network {
    Network { layers: vec![layer(2, 3, "relu"), layer(3, 3, "relu"), layer(3, 2, "none")] }
}

fn proof(network: &Network, input: &[f64]) -> bures::Result<Proof> {
    prove(&Prepared::new(network)?, input, &plain_witness(network))
}

#[test]
fn broken_networks_are_refused() {
    type Break = fn(&mut Network);
    let table: [(Break, &str); 9] = [
        (|n| n.layers.clear(), "without layers"),
        (|n| n.layers[1].inputs = 4, "layer 2 with 3 inputs"),
        (|n| n.layers[0].mean.truncate(5), "weight means in layer 1"),
        (|n| n.layers[1].variance[2] = -1e-300, "weight variances"),
        (|n| n.layers[2].bias_variance[0] = f64::NAN, "bias variances"),
        (|n| n.layers[2].bias_mean[0] = f64::INFINITY, "bias means"),
        (|n| n.layers[0].activation = "gelu".to_owned(), "activation gelu"),
        (|n| n.layers[2].activation = "relu".to_owned(), "last layer"),
        (|n| n.layers[0].dropout = 1.0, "dropout 1"),
    ];
    for (change, message) in table {
        let mut broken = network();
        change(&mut broken);
        let Err(error) = Prepared::new(&broken) else { panic!("{message}: accepted") };
        assert!(error.to_string().contains(message), "{error}, not {message}");
    }
}

#[test]
fn inputs_and_witnesses_that_do_not_fit_are_refused() {
    let network = network();
    assert!(proof(&network, &[1.0]).is_err());
    assert!(proof(&network, &[1.0, f64::NAN]).is_err());
    let prepared = Prepared::new(&network).expect("a network");
    let mut short = plain_witness(&network);
    short.layers.pop();
    assert!(prove(&prepared, &[1.0, 1.0], &short).is_err());
    let mut other = plain_witness(&network);
    other.method = Method::PaperCross;
    assert!(prove(&prepared, &[1.0, 1.0], &other).is_err());
}

/// Numbers that leave the range of f64 on the way: an error, never a small bound.
#[test]
fn overflow_is_no_certificate() {
    for size in [1e160, 1e300] {
        let mut huge = network();
        huge.layers[1].mean.iter_mut().for_each(|m| *m *= size);
        huge.layers[2].variance.iter_mut().for_each(|v| *v *= size);
        let error = proof(&huge, &[1.0, 1e10]).expect_err("no certificate");
        assert!(error.to_string().contains("no certificate"), "{error}");
    }
}

/// A network without randomness has one output, which the mixture gives up to rounding.
#[test]
fn deterministic_networks_are_exact_up_to_rounding() {
    let mut fixed = network();
    for layer in &mut fixed.layers {
        layer.variance.fill(0.0);
        layer.bias_variance.fill(0.0);
    }
    let proof = proof(&fixed, &[1.0, -0.5]).expect("a proof");
    check_proof(&proof);
    assert!(proof.bound < 1e-13 && proof.mixture.covariances.iter().all(|&c| c < 1e-30), "{proof:?}");
}

#[test]
fn a_proof_has_the_same_bits_every_time() {
    let network = network();
    let first = proof(&network, &[0.3, -2.0]).expect("a proof");
    assert_eq!(first, proof(&network, &[0.3, -2.0]).expect("a proof"));
}
