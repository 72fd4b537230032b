//! The paper's method for several inputs at once (Corollary 20).

use bures::certify::core::{LayerWitness, Method, Network, Prepared, Proof, Stacked, prove, prove_paper, replay_paper};
use bures::certify::propose::paper::{PaperSettings, certify_paper, shapes};
use bures::math::gaussian_w2;
use bures::reference::philox::Philox;

use crate::core_support::{Golden, check_proof, distance, fixtures};
use crate::paper::{ABOVE, compare, integers, matched, moments, uniform};

const COARSE: PaperSettings = PaperSettings { points: 10, components: 3, cross: false };

/// Nothing is merged: clusters are not unique where points lie symmetrically.
const WHOLE: PaperSettings = PaperSettings { points: 10, components: 1000, cross: false };

fn certify(network: &Network, inputs: &[Vec<f64>], settings: PaperSettings) -> Proof {
    let prepared = Prepared::new(network).expect("a network");
    let inputs: Vec<&[f64]> = inputs.iter().map(Vec::as_slice).collect();
    let (proof, witness) = certify_paper(&prepared, &inputs, settings).expect("a proof");
    check_proof(&proof);
    assert_eq!(replay_paper(&prepared, &inputs, &witness).expect("the same proof"), proof);
    proof
}

/// Components of golden files are input by input; those that arrive come neuron by neuron.
fn by_neuron(means: &[f64], inputs: usize, width: usize) -> Vec<f64> {
    let order = (0..width).flat_map(|i| (0..inputs).map(move |d| d * width + i));
    let order: Vec<usize> = order.collect();
    means.chunks_exact(inputs * width).flat_map(|mean| order.iter().map(|&at| mean[at])).collect()
}

#[test]
fn three_inputs_agree_with_the_golden_recursion() {
    let Some(folder) = fixtures() else { return };
    let golden = Golden::read(folder.join("tiny_net.safetensors"));
    for activation in ["relu", "tanh"] {
        let stem = format!("{activation}.joint3");
        let prepared =
            Prepared::new(&golden.network(&format!("{activation}.net."), activation, 0.0)).expect("a network");
        let rows = golden.floats(&format!("{activation}.X"));
        let inputs: Vec<&[f64]> = rows.chunks_exact(2).collect();
        let given = |index: usize, arriving: &[Stacked]| {
            let layer = format!("{stem}.layer{}", index + 1);
            let means = by_neuron(&golden.floats(&format!("{layer}.q.means")), 3, 8);
            let labels = matched(arriving, &means, &integers(&golden, &format!("{layer}.labels")));
            let shapes = shapes(arriving, &labels, 10)?;
            Ok(LayerWitness { labels, shapes, ..LayerWitness::default() })
        };
        let (proof, _) = prove_paper(&prepared, &inputs, Method::PaperGrid, given).expect("a proof");
        check_proof(&proof);
        compare(&golden, &stem, "bound_m2_rel", &proof);
        let (mean, covariance) = moments(&proof);
        let mean = distance(&mean, &golden.floats(&format!("{stem}.out.mixture_mean")));
        let covariance = distance(&covariance, &golden.floats(&format!("{stem}.out.mixture_cov")));
        assert!(mean <= ABOVE && covariance <= ABOVE, "{mean:e} {covariance:e}");
    }
}

/// The law of `(z, z)` is that of `z`, stretched by √2 along the diagonal: every step costs √2 times as much.
#[test]
fn an_input_twice_costs_the_root_of_two() {
    for activation in ["relu", "tanh"] {
        let network = uniform(&[2, 6, 5, 2], activation, 0.2, 0.3);
        let input = vec![0.7, -1.1];
        let single = certify(&network, std::slice::from_ref(&input), WHOLE);
        let prepared = Prepared::new(&network).expect("a network");
        let (_, witness) = certify_paper(&prepared, &[&input], WHOLE).expect("a proof");
        assert_eq!(prove(&prepared, &input, &witness).expect("the same proof"), single);
        let twice = certify(&network, &[input.clone(), input.clone()], WHOLE);
        let ratio = twice.bound / single.bound / std::f64::consts::SQRT_2;
        assert!((ratio - 1.0).abs() <= 1e-6, "{activation}: {ratio}");
        let halves = |proof: &Proof| -> Vec<f64> { proof.mixture.means.iter().take(4).copied().collect() };
        assert!((halves(&twice)[0] - halves(&twice)[2]).abs() <= 1e-12, "both halves are the same output");
        let moment = twice.second_moment / single.second_moment;
        assert!((moment - 2.0).abs() <= 1e-9, "{activation}: {moment}");
    }
}

/// A marginal of a joint law is at least as near as the whole, and an order of inputs is only an order.
#[test]
fn marginals_and_orders() {
    let network = uniform(&[2, 6, 5, 2], "tanh", 0.2, 0.1);
    let rows = vec![vec![0.3, 0.1], vec![-0.4, 1.0], vec![1.2, -0.7]];
    let whole = certify(&network, &rows, WHOLE);
    let turned = certify(&network, &[rows[2].clone(), rows[0].clone(), rows[1].clone()], WHOLE);
    assert!((whole.bound / turned.bound - 1.0).abs() <= 1e-6, "{} {}", whole.bound, turned.bound);
    let pair = certify(&network, &rows[..2], WHOLE);
    assert!(pair.bound < whole.bound);
    // More points, a smaller bound, also where the search for directions is not exact.
    let many: Vec<Vec<f64>> = (0..60).map(|d| vec![0.03 * f64::from(d) - 1.0, 0.5]).collect();
    let bounds =
        [10, 40].map(|points| certify(&network, &many, PaperSettings { points, components: 3, cross: false }).bound);
    assert!(bounds[1] < bounds[0], "{bounds:?}");
}

#[test]
fn joint_networks_without_noise_lose_rounding_only() {
    for variance in [0.0, 1e-300] {
        for activation in ["relu", "tanh", "none"] {
            let network = uniform(&[3, 4, 4, 2], activation, 0.5, variance);
            let proof = certify(&network, &[vec![1.0; 3], vec![0.5, -0.5, 2.0]], COARSE);
            assert!(proof.bound <= 1e-12, "{activation}, {variance}: {:e}", proof.bound);
        }
    }
}

/// The bound holds against moments of sampled networks: Gelbrich's distance of Gaussians is never more than that of the laws.
#[test]
fn sampled_networks_are_within_the_bound() {
    let mut random = Philox::new(5, 0);
    let rows = [vec![0.4, -0.3], vec![-0.2, 0.9]];
    for activation in ["relu", "tanh"] {
        // Narrow weights and fine grids: a bound that an error in the covariance between inputs would break.
        let network = uniform(&[2, 3, 2], activation, 0.4, 1e-3);
        let proof = certify(&network, &rows, PaperSettings { points: 4000, components: 4000, cross: false });
        let n = 200_000;
        let mut draws = Vec::with_capacity(4 * n);
        for _ in 0..n {
            let mut weights = Vec::new();
            for layer in &network.layers {
                let sample = |mean: &[f64], variance: &[f64], random: &mut Philox| -> Vec<f64> {
                    mean.iter().zip(variance).map(|(m, v)| m + v.sqrt() * random.normal()).collect()
                };
                let w = sample(&layer.mean, &layer.variance, &mut random);
                weights.push((w, sample(&layer.bias_mean, &layer.bias_variance, &mut random)));
            }
            for row in &rows {
                let mut a = row.clone();
                for ((w, b), layer) in weights.iter().zip(&network.layers) {
                    let dot = |(row, b): (&[f64], &f64)| b + row.iter().zip(&a).map(|(w, a)| w * a).sum::<f64>();
                    let z: Vec<f64> = w.chunks_exact(layer.inputs).zip(b).map(dot).collect();
                    a = match layer.activation.as_str() {
                        "relu" => z.into_iter().map(|z| z.max(0.0)).collect(),
                        "tanh" => z.into_iter().map(f64::tanh).collect(),
                        _ => z,
                    };
                }
                draws.extend(a);
            }
        }
        let mut mean = vec![0.0; 4];
        draws.chunks_exact(4).for_each(|z| mean.iter_mut().zip(z).for_each(|(m, z)| *m += z / n as f64));
        let mut covariance = vec![0.0; 16];
        for z in draws.chunks_exact(4) {
            for (at, sum) in covariance.iter_mut().enumerate() {
                *sum += (z[at / 4] - mean[at / 4]) * (z[at % 4] - mean[at % 4]) / n as f64;
            }
        }
        let (own_mean, own_covariance) = moments(&proof);
        let apart = gaussian_w2::full(&mean, &covariance, &own_mean, &own_covariance).expect("a distance").sqrt();
        let scale: f64 = (0..4).map(|j| covariance[5 * j]).sum::<f64>().sqrt();
        assert!(proof.bound <= scale, "{activation}: the bound {} would hide an error of {scale}", proof.bound);
        assert!(apart <= proof.bound, "{activation}: {apart} is above the bound {}", proof.bound);
        assert!(apart <= 0.1 * scale, "{activation}: {apart} of {scale}");
    }
}

#[test]
fn inputs_that_do_not_fit_are_refused() {
    let network = uniform(&[2, 3, 1], "relu", 0.4, 0.1);
    let refused = |network: &Network, inputs: &[&[f64]], words: &str| {
        let prepared = Prepared::new(network).expect("a network");
        let why = certify_paper(&prepared, inputs, COARSE).expect_err(words).to_string();
        assert!(why.contains(words), "{why}");
    };
    refused(&network, &[], "no input");
    refused(&network, &[&[1.0, 2.0], &[1.0]], "2 numbers");
    refused(&network, &[&[1.0, 2.0], &[1.0, f64::NAN]], "NaN in an input");
    refused(&network, &[&[1.0, 2.0], &[1.0, 1e300]], "not finite");
    let mut dropped = network.clone();
    dropped.layers[0].dropout = 0.5;
    refused(&dropped, &[&[1.0, 2.0], &[1.0, 0.0]], "no dropout for several inputs");
}
