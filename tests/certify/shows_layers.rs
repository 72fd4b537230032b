//! Golden values of dense layers and of dropout, as far as one input goes.

use bures::certify::core::{Layer, Network, Prepared, Split, TermKind, prove};
use bures::certify::propose::paper::{PaperSettings, certify_paper};

use crate::core_support::{Golden, check_proof, distance, fixtures, plain_witness};

/// The layer of a case of `dense`, and its widths.
fn layer(golden: &Golden, case: &str) -> Layer {
    let shape = &golden.0.tensors[&format!("{case}.W_mean")].shape;
    Layer {
        inputs: shape[1],
        outputs: shape[0],
        mean: golden.floats(&format!("{case}.W_mean")),
        variance: golden.floats(&format!("{case}.fact.W_var")),
        bias_mean: golden.floats(&format!("{case}.b_mean")),
        bias_variance: golden.floats(&format!("{case}.fact.b_var")),
        activation: "none".to_owned(),
        dropout: 0.0,
    }
}

/// Eqn 20 with independent weights: a network of one layer has this law at every point of every atom.
#[test]
fn dense_layers_agree_with_the_golden_values() {
    let Some(folder) = fixtures() else { return };
    let golden = Golden::read(folder.join("dense.safetensors"));
    for case in ["case0", "case1", "case2"] {
        let layer = layer(&golden, case);
        let (n, outputs) = (layer.inputs, layer.outputs);
        let network = Network { layers: vec![layer] };
        let prepared = Prepared::new(&network).expect("a network");
        let points = golden.0.tensors[&format!("{case}.acts")].shape[1];
        let (means, covariances) =
            (golden.floats(&format!("{case}.fact.means")), golden.floats(&format!("{case}.fact.covs")));
        for (at, input) in golden.floats(&format!("{case}.acts")).chunks_exact(n).enumerate() {
            let proof = prove(&prepared, input, &plain_witness(&network)).expect("a proof");
            check_proof(&proof);
            let (atom, point) = (at / points, at % points);
            // The block of one point in the joint law of all.
            let joint = points * outputs;
            let mean = &means[atom * joint + point * outputs..][..outputs];
            let row = |i: usize| (atom * joint + point * outputs + i) * joint + point * outputs;
            let covariance: Vec<f64> = (0..outputs).flat_map(|i| covariances[row(i)..][..outputs].to_vec()).collect();
            assert!(distance(&proof.mixture.means, mean) <= 1e-11, "{case} {at}");
            assert!(distance(&proof.mixture.covariances, &covariance) <= 1e-11, "{case} {at}");
            assert!(proof.bound <= 1e-13, "{case} {at}: {}", proof.bound);
        }
    }
}

/// Lemma 1's constant `√λ_max(E WᵀW)` carries what a split loses, the paper's `‖M‖₂ + (Σ V)^½` what a signature does.
#[test]
fn constants_of_layers_agree_with_the_golden_values() {
    let Some(folder) = fixtures() else { return };
    let golden = Golden::read(folder.join("dense.safetensors"));
    for case in ["case0", "case1", "case2"] {
        let last = layer(&golden, case);
        let n = last.inputs;
        // One input, 1, and n neurons of variance 1.
        let first = Layer {
            inputs: 1,
            outputs: n,
            mean: vec![0.0; n],
            variance: vec![1.0; n],
            bias_mean: vec![0.0; n],
            bias_variance: vec![0.0; n],
            activation: "none".to_owned(),
            dropout: 0.0,
        };
        let network = Network { layers: vec![first, last] };
        let prepared = Prepared::new(&network).expect("a network");
        let [exact, paper] = ["exact", "paper"].map(|kind| golden.floats(&format!("{case}.fact.lip_{kind}"))[0]);

        let mut witness = plain_witness(&network);
        witness.layers[0].splits.push(Split { component: 0, coordinate: 0, points: 2 });
        let proof = prove(&prepared, &[1.0], &witness).expect("a proof");
        let split = proof.terms.iter().find(|term| term.kind == TermKind::Split).expect("a split").value;
        let want = exact * (1.0 - std::f64::consts::FRAC_2_PI).sqrt();
        assert!((0.0..=1e-6).contains(&(split / want - 1.0)), "{case}: {split} not {want}");

        let settings = PaperSettings { points: 1, components: 1, cross: false };
        let (proof, _) = certify_paper(&prepared, &[&[1.0]], settings).expect("a proof");
        let signature = proof.terms.iter().find(|term| term.kind == TermKind::Signature).expect("points").value;
        let want = paper * (n as f64).sqrt();
        assert!((0.0..=1e-6).contains(&(signature / want - 1.0)), "{case}: {signature} not {want}");
    }
}

/// Appendix E keeps three masks at random and freezes the others; a Gaussian for every mask is nearer than the bounds of both variants.
#[test]
fn dropout_is_bounded_below_the_golden_values() {
    let Some(folder) = fixtures() else { return };
    let golden = Golden::read(folder.join("dropout.safetensors"));
    let file = Golden::read(folder.join("nets/mnist_1x64_relu_dropout.safetensors"));
    let network = file.network("", "relu", 0.5);
    let prepared = Prepared::new(&network).expect("a network");
    for point in ["pt0", "pt1", "pt2"] {
        let proof = prove(&prepared, &golden.floats(&format!("{point}.x")), &plain_witness(&network)).expect("a proof");
        check_proof(&proof);
        // With fixed weights nothing but dropout is lost, and all of Lemma 2's part is (1 − 2/π) p/(1−p) Σ G_jj a_j².
        let hidden = golden.floats(&format!("{point}.hidden"));
        let next = &network.layers[1];
        let column = |j: usize| next.mean.chunks_exact(64).map(|row| row[j] * row[j]).sum::<f64>();
        let sum: f64 = hidden.iter().enumerate().map(|(j, a)| column(j) * a * a).sum();
        let want = ((1.0 - std::f64::consts::FRAC_2_PI) * sum).sqrt();
        let dropout = proof.terms.iter().find(|term| term.kind == TermKind::Dropout).expect("dropout").value;
        assert!((dropout / want - 1.0).abs() <= 1e-6, "{point}: {dropout} not {want}");
        let [paper, improved] =
            ["paper", "improved"].map(|kind| golden.floats(&format!("{point}.out_bound_{kind}"))[0]);
        eprintln!("{point}: {} instead of {improved} and the paper's {paper}", proof.bound);
        assert!(proof.bound <= improved && improved <= paper, "{point}: {} {improved} {paper}", proof.bound);
    }
}
