//! Lemma 5's distance of one neuron against 400-bit arithmetic (`soundness_cases/make_sharing.py`).

use bures::certify::core::{Layer, LayerWitness, Method, Network, Prepared, Shared, TermKind, Witness, prove};
use bures::math::normal::distribution;

use crate::core_support::check_proof;

/// What the distance may be above its value: half the way to the nearest multiple of 1/128 in `t`, and the
/// root of what it takes off `c²` for the error of its sums, in units of `1/b`.
fn allowed(level: f64) -> f64 {
    let b = 2.0_f64.powf(2.0 - level / 8.0);
    0.5 / 256.0 + 0.005 / b
}

/// `N(t, 1)` rectified, an output of weight 1, and just enough noise in its bias.
fn network(t: f64, noise: f64) -> Network {
    let layer = |mean: f64, activation: &str, bias_variance: f64| Layer {
        inputs: 1,
        outputs: 1,
        mean: vec![mean],
        variance: vec![0.0],
        bias_mean: vec![0.0],
        bias_variance: vec![bias_variance],
        activation: activation.to_owned(),
        dropout: 0.0,
    };
    Network { layers: vec![layer(t, "relu", 1.0), layer(1.0, "none", noise)] }
}

#[test]
fn noise_sharing_is_sound_and_not_loose() {
    let cases = include_str!("soundness_cases/sharing.csv");
    let (mut count, mut refused, mut worst) = (0, 0, 0.0_f64);
    for line in cases.lines() {
        let [t, level, eta] = line.split(',').map(|x| x.parse().expect("a number")).collect::<Vec<f64>>()[..] else {
            panic!("{line}: three numbers");
        };
        let network = network(t, 1.01 * 2.0_f64.powf(0.25 * level - 4.0));
        let sharing = vec![Shared { neuron: 0, level: level as u32 }];
        let layers = vec![LayerWitness { sharing, ..LayerWitness::default() }];
        let prepared = Prepared::new(&network).expect("a network");
        let Ok(proof) = prove(&prepared, &[1.0], &Witness { method: Method::Tight, layers }) else {
            // A neuron as good as dead has no share of the covariance to give back.
            assert!(distribution(t) * 2.0_f64.powf(2.0 - level / 8.0) < 0.01, "t {t}, level {level}: refused");
            refused += 1;
            continue;
        };
        check_proof(&proof);
        let found = proof.terms.iter().filter(|term| term.kind == TermKind::NoiseSharing).map(|term| term.value);
        let found: f64 = found.sum();
        assert!(found >= eta && proof.bound >= eta, "t {t}, level {level}: {found} below {eta}");
        assert!(found <= eta + allowed(level), "t {t}, level {level}: {found} for {eta}");
        (count, worst) = (count + 1, worst.max((found - eta) / allowed(level)));
    }
    eprintln!("{count} cases, {refused} refused, at most {worst:.2} of what is allowed above");
    assert!(count >= 100);
}
