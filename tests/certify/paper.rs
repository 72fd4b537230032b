//! The paper's method against golden values of its recursion, theory and degenerate networks.

use bures::certify::core::{
    Arriving, Layer, LayerWitness, Method, Network, Prepared, Proof, TermKind, Witness, prove, prove_paper,
};
use bures::certify::propose_paper::{PaperSettings, certify_paper, shapes};
use bures::io::TensorData;
use bures::reference::philox::Philox;

use crate::core_support::{Golden, check_proof, distance, fixtures};

/// The golden values are exact to 1e-11. Here cells have masses that are multiples of 2⁻⁵³, a cluster's distance is the root of a
/// difference, and `‖M‖₂` is proved by a shift that is 1e-7 above it: what is printed may be this much above the golden value.
const ABOVE: f64 = 1e-6;

/// A bound may be below the golden value by the golden value's rounding alone.
const BELOW: f64 = 1e-10;

#[track_caller]
fn just_above(what: &str, got: f64, want: f64, size: f64) {
    let off = got - want;
    assert!((-BELOW * size..=ABOVE * size).contains(&off), "{what}: {got:e} instead of {want:e}, off by {off:.1e}");
}

fn integers(golden: &Golden, name: &str) -> Vec<u32> {
    match &golden.0.tensors[name].data {
        TensorData::I64(values) => values.iter().map(|&x| u32::try_from(x).expect("a label")).collect(),
        other => panic!("{name} holds no integers: {other:?}"),
    }
}

/// Labels of a golden file, whose components come in another order: each of ours takes the label of the nearest.
fn matched(arriving: &[Arriving<'_>], means: &[f64], labels: &[u32]) -> Vec<u32> {
    let apart = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
    let nearest = |component: &Arriving<'_>| {
        let costs = means.chunks_exact(component.mean.len()).map(|mean| apart(component.mean, mean));
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
fn compare(golden: &Golden, stem: &str, bound: &str, proof: &Proof) {
    let scalars = |layer: usize| golden.floats(&format!("{stem}.layer{layer}.scalars_WR_WRassign_WD_L_Ein_Eout"));
    let factors = [scalars(1)[3] * scalars(2)[3], scalars(2)[3]];
    for (layer, factor) in [1, 2].into_iter().zip(factors) {
        let want = scalars(layer);
        let size = want[1] + want[2];
        just_above("W_R", share(proof, layer, TermKind::Compression, factor), want[1], size);
        just_above("W_D", share(proof, layer, TermKind::Signature, factor), want[2], size);
    }
    let want = golden.floats(&format!("{stem}.{bound}"));
    just_above("bound", proof.bound, want[0], want[0]);
    assert!((proof.second_moment - want[1]).abs() <= ABOVE * want[1], "{} {}", proof.second_moment, want[1]);
    just_above("relative bound", proof.relative_bound, want[2], want[2]);
}

/// Mean and covariance of a mixture.
fn moments(proof: &Proof) -> (Vec<f64>, Vec<f64>) {
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
        let given = |index: usize, arriving: &[Arriving<'_>]| {
            let layer = format!("{stem}.layer{}", index + 1);
            let weights = golden.floats(&format!("{layer}.q.weights"));
            assert_eq!(arriving.len(), weights.len());
            let labels = integers(&golden, &format!("{layer}.labels"));
            let labels = matched(arriving, &golden.floats(&format!("{layer}.q.means")), &labels);
            let shapes = shapes(arriving, &labels, 10)?;
            Ok(LayerWitness { labels, shapes, ..LayerWitness::default() })
        };
        let (proof, witness) = prove_paper(&prepared, input, given).expect("a proof");
        check_proof(&proof);
        eprintln!("{activation} {proof:?}");
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
        let given = |index: usize, arriving: &[Arriving<'_>]| {
            let labels = integers(&golden, &format!("{stem}.layer{}.labels", index + 1));
            let shapes = shapes(arriving, &labels, 10)?;
            Ok(LayerWitness { labels, shapes, ..LayerWitness::default() })
        };
        let (proof, _) = prove_paper(&prepared, input, given).expect("a proof");
        check_proof(&proof);
        eprintln!("{point} {:?} {} {}", proof.terms, proof.bound, proof.relative_bound);
        let (own, _) = certify_paper(&prepared, input, PaperSettings { points: 10, components: 3 }).expect("a proof");
        eprintln!("own {:?} {} {}", own.terms, own.bound, own.relative_bound);
        let want = golden.floats(&format!("{stem}.grid.bound_m2_rel"))[0];
        assert!(own.bound <= 1.02 * want, "own clusters: {} instead of {want}", own.bound);
        compare(&golden, &stem, "grid.bound_m2_rel", &proof);
        let (mean, covariance) = moments(&proof);
        let mean = distance(&mean, &golden.floats(&format!("{stem}.grid.mixture_mean")));
        let covariance = distance(&covariance, &golden.floats(&format!("{stem}.grid.mixture_cov")));
        assert!(mean <= ABOVE && covariance <= ABOVE, "{mean:e} {covariance:e}");
    }
}
