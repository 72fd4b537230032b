//! Splits: what they gain, and that any of them is sound.

use bures::certify::core::{Layer, Network, Prepared, Split, TermKind, prove};

use crate::core_support::{check_proof, plain_witness};

/// One input, `width` hidden neurons at their kinks with variance 1, one deterministic output.
fn kinks(width: usize) -> Network {
    let first = Layer {
        inputs: 1,
        outputs: width,
        mean: vec![0.0; width],
        variance: vec![1.0; width],
        bias_mean: vec![0.0; width],
        bias_variance: vec![0.0; width],
        activation: "relu".to_owned(),
        dropout: 0.0,
    };
    let last = Layer {
        inputs: width,
        outputs: 1,
        mean: vec![1.0; width],
        variance: vec![0.0; width],
        bias_mean: vec![0.0],
        bias_variance: vec![0.0],
        activation: "none".to_owned(),
        dropout: 0.0,
    };
    Network { layers: vec![first, last] }
}

/// Split into n cells at its kink, a neuron is linear inside all cells but those there: the linearisation's part goes to 0, the
/// split's own part is `√(n D(n) …)`; with the optimal quantizer `n² D(n) → √3 π/2`.
#[test]
fn a_split_costs_what_its_quantizer_costs() {
    let network = kinks(1);
    let prepared = Prepared::new(&network).expect("a network");
    for (points, distortion) in [(2, 1.0 - std::f64::consts::FRAC_2_PI), (10, 0.022_937_052_90), (1000, 2.720_7e-6)] {
        let mut witness = plain_witness(&network);
        witness.layers[0].splits.push(Split { component: 0, coordinate: 0, points });
        let proof = prove(&prepared, &[1.0], &witness).expect("a proof");
        check_proof(&proof);
        let cost = proof.terms.iter().find(|term| term.kind == TermKind::Split).expect("a split").value;
        assert!((cost * cost / distortion - 1.0).abs() < 0.005, "{points} points: {} not {distortion}", cost * cost);
        assert_eq!(proof.mixture.weights.len(), points as usize);
        assert_eq!(proof.mixture.weights.iter().sum::<f64>(), 1.0);
        let linear: f64 =
            proof.terms.iter().filter(|term| term.kind == TermKind::Linearisation).map(|term| term.value).sum();
        assert!(linear < 1e-9, "a fixed neuron is not linear: {linear:e}");
    }
}

/// Splits of both hidden layers in every order make sound proofs whose mixture keeps mean and covariance in sight.
#[test]
fn many_splits_reach_small_bounds() {
    let network = kinks(2);
    let prepared = Prepared::new(&network).expect("a network");
    let whole = prove(&prepared, &[1.0], &plain_witness(&network)).expect("a proof").bound;
    let mut last = whole;
    for points in [16, 64, 192] {
        let mut witness = plain_witness(&network);
        let splits = &mut witness.layers[0].splits;
        splits.push(Split { component: 0, coordinate: 0, points });
        splits.push(Split { component: 0, coordinate: 1, points });
        (0..points - 1).for_each(|k| splits.push(Split { component: k + 1, coordinate: 1, points }));
        let proof = prove(&prepared, &[1.0], &witness).expect("a proof");
        check_proof(&proof);
        assert!(proof.bound < 0.5 * last, "{points}: {} after {last}", proof.bound);
        last = proof.bound;
    }
    assert!(last < 0.1 * whole, "{last} of {whole}");
}

#[test]
fn impossible_splits_are_refused() {
    let network = kinks(2);
    let prepared = Prepared::new(&network).expect("a network");
    let refused = [
        Split { component: 1, coordinate: 0, points: 2 },
        Split { component: 0, coordinate: 2, points: 2 },
        Split { component: 0, coordinate: 0, points: 1 },
        Split { component: 0, coordinate: 0, points: (1 << 17) + 1 },
    ];
    for split in refused {
        let mut witness = plain_witness(&network);
        witness.layers[0].splits.push(split.clone());
        let error = prove(&prepared, &[1.0], &witness).expect_err("a refusal");
        assert!(error.to_string().contains("no split of component"), "{split:?}: {error}");
    }
}

/// Beyond the stored quantizers a cut goes on to cost what theory says: `π√3/(2n²)` of the variance (Panter and Dite), with nothing lost to
/// rounding.
#[test]
fn fine_cuts_cost_what_theory_says() {
    let network = kinks(1);
    let prepared = Prepared::new(&network).expect("a network");
    let bounds = [1_000, 1_001, 10_000].map(|points| {
        let mut witness = plain_witness(&network);
        witness.layers[0].splits.push(Split { component: 0, coordinate: 0, points });
        let proof = prove(&prepared, &[1.0], &witness).expect("a proof");
        let term = proof.terms.iter().find(|term| term.kind == TermKind::Split).expect("a split");
        term.value * f64::from(points)
    });
    let [stored, next, fine] = bounds;
    assert!((next / stored - 1.0).abs() < 2e-3, "{bounds:?}");
    assert!((fine / stored - 1.0).abs() < 3e-3, "{bounds:?}");
}
