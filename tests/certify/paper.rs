//! The paper's method against golden values of its recursion, theory and degenerate networks.

use bures::certify::core::{
    Layer, LayerWitness, Method, Network, Prepared, Proof, Stacked, TermKind, Witness, prove, prove_paper,
};
use bures::certify::propose::paper::{PaperSettings, certify_paper, shapes};
use bures::io::TensorData;

use crate::core_support::{Golden, check_proof, distance, fixtures};

/// The golden values are exact to 1e-11. Here cells have masses that are multiples of 2⁻⁵³, a cluster's distance is the root of a
/// difference, and `‖M‖₂` is proved by a shift that is 1e-7 above it: what is printed may be this much above the golden value.
pub(crate) const ABOVE: f64 = 1e-6;

/// A bound may be below the golden value by the golden value's rounding alone.
pub(crate) const BELOW: f64 = 1e-10;

/// The same where that is the root of a difference that cancels: `W_R` of equal components.
pub(crate) const BELOW_ROOT: f64 = 1e-7;

#[track_caller]
pub(crate) fn just_above(what: &str, got: f64, want: f64, size: f64, below: f64) {
    let off = got - want;
    assert!((-below * size..=ABOVE * size).contains(&off), "{what}: {got:e} instead of {want:e}, off by {off:.1e}");
}

pub(crate) fn integers(golden: &Golden, name: &str) -> Vec<u32> {
    match &golden.0.tensors[name].data {
        TensorData::I64(values) => values.iter().map(|&x| u32::try_from(x).expect("a label")).collect(),
        other => panic!("{name} holds no integers: {other:?}"),
    }
}

/// Labels of a golden file, whose components come in another order: each of ours takes the label of the nearest.
pub(crate) fn matched(arriving: &[Stacked], means: &[f64], labels: &[u32]) -> Vec<u32> {
    let apart = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
    let nearest = |component: &Stacked| {
        let costs = means.chunks_exact(component.mean.len()).map(|mean| apart(&component.mean, mean));
        let best = costs.enumerate().min_by(|a, b| a.1.total_cmp(&b.1)).expect("a component");
        assert!(best.1 <= 1e-12, "no golden component is near: {:e}", best.1);
        labels[best.0]
    };
    arriving.iter().map(nearest).collect()
}

/// The terms of a layer, divided by what carried them to the output: `W_R`, `W_Δ`.
fn share(proof: &Proof, layer: usize, kind: TermKind, factor: f64) -> f64 {
    proof.terms.iter().filter(|t| t.layer == layer && t.kind == kind).map(|t| t.value).sum::<f64>() / factor
}

/// Compares layer terms and bound with `[W_R, W_R by assignment, W_Δ, L, E_in, E_out]` and `[bound, E‖z‖², relative bound]`.
pub(crate) fn compare(golden: &Golden, stem: &str, bound: &str, proof: &Proof) {
    let scalars = |layer: usize| golden.floats(&format!("{stem}.layer{layer}.scalars_WR_WRassign_WD_L_Ein_Eout"));
    let factors = [scalars(1)[3] * scalars(2)[3], scalars(2)[3]];
    for (layer, factor) in [1, 2].into_iter().zip(factors) {
        let want = scalars(layer);
        let size = want[1] + want[2];
        just_above("W_R", share(proof, layer, TermKind::Compression, factor), want[1], size, BELOW_ROOT);
        just_above("W_D", share(proof, layer, TermKind::Signature, factor), want[2], size, BELOW);
    }
    let want = golden.floats(&format!("{stem}.{bound}"));
    just_above("bound", proof.bound, want[0], want[0], BELOW_ROOT);
    assert!((proof.second_moment - want[1]).abs() <= ABOVE * want[1], "{} {}", proof.second_moment, want[1]);
    just_above("relative bound", proof.relative_bound, want[2], want[2], BELOW_ROOT);
}

/// Mean and covariance of a mixture.
pub(crate) fn moments(proof: &Proof) -> (Vec<f64>, Vec<f64>) {
    let (mixture, n) = (&proof.mixture, proof.mixture.width);
    let (mut mean, mut covariance) = (vec![0.0; n], vec![0.0; n * n]);
    for (weight, own) in mixture.weights.iter().zip(mixture.means.chunks_exact(n)) {
        mean.iter_mut().zip(own).for_each(|(sum, x)| *sum += weight * x);
    }
    let parts = mixture.weights.iter().zip(mixture.means.chunks_exact(n)).zip(mixture.covariances.chunks_exact(n * n));
    for ((weight, own), spread) in parts {
        for (at, sum) in covariance.iter_mut().enumerate() {
            let (i, j) = (at / n, at % n);
            *sum += weight * (spread[at] + (own[i] - mean[i]) * (own[j] - mean[j]));
        }
    }
    (mean, covariance)
}

#[test]
fn tiny_networks_agree_with_the_golden_recursion() {
    let Some(folder) = fixtures() else { return };
    let golden = Golden::read(folder.join("tiny_net.safetensors"));
    for activation in ["relu", "tanh"] {
        let stem = format!("{activation}.single");
        let network = golden.network(&format!("{activation}.net."), activation, 0.0);
        let prepared = Prepared::new(&network).expect("a network");
        let input = &golden.floats(&format!("{activation}.X"))[..2];
        let given = |index: usize, arriving: &[Stacked]| {
            let layer = format!("{stem}.layer{}", index + 1);
            let weights = golden.floats(&format!("{layer}.q.weights"));
            assert_eq!(arriving.len(), weights.len());
            let labels = integers(&golden, &format!("{layer}.labels"));
            let labels = matched(arriving, &golden.floats(&format!("{layer}.q.means")), &labels);
            let shapes = shapes(arriving, &labels, 10)?;
            Ok(LayerWitness { labels, shapes, ..LayerWitness::default() })
        };
        let (proof, witness) = prove_paper(&prepared, &[input], Method::PaperGrid, given).expect("a proof");
        check_proof(&proof);
        compare(&golden, &stem, "bound_m2_rel", &proof);
        assert_eq!(prove(&prepared, input, &witness).expect("the same proof"), proof);
        let (mean, covariance) = moments(&proof);
        let mean = distance(&mean, &golden.floats(&format!("{stem}.out.mixture_mean")));
        let covariance = distance(&covariance, &golden.floats(&format!("{stem}.out.mixture_cov")));
        assert!(mean <= ABOVE && covariance <= ABOVE, "{mean:e} {covariance:e}");
        same_set(&proof, &golden, &stem);
    }
}

/// Every component of the output has its golden twin.
fn same_set(proof: &Proof, golden: &Golden, stem: &str) {
    let [weights, means, covariances] =
        ["weights", "means", "covs"].map(|part| golden.floats(&format!("{stem}.out.{part}")));
    let (mixture, n) = (&proof.mixture, proof.mixture.width);
    assert_eq!(mixture.weights.len(), weights.len());
    let row = |weights: &[f64], means: &[f64], covariances: &[f64], c: usize| {
        let mut row = vec![weights[c]];
        row.extend(&means[c * n..][..n]);
        row.extend(&covariances[c * n * n..][..n * n]);
        row
    };
    for c in 0..weights.len() {
        let want = row(&weights, &means, &covariances, c);
        let off = |k: usize| distance(&row(&mixture.weights, &mixture.means, &mixture.covariances, k), &want);
        let nearest = (0..weights.len()).map(off).fold(f64::INFINITY, f64::min);
        assert!(nearest <= 1e-8, "component {c} is off by {nearest:e}");
    }
}

#[test]
fn mnist_network_agrees_with_the_golden_recursion() {
    let Some(folder) = fixtures() else { return };
    let network = Golden::read(folder.join("nets/mnist_2x128_relu_vi.safetensors")).network("", "relu", 0.0);
    let golden = Golden::read(folder.join("mnist_2x128.safetensors"));
    let prepared = Prepared::new(&network).expect("a network");
    for (point, input) in golden.floats("X").chunks_exact(784).enumerate() {
        let stem = format!("pt{point}");
        let given = |index: usize, arriving: &[Stacked]| {
            let labels = integers(&golden, &format!("{stem}.layer{}.labels", index + 1));
            let shapes = shapes(arriving, &labels, 10)?;
            Ok(LayerWitness { labels, shapes, ..LayerWitness::default() })
        };
        let (proof, _) = prove_paper(&prepared, &[input], Method::PaperGrid, given).expect("a proof");
        check_proof(&proof);
        let settings = PaperSettings { points: 10, components: 3, cross: false };
        let start = std::time::Instant::now();
        let (own, _) = certify_paper(&prepared, &[input], settings).expect("a proof");
        eprintln!("{point}: {:?}, relative bound {}", start.elapsed(), own.relative_bound);
        let want = golden.floats(&format!("{stem}.grid.bound_m2_rel"))[0];
        assert!(own.bound <= 1.02 * want, "own clusters: {} instead of {want}", own.bound);
        compare(&golden, &stem, "grid.bound_m2_rel", &proof);
        let (mean, covariance) = moments(&proof);
        let mean = distance(&mean, &golden.floats(&format!("{stem}.grid.mixture_mean")));
        let covariance = distance(&covariance, &golden.floats(&format!("{stem}.grid.mixture_cov")));
        assert!(mean <= ABOVE && covariance <= ABOVE, "{mean:e} {covariance:e}");
    }
}

/// A network with all weights and biases `N(mean, variance)`.
pub(crate) fn uniform(widths: &[usize], activation: &str, mean: f64, variance: f64) -> Network {
    let layer = |(k, pair): (usize, &[usize])| {
        let (inputs, outputs, last) = (pair[0], pair[1], k + 2 == widths.len());
        Layer {
            inputs,
            outputs,
            mean: (0..inputs * outputs).map(|j| mean * (1.0 + 0.1 * j as f64)).collect(),
            variance: vec![variance; inputs * outputs],
            bias_mean: vec![0.1; outputs],
            bias_variance: vec![variance; outputs],
            activation: if last { "none" } else { activation }.to_owned(),
            dropout: 0.0,
        }
    };
    Network { layers: widths.windows(2).enumerate().map(layer).collect() }
}

fn bound(network: &Network, points: usize, components: usize) -> f64 {
    let prepared = Prepared::new(network).expect("a network");
    let input = vec![1.0; prepared.inputs()];
    let (proof, _) =
        certify_paper(&prepared, &[&input], PaperSettings { points, components, cross: false }).expect("a proof");
    check_proof(&proof);
    proof.bound
}

/// `N` points on `d` axes: a distance of order `N^{-1/d}` (Zador).
#[test]
fn bounds_fall_with_points_as_theory_says() {
    let slope = |widths: &[usize], activation: &str, few: usize, many: usize| {
        let network = uniform(widths, activation, 0.7, 0.3);
        (bound(&network, many, many) / bound(&network, few, few)).ln() / (many as f64 / few as f64).ln()
    };
    for activation in ["relu", "tanh"] {
        let one_axis = slope(&[1, 1, 1, 1], activation, 16, 128);
        assert!((one_axis + 1.0).abs() <= 0.1, "{activation}: {one_axis}");
        let two_axes = slope(&[1, 2, 1], activation, 100, 2500);
        assert!((two_axes + 0.5).abs() <= 0.05, "{activation}: {two_axes}");
    }
}

/// More clusters than before leave less to compression, down to nothing; 40 components of width 8 in 2 clusters have more members than
/// dimensions.
#[test]
fn bounds_fall_with_components() {
    let network = uniform(&[3, 8, 8, 2], "tanh", 0.3, 0.2);
    let bounds: Vec<f64> = [2, 8, 40].map(|components| bound(&network, 40, components)).to_vec();
    assert!(bounds.windows(2).all(|pair| pair[1] < pair[0]), "{bounds:?}");
}

#[test]
fn networks_without_noise_lose_rounding_only() {
    for widths in [&[1, 1, 1][..], &[1, 1, 1, 1], &[3, 4, 4, 2]] {
        for activation in ["relu", "tanh", "none"] {
            let exact = bound(&uniform(widths, activation, 0.5, 0.0), 10, 3);
            assert!(exact <= 1e-12, "{exact:e}");
            // Variances whose products underflow.
            let tiny = bound(&uniform(widths, activation, 0.5, 1e-300), 10, 3);
            assert!(tiny <= 1e-12, "{tiny:e}");
            assert!(bound(&uniform(widths, activation, 0.0, 0.5), 10, 3).is_finite());
        }
    }
}

#[test]
fn couplings_are_taken_as_far_as_they_fit() {
    let network = uniform(&[1, 2, 2, 1], "tanh", 0.5, 0.4);
    let prepared = Prepared::new(&network).expect("a network");
    let (plain, witness) =
        certify_paper(&prepared, &[&[1.0]], PaperSettings { points: 4, components: 2, cross: false }).expect("a proof");
    let mut weights = Vec::new();
    let stored = |index: usize, arriving: &[Stacked]| {
        if index == 1 {
            weights = arriving.iter().map(|component| component.weight).collect();
        }
        Ok(witness.layers[index].clone())
    };
    assert_eq!(prove_paper(&prepared, &[&[1.0]], Method::PaperGrid, stored).expect("the same proof").0, plain);
    let labels = &witness.layers[1].labels;
    let every = |(i, &mass): (usize, &f64)| (i as u32, labels[i], mass);
    let coupling: Vec<(u32, u32, f64)> = weights.iter().enumerate().map(every).collect();
    let with = |coupling: Vec<(u32, u32, f64)>| {
        let mut witness = witness.clone();
        witness.layers[1].coupling = coupling;
        prove(&prepared, &[1.0], &witness)
    };
    assert_eq!(with(coupling.clone()).expect("the same coupling"), plain);

    // A detour of a little mass between two components of different clusters costs more.
    let other = labels.iter().position(|&label| label != labels[0]).expect("two clusters");
    let mut detour = coupling.clone();
    for (from, to) in [(0, other), (other, 0)] {
        detour[from].2 -= 0.125;
        detour.push((from as u32, labels[to], 0.125));
    }
    assert!(with(detour).expect("a worse coupling").bound > plain.bound);
    // Too much mass is cut off; what is missing goes where it costs most.
    let bound = |at: &[usize], mass: f64| {
        let mut off = coupling.clone();
        at.iter().for_each(|&at: &usize| off[at].2 += mass);
        with(off).map(|proof| proof.bound)
    };
    assert_eq!(bound(&[0], 2f64.powi(-53)).expect("cut off"), plain.bound);
    assert_eq!(bound(&[other], -2f64.powi(-40)).expect("one place is left for it"), plain.bound);
    let missing = [-40, -20, -6].map(|power| bound(&[0, other], -2f64.powi(power)).expect("repaired"));
    assert!(plain.bound < missing[0] && missing.windows(2).all(|pair| pair[0] < pair[1]), "{missing:?}");
    assert!(missing[0] < 1.001 * plain.bound && missing[2] > 1.01 * plain.bound, "{missing:?}");
    for wrong in [-2.0, f64::NAN] {
        assert!(bound(&[0], wrong).is_err());
    }
}

#[test]
fn witnesses_that_do_not_fit_are_refused() {
    let network = uniform(&[1, 2, 2, 1], "relu", 0.5, 0.4);
    let prepared = Prepared::new(&network).expect("a network");
    let (_, good) =
        certify_paper(&prepared, &[&[1.0]], PaperSettings { points: 4, components: 2, cross: false }).expect("a proof");
    let refused = |change: &dyn Fn(&mut Witness)| {
        let mut witness = good.clone();
        change(&mut witness);
        assert!(prove(&prepared, &[1.0], &witness).is_err());
    };
    refused(&|w| w.method = Method::Tight);
    refused(&|w| w.layers[1].labels.truncate(1));
    refused(&|w| w.layers[1].labels[0] = 3_000_000_000);
    refused(&|w| w.layers[0].labels[0] = 1);
    refused(&|w| w.layers[1].shapes.push(vec![2]));
    refused(&|w| w.layers[1].shapes[0] = vec![0]);
    refused(&|w| w.layers[1].shapes[0] = vec![1001]);
    refused(&|w| w.layers[1].shapes[0] = vec![1000, 1000]);
    refused(&|w| w.layers[1].shapes[0] = vec![2, 2, 2]);
    refused(&|w| w.layers[1].coupling = vec![(9, 0, 1.0)]);
    refused(&|w| w.layers[1].masks = 1);
}
