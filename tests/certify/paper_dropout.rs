//! Dropout in the paper's method (Appendix E).

use bures::certify::core::{Layer, Network, Prepared, Proof, TermKind, prove};
use bures::certify::propose::paper::{PaperSettings, certify_paper};

use crate::core_support::{Golden, check_proof, distance, fixtures};
use crate::paper::{ABOVE, BELOW, just_above};

fn certify(network: &Network, input: &[f64], points: usize, components: usize) -> Proof {
    let prepared = Prepared::new(network).expect("a network");
    let (proof, witness) =
        certify_paper(&prepared, &[input], PaperSettings { points, components, cross: false }).expect("a proof");
    check_proof(&proof);
    assert_eq!(prove(&prepared, input, &witness).expect("the same proof"), proof);
    proof
}

#[test]
fn the_dropout_network_of_the_fixtures() {
    let Some(folder) = fixtures() else { return };
    let network = Golden::read(folder.join("nets/mnist_1x64_relu_dropout.safetensors")).network("", "relu", 0.5);
    let golden = Golden::read(folder.join("dropout.safetensors"));
    let last = &network.layers[1];
    for point in 0..3 {
        let stem = format!("pt{point}");
        let proof = certify(&network, &golden.floats(&format!("{stem}.x")), 10, 3);
        let want = golden.floats(&format!("{stem}.out_bound_paper"))[0];
        just_above("bound", proof.bound, want, want, BELOW);
        assert!(proof.terms.iter().all(|term| matches!(term.kind, TermKind::Dropout | TermKind::Rounding)));
        assert_eq!(distance(&proof.mixture.weights, &golden.floats(&format!("{stem}.masses"))), 0.0);
        let locations = golden.floats(&format!("{stem}.locs"));
        for location in locations.chunks_exact(64) {
            let rows = last.mean.chunks_exact(64).zip(&last.bias_mean);
            let output: Vec<f64> =
                rows.map(|(row, b)| b + row.iter().zip(location).map(|(w, x)| w * x).sum::<f64>()).collect();
            let off = |mean: &[f64]| distance(mean, &output);
            let nearest = proof.mixture.means.chunks_exact(10).map(off).fold(f64::INFINITY, f64::min);
            assert!(nearest <= ABOVE * 1e-6, "{nearest:e}");
        }
    }
}

/// Fixed weights `[1, 3, 3, 1]`, dropout behind both hidden layers.
fn network(p: f64) -> Network {
    let layer = |inputs: usize, outputs: usize, seed: f64, last: bool| Layer {
        inputs,
        outputs,
        mean: (0..inputs * outputs).map(|j| ((j as f64 + seed) * 2.399).sin()).collect(),
        variance: vec![0.0; inputs * outputs],
        bias_mean: (0..outputs).map(|i| 0.2 + 0.1 * i as f64).collect(),
        bias_variance: vec![0.0; outputs],
        activation: if last { "none" } else { "tanh" }.to_owned(),
        dropout: if last { 0.0 } else { p },
    };
    Network { layers: vec![layer(1, 3, 0.3, false), layer(3, 3, 1.7, false), layer(3, 1, 4.1, true)] }
}

/// The output's law, every mask in turn: values with their probabilities.
fn every_mask(network: &Network, input: f64) -> Vec<(f64, f64)> {
    let mut law = Vec::new();
    for masks in 0..64_u32 {
        let (mut a, mut probability, mut bit) = (vec![input], 1.0, 0);
        for layer in &network.layers {
            let rows = layer.mean.chunks_exact(layer.inputs).zip(&layer.bias_mean);
            a = rows.map(|(row, b)| b + row.iter().zip(&a).map(|(w, a)| w * a).sum::<f64>()).collect();
            if layer.dropout > 0.0 {
                for x in &mut a {
                    let dropped = masks >> bit & 1 == 1;
                    probability *= if dropped { layer.dropout } else { 1.0 - layer.dropout };
                    *x = if dropped { 0.0 } else { x.tanh() / (1.0 - layer.dropout) };
                    bit += 1;
                }
            }
        }
        law.push((a[0], probability));
    }
    law
}

/// W2 of two laws of points on the line: quantile by quantile.
fn on_the_line(mut a: Vec<(f64, f64)>, mut b: Vec<(f64, f64)>) -> f64 {
    for law in [&mut a, &mut b] {
        law.sort_by(|x, y| x.0.total_cmp(&y.0));
    }
    let (mut i, mut j, mut sum) = (0, 0, 0.0);
    while i < a.len() && j < b.len() {
        let mass = a[i].1.min(b[j].1);
        sum += mass * (a[i].0 - b[j].0).powi(2);
        (a[i].1, b[j].1) = (a[i].1 - mass, b[j].1 - mass);
        if a[i].1 <= b[j].1 { i += 1 } else { j += 1 }
    }
    sum.sqrt()
}

/// The mixture's components have no width, so that both laws are points on the line and their distance is exact.
#[test]
fn no_mask_is_farther_than_the_bound() {
    for p in [0.1, 0.3, 0.5, 0.9] {
        let network = network(p);
        let mut bounds = Vec::new();
        for (points, components) in [(1, 1), (2, 2), (4, 4), (8, 8), (8, 64)] {
            let proof = certify(&network, &[0.7], points, components);
            assert!(proof.mixture.covariances.iter().all(|&v| v == 0.0));
            let mixture: Vec<(f64, f64)> =
                proof.mixture.means.iter().copied().zip(proof.mixture.weights.iter().copied()).collect();
            let apart = on_the_line(every_mask(&network, 0.7), mixture);
            assert!(apart <= proof.bound, "p = {p}, {points} points: {apart} is above {}", proof.bound);
            bounds.push(proof.bound);
        }
        // All masks of both layers: nothing is lost but rounding, which is that of masses.
        assert!(bounds[4] <= 1e-5, "p = {p}: {bounds:?}");
        assert!(bounds[3] < bounds[0], "p = {p}: {bounds:?}");
    }
}

/// Weights that are random as well: masks join signatures, and a mask costs what it costs without noise.
#[test]
fn dropout_with_random_weights() {
    let mut noisy = network(0.3);
    noisy.layers.iter_mut().for_each(|layer| layer.variance.fill(1e-4));
    let proof = certify(&noisy, &[0.7], 16, 8);
    let kinds: Vec<TermKind> = proof.terms.iter().map(|term| term.kind).collect();
    assert!(kinds.contains(&TermKind::Dropout) && kinds.contains(&TermKind::Signature), "{kinds:?}");
    let weight: f64 = proof.mixture.weights.iter().sum();
    assert_eq!(weight, 1.0);
    let none = certify(&network(0.3), &[0.7], 1, 1);
    let share =
        |proof: &Proof| proof.terms.iter().filter(|t| t.kind == TermKind::Dropout).map(|t| t.value).sum::<f64>();
    assert!(share(&proof) <= 1.1 * share(&none), "{} {}", share(&proof), share(&none));
}
