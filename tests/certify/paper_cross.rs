//! Cross-shaped signatures in the paper's method (Algorithms 4 and 5).

use std::f64::consts::PI;

use bures::certify::core::{Method, Network, Prepared, Proof, TermKind, prove};
use bures::certify::propose::paper::{PaperSettings, certify_paper};
use bures::math::cross::Cross;

use crate::core_support::{check_proof, distance};
use crate::paper::{moments, uniform};

fn certify(network: &Network, input: &[f64], points: usize, components: usize) -> Proof {
    let prepared = Prepared::new(network).expect("a network");
    let settings = PaperSettings { points, components, cross: true };
    let (proof, witness) = certify_paper(&prepared, &[input], settings).expect("a proof");
    check_proof(&proof);
    assert_eq!(witness.method, Method::PaperCross);
    assert_eq!(prove(&prepared, input, &witness).expect("the same proof"), proof);
    assert_eq!(proof.mixture.weights.iter().sum::<f64>(), 1.0);
    proof
}

/// A cross has the Gaussian's mean and covariance, and a linear layer keeps them: the mixture's are the network's own.
#[test]
fn linear_networks_keep_their_moments() {
    let network = uniform(&[2, 5, 3], "none", 0.3, 0.2);
    let (first, last) = (&network.layers[0], &network.layers[1]);
    let input = [0.6, -1.2];
    let dot = |row: &[f64], x: &[f64]| row.iter().zip(x).map(|(a, b)| a * b).sum::<f64>();
    let mean: Vec<f64> =
        first.mean.chunks_exact(2).zip(&first.bias_mean).map(|(row, b)| dot(row, &input) + b).collect();
    let squares = [0.36, 1.44];
    let variance: Vec<f64> =
        first.variance.chunks_exact(2).zip(&first.bias_variance).map(|(row, b)| dot(row, &squares) + b).collect();
    let want_mean: Vec<f64> =
        last.mean.chunks_exact(5).zip(&last.bias_mean).map(|(row, b)| dot(row, &mean) + b).collect();
    let second: Vec<f64> = mean.iter().zip(&variance).map(|(m, v)| m * m + v).collect();
    let mut want = vec![0.0; 9];
    for (at, entry) in want.iter_mut().enumerate() {
        let (i, k) = (at / 3, at % 3);
        *entry = (0..5).map(|j| last.mean[i * 5 + j] * variance[j] * last.mean[k * 5 + j]).sum();
        *entry += if i == k { dot(&last.variance[i * 5..][..5], &second) + last.bias_variance[i] } else { 0.0 };
    }
    for points in [1, 10, 40, 300] {
        let proof = certify(&network, &input, points, 1);
        assert_eq!(proof.mixture.weights.len(), 10 * (points / 10).max(1));
        let (mean, covariance) = moments(&proof);
        let off = [distance(&mean, &want_mean), distance(&covariance, &want)];
        assert!(off[0] <= 1e-9 && off[1] <= 1e-9, "{points} points: {off:?}");
    }
}

/// One shell has the radius `√n`: `W_Δ² = tr Σ (2 − 2 (2/πn)^½)`, not below the bound of a better coupling of the same points.
#[test]
fn the_signature_costs_what_it_should() {
    let network = uniform(&[1, 6, 2], "tanh", 0.4, 0.3);
    let prepared = |points: usize| certify(&network, &[1.3], points, 1);
    let share =
        |proof: &Proof, kind: TermKind| proof.terms.iter().filter(|t| t.kind == kind).map(|t| t.value).sum::<f64>();
    // One point alone costs tr Σ: the rest of the term is the layer's constant.
    let settings = PaperSettings { points: 1, components: 1, cross: false };
    let network_ready = Prepared::new(&network).expect("a network");
    let (single, _) = certify_paper(&network_ready, &[&[1.3]], settings).expect("a proof");
    let whole = share(&single, TermKind::Signature).powi(2);
    let one = share(&prepared(1), TermKind::Signature).powi(2) / whole;
    let want = 2.0 - 2.0 * (2.0 / (6.0 * PI)).sqrt();
    assert!((one - want).abs() <= 1e-6 * want, "{one} instead of {want}");
    for points in [1, 24, 60] {
        let got = share(&prepared(points), TermKind::Signature).powi(2) / whole;
        let formal = Cross::new(6, points).expect("a cross").formal_bound(1.0);
        assert!(got >= formal * (1.0 - 1e-6) && got <= 2.0, "{points} points: {got}, {formal}");
    }
}

/// In one dimension a cross is a quantizer: more points, a smaller bound.
#[test]
fn one_dimension_converges() {
    let network = uniform(&[1, 1, 1], "tanh", 0.7, 0.3);
    let bounds = [2, 8, 32].map(|points| certify(&network, &[1.0], points, 4).bound);
    assert!(bounds[1] < 0.5 * bounds[0] && bounds[2] < 0.5 * bounds[1], "{bounds:?}");
}

#[test]
fn crosses_that_do_not_fit_are_refused() {
    let network = uniform(&[1, 2, 2, 1], "relu", 0.5, 0.4);
    let prepared = Prepared::new(&network).expect("a network");
    let settings = PaperSettings { points: 4, components: 2, cross: true };
    let (_, good) = certify_paper(&prepared, &[&[1.0]], settings).expect("a proof");
    for shape in [&[][..], &[3, 1], &[2, 0], &[2, 1 << 20], &[1, 1, 1]] {
        let mut witness = good.clone();
        witness.layers[1].shapes[0] = shape.to_vec();
        assert!(prove(&prepared, &[1.0], &witness).is_err(), "{shape:?}");
    }
    // Fewer axes make another signature, not a wrong one.
    let mut fewer = good.clone();
    fewer.layers[1].shapes[0] = vec![1, 1];
    check_proof(&prove(&prepared, &[1.0], &fewer).expect("a proof"));
}
