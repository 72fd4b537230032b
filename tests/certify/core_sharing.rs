//! Noise shared among neurons (Lemma 5): what it costs against a brute-force coupling, what it gains, and what is refused.

use bures::certify::core::{Layer, LayerWitness, Method, Network, Prepared, Proof, Shared, TermKind, Witness, prove};
use bures::math::normal::{density, distribution, quantile};

use crate::core_support::{check_proof, plain_witness};

/// One input, `N(mean, 1)` rectified in every one of `width` neurons, outputs of weight 1 and noise of the bias alone.
fn network(means: &[f64], noise: f64) -> Network {
    let width = means.len();
    let layer = |inputs: usize, outputs: usize, activation: &str| Layer {
        inputs,
        outputs,
        mean: vec![0.0; inputs * outputs],
        variance: vec![0.0; inputs * outputs],
        bias_mean: vec![0.0; outputs],
        bias_variance: vec![noise; outputs],
        activation: activation.to_owned(),
        dropout: 0.0,
    };
    let mut first = layer(1, width, "relu");
    first.mean = means.to_vec();
    first.bias_variance.fill(1.0);
    let mut last = layer(width, 1, "none");
    last.mean.fill(1.0);
    Network { layers: vec![first, last] }
}

fn shared(network: &Network, sharing: &[(u32, u32)]) -> bures::Result<Proof> {
    let sharing = sharing.iter().map(|&(neuron, level)| Shared { neuron, level }).collect();
    let layers = vec![LayerWitness { sharing, ..LayerWitness::default() }];
    prove(&Prepared::new(network)?, &[1.0], &Witness { method: Method::Tight, layers })
}

fn term(proof: &Proof, kind: TermKind) -> f64 {
    proof.terms.iter().filter(|term| term.kind == kind).map(|term| term.value).sum()
}

/// `η²` of `max(m + u, 0) + w/b` by the monotone coupling on a fine grid.
fn distance_squared(m: f64, b: f64) -> f64 {
    let (nu, step) = (b.powi(-2), 1e-3);
    let (scale, whole) = (nu.sqrt(), (1.0 + nu).sqrt());
    let (f, p) = (distribution(m), density(m));
    let variance = (m * m + 1.0) * f + m * p - (m * f + p).powi(2);
    let start = -9.0 * scale;
    let (mut below, mut coupled) = (0.0, 0.0);
    for k in 0..((m.max(0.0) + 9.0 * (scale + whole)) / step) as u32 {
        let y = start + (f64::from(k) + 0.5) * step;
        let both = density((y - m) / whole) / whole * distribution((m * nu + y) / (scale * whole));
        let here = (distribution(-m) * density(y / scale) / scale + both) * step;
        coupled += step * density(quantile((below + 0.5 * here).clamp(1e-300, 1.0 - 1e-16)));
        below += here;
    }
    variance + nu - coupled * coupled
}

#[test]
fn sharing_costs_what_the_monotone_coupling_costs() {
    for (m, level) in [(0.0, 16), (0.0, 8), (0.4137, 20), (-1.3, 12), (1.9, 10), (-0.77, 30)] {
        let nu = 2.0_f64.powf(0.25 * f64::from(level) - 4.0);
        let proof = shared(&network(&[m], 1.01 * nu), &[(0, level)]).expect("a proof");
        check_proof(&proof);
        let (got, want) = (term(&proof, TermKind::NoiseSharing), distance_squared(m, nu.powf(-0.5)).sqrt());
        assert!(got >= want && got <= want + 0.003, "{m}, level {level}: {got} for {want}");
        assert!(term(&proof, TermKind::Linearisation) < 1e-100);
    }
}

/// The mixture keeps the mean, and its variance is near the truth: `Var a + N̄`.
#[test]
fn sharing_lowers_the_bound_and_keeps_the_variance() {
    let means = [0.1, -0.4, 0.7, 4.0];
    let network = network(&means, 1.6);
    let prepared = Prepared::new(&network).expect("a network");
    let plain = prove(&prepared, &[1.0], &plain_witness(&network)).expect("a proof");
    let better = shared(&network, &[(0, 11), (1, 11), (2, 11)]).expect("a proof");
    check_proof(&better);
    assert!(better.bound < 0.6 * plain.bound, "{} of {}", better.bound, plain.bound);
    assert_eq!(better.mixture.means, plain.mixture.means);
    let square = |m: f64| (m * m + 1.0) * distribution(m) + m * density(m);
    let variance: f64 = means.iter().map(|&m| square(m) - (m * distribution(m) + density(m)).powi(2)).sum();
    let off = (better.mixture.covariances[0].sqrt() - (variance + 1.6).sqrt()).abs();
    // |sd − sd'| ≤ W2 ≤ bound.
    assert!(off <= better.bound, "{off} above {}", better.bound);
}

#[test]
fn noise_that_is_not_there_is_not_shared() {
    let nu = 0.5;
    let network = network(&[0.2, -0.1], 2.02 * nu);
    assert!(shared(&network, &[(0, 12), (1, 12)]).is_ok());
    for refused in [&[(0, 13), (1, 12)][..], &[(0, 20)], &[(0, 12), (0, 12)], &[(2, 12)], &[(0, 33)]] {
        let error = shared(&network, refused).expect_err("a refusal");
        assert!(error.to_string().contains("sharing of noise"), "{refused:?}: {error}");
    }
}
