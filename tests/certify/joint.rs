//! Several inputs at once: the joint law against textbook formulas, against the proof for one input, and at its limits.

use bures::certify::core::{Network, Prepared, Proof, prove, prove_joint};

use crate::core_monte_carlo::{Random, network};
use crate::core_support::{check_proof, distance, plain_witness};

pub(crate) fn joint(network: &Network, inputs: &[Vec<f64>]) -> Proof {
    let inputs: Vec<&[f64]> = inputs.iter().map(Vec::as_slice).collect();
    let proof = prove_joint(&Prepared::new(network).expect("a network"), &inputs, &plain_witness(network));
    let proof = proof.expect("a joint proof");
    check_proof(&proof);
    proof
}

pub(crate) fn inputs(random: &mut Random, points: usize, width: usize) -> Vec<Vec<f64>> {
    (0..points).map(|_| (0..width).map(|_| random.normal()).collect()).collect()
}

/// `E a`, `E a'` and `r²` of `N(m, v)`: closed forms for ReLU, the trapezoidal rule for tanh.
fn moments(activation: &str, mean: f64, variance: f64) -> [f64; 3] {
    let scale = variance.sqrt();
    let [center, slope, square] = match activation {
        "none" => return [mean, 1.0, 0.0],
        "relu" => {
            let t = mean / scale;
            let tail = 0.5 * libm::erfc(-t / std::f64::consts::SQRT_2);
            let density = scale * (-0.5 * t * t).exp() / std::f64::consts::TAU.sqrt();
            [mean * tail + density, tail, (mean * mean + variance) * tail + mean * density]
        }
        _ => {
            let step = 0.01 / (1.0 + scale);
            let last = (10.0 / step) as i32;
            (-last..=last).fold([0.0; 3], |[center, slope, square], k| {
                let x = step * f64::from(k);
                let a = (mean + scale * x).tanh();
                let weight = step * (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
                [center + weight * a, slope + weight * (1.0 - a * a), square + weight * a * a]
            })
        }
    };
    [center, slope, square - center * center - slope * slope * variance]
}

/// Mean and covariance of the joint law, entry by entry from the page's formulas.
fn textbook(network: &Network, inputs: &[Vec<f64>]) -> (Vec<f64>, Vec<f64>) {
    let points = inputs.len();
    let first = &network.layers[0];
    let mut width = first.outputs;
    let size = points * width;
    let (mut mean, mut covariance) = (vec![0.0; size], vec![0.0; size * size]);
    for (d, i) in (0..points).flat_map(|d| (0..width).map(move |i| (d, i))) {
        let row = i * first.inputs..(i + 1) * first.inputs;
        let weights = first.mean[row.clone()].iter().zip(&inputs[d]);
        mean[d * width + i] = weights.map(|(w, x)| w * x).sum::<f64>() + first.bias_mean[i];
        for e in 0..points {
            let terms = first.variance[row.clone()].iter().zip(inputs[d].iter().zip(&inputs[e]));
            let shared = terms.map(|(v, (x, y))| v * x * y).sum::<f64>() + first.bias_variance[i];
            covariance[(d * width + i) * size + e * width + i] = shared;
        }
    }
    for (layer, before) in network.layers[1..].iter().zip(&network.layers) {
        let n = width;
        let size = points * n;
        let known: Vec<[f64; 3]> =
            (0..size).map(|k| moments(&before.activation, mean[k], covariance[k * size + k])).collect();
        let next = points * layer.outputs;
        let (mut next_mean, mut next_covariance) = (vec![0.0; next], vec![0.0; next * next]);
        for (d, i) in (0..points).flat_map(|d| (0..layer.outputs).map(move |i| (d, i))) {
            let at = d * layer.outputs + i;
            next_mean[at] =
                (0..n).map(|j| layer.mean[i * n + j] * known[d * n + j][0]).sum::<f64>() + layer.bias_mean[i];
            for (e, k) in (0..points).flat_map(|e| (0..layer.outputs).map(move |k| (e, k))) {
                let mut sum = 0.0;
                for (j, l) in (0..n).flat_map(|j| (0..n).map(move |l| (j, l))) {
                    let shared = covariance[(d * n + j) * size + e * n + l];
                    sum += layer.mean[i * n + j]
                        * known[d * n + j][1]
                        * shared
                        * known[e * n + l][1]
                        * layer.mean[k * n + l];
                }
                if i == k {
                    sum += layer.bias_variance[i];
                    for j in 0..n {
                        let ([a, f, r], [b, g, s]) = (known[d * n + j], known[e * n + j]);
                        let shared = covariance[(d * n + j) * size + e * n + j];
                        let own = covariance[(d * n + j) * (size + 1)] * covariance[(e * n + j) * (size + 1)];
                        let rho = if own > 0.0 { shared * shared / own } else { 0.0 };
                        sum += layer.variance[i * n + j] * (a * b + f * shared * g + rho * (r * s).max(0.0).sqrt());
                    }
                }
                next_covariance[at * next + e * layer.outputs + k] = sum;
            }
        }
        (mean, covariance, width) = (next_mean, next_covariance, layer.outputs);
    }
    (mean, covariance)
}

#[test]
fn joint_laws_follow_the_textbook_formulas() {
    let mut random = Random(11);
    for (activation, widths) in
        [("relu", &[2, 5, 4, 2][..]), ("tanh", &[3, 4, 3]), ("none", &[2, 3, 3, 1]), ("relu", &[2, 3])]
    {
        let network = network(&mut random, widths, activation, 0.5, 0.0);
        let inputs = inputs(&mut random, 3, widths[0]);
        let proof = joint(&network, &inputs);
        let (mean, covariance) = textbook(&network, &inputs);
        assert_eq!(proof.mixture.width, 3 * widths[widths.len() - 1]);
        let off = (distance(&proof.mixture.means, &mean), distance(&proof.mixture.covariances, &covariance));
        assert!(off.0 < 1e-11 && off.1 < 1e-9, "{activation} {widths:?}: {off:?}");
    }
}

/// One input: the mixture of the proof for one input, and a bound of its size.
#[test]
fn one_input_agrees_with_its_own_proof() {
    let mut random = Random(5);
    for (activation, spread) in [("relu", 0.1), ("relu", 0.6), ("tanh", 0.1), ("tanh", 0.8), ("none", 0.4)] {
        let network = network(&mut random, &[3, 12, 8, 2], activation, spread, 0.0);
        let input = inputs(&mut random, 1, 3);
        let alone = prove(&Prepared::new(&network).expect("a network"), &input[0], &plain_witness(&network));
        let alone = alone.expect("a proof");
        let proof = joint(&network, &input);
        let off = (
            distance(&proof.mixture.means, &alone.mixture.means),
            distance(&proof.mixture.covariances, &alone.mixture.covariances),
        );
        assert!(off.0 <= 1e-12 && off.1 <= 1e-12, "{off:?}");
        eprintln!("{activation} {spread}: {:e} against {:e}", proof.bound, alone.bound);
        assert!(proof.bound <= 5.0 * alone.bound, "{} against {}", proof.bound, alone.bound);
    }
}

/// An input given three times: all blocks are alike, and the bound is that of one input times √3.
#[test]
fn repeated_inputs_share_everything() {
    let mut random = Random(6);
    for activation in ["relu", "tanh"] {
        let network = network(&mut random, &[2, 7, 5, 2], activation, 0.4, 0.0);
        let one = inputs(&mut random, 1, 2);
        let (alone, proof) = (joint(&network, &one), joint(&network, &vec![one[0].clone(); 3]));
        let size = 6;
        for (k, &x) in proof.mixture.covariances.iter().enumerate() {
            let want = alone.mixture.covariances[(k / size % 2) * 2 + k % size % 2];
            assert!((x - want).abs() <= 1e-11 * want.abs().max(1e-3), "{x} {want}");
        }
        let ratio = proof.bound / alone.bound / 3_f64.sqrt();
        eprintln!("{activation}: ratio {ratio}");
        assert!((0.99..1.01).contains(&ratio), "{activation}: {ratio}");
    }
}

/// Linear networks: the joint law is exactly Gaussian but for products of weights, so the bound falls with the variance.
#[test]
fn bounds_of_linear_networks_vanish_with_their_variances() {
    let mut random = Random(8);
    let mut network = network(&mut random, &[2, 6, 3], "none", 1.0, 0.0);
    let inputs = inputs(&mut random, 4, 2);
    let mut bounds = Vec::new();
    for _ in 0..4 {
        bounds.push(joint(&network, &inputs).bound);
        for layer in &mut network.layers {
            layer.variance.iter_mut().chain(&mut layer.bias_variance).for_each(|v| *v *= 0.01);
        }
    }
    eprintln!("{bounds:?}");
    for pair in bounds.windows(2).skip(1) {
        assert!((0.005..0.02).contains(&(pair[1] / pair[0])), "{bounds:?}");
    }
}

/// No randomness, a zero input, width 1, and inputs on a line: proofs of sizes that make sense.
#[test]
fn degenerate_networks_have_proofs() {
    let mut random = Random(9);
    let mut fixed = network(&mut random, &[2, 4, 3, 2], "relu", 0.5, 0.0);
    for layer in &mut fixed.layers {
        layer.variance.fill(0.0);
        layer.bias_variance.fill(0.0);
    }
    let set = vec![vec![1.0, -0.5], vec![0.0, 0.0], vec![1.0, -0.5], vec![2.0, -1.0]];
    let proof = joint(&fixed, &set);
    assert!(proof.bound < 1e-12 && proof.mixture.covariances.iter().all(|&c| c < 1e-28), "{proof:?}");
    for activation in ["relu", "tanh", "none"] {
        let narrow = network(&mut random, &[2, 1, 1, 1], activation, 0.1, 0.0);
        let proof = joint(&narrow, &set);
        eprintln!("{activation}: {:e}", proof.relative_bound);
        assert!(proof.relative_bound < 0.5);
    }
    // Only the bias of the last layer varies: the noise of all inputs is one number for each output.
    fixed.layers[2].bias_variance.fill(0.25);
    let proof = joint(&fixed, &set);
    assert!(proof.bound < 1e-5, "{:?}", proof.terms);
    for (k, c) in proof.mixture.covariances.iter().enumerate() {
        let want = if k / 8 % 2 == k % 2 { 0.25 } else { 0.0 };
        assert!((c - want).abs() < 1e-12, "{k}: {c}");
    }
}
