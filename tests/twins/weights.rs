//! Unequal component weights: the plain layer of weighed parameters, its gradient, and the step on the simplex.

use bures::reference::gm_weights::{simplex_step, weigh, weigh_backward, weights};
use bures::reference::philox::Philox;
use bures::reference::{full_covariance, gm_layer};
use bures::shape::GmDims;

use crate::differences::check_gradient;
use crate::support::{normals, pack, pad, random_layer, unpad};

/// Tensors `x, mu, sigma, u, v, root` of all runs.
fn layer(dims: GmDims, rng: &mut Philox) -> Vec<Vec<f64>> {
    let mut tensors = random_layer(dims, rng).to_vec();
    tensors.push(normals(rng, dims.runs * dims.components * dims.rank * dims.inputs));
    tensors
}

/// Parameters of the weighted layer of every run, from those of the plain ones and `w [R, K]`.
fn with_weights(dims: GmDims, plain: &[f64], w: &[f64]) -> Vec<f64> {
    let runs = plain.chunks_exact(dims.params_len()).zip(w.chunks_exact(dims.components));
    runs.flat_map(|(plain, w)| [plain.to_vec(), pad::<f64>(dims.components, w)].concat()).collect()
}

fn forward(dims: GmDims, x: &[f64], params: &[f64]) -> Vec<f64> {
    let (mut effective, mut h) = (vec![f64::NAN; dims.runs * dims.params_len()], vec![0.0; dims.h_len()]);
    weigh(&dims, params, &mut effective).expect("shapes fit");
    gm_layer::forward(x, &effective, &mut gm_layer::Workspace::new(dims), &mut h).expect("shapes fit");
    h
}

fn random_weights(n: usize, rng: &mut Philox) -> Vec<f64> {
    (0..n).map(|_| 0.05 + rng.uniform()).collect()
}

const DIMS: GmDims = GmDims { runs: 2, batch: 5, components: 3, inputs: 6, outputs: 2, rank: 2 };

#[test]
fn outputs_are_the_weighted_sum_of_the_components() {
    let mut rng = Philox::new(41, 0);
    let dims = GmDims { runs: 1, rank: 0, ..DIMS };
    let tensors = layer(dims, &mut rng);
    let w = random_weights(3, &mut rng);
    let plain = pack::<f64>(dims, &tensors[1..]);
    let h = unpad(2, &forward(dims, &pad::<f64>(6, &tensors[0]), &with_weights(dims, &plain, &w)));
    let mut want = vec![0.0; h.len()];
    for (k, w) in w.iter().enumerate() {
        let mut root = vec![0.0; 36];
        (0..6).for_each(|j| root[j * 7] = tensors[2][k * 6 + j]);
        let (mu, u, v) = (&tensors[1][k * 6..][..6], &tensors[3][k * 12..][..12], &tensors[4][k * 2..][..2]);
        let one = full_covariance::Layer { components: 1, inputs: 6, rank: 6, outputs: 2, mu, root: &root, u, v };
        let f = one.forward(&tensors[0]).expect("shapes fit");
        want.iter_mut().zip(f).for_each(|(want, f)| *want += w * f);
    }
    for (got, want) in h.iter().zip(&want) {
        assert!((got - want).abs() < 1e-13 * (1.0 + want.abs()), "{got} not {want}");
    }
}

#[test]
fn gradients_are_those_of_differences() {
    let mut rng = Philox::new(42, 0);
    let dims = DIMS;
    let tensors = layer(dims, &mut rng);
    let x = pad::<f64>(6, &tensors[0]);
    let plain = pack::<f64>(dims, &tensors[1..]);
    let w = random_weights(6, &mut rng);
    let params = with_weights(dims, &plain, &w);
    let cotangent = pad::<f64>(2, &normals(&mut rng, 20));
    let mut effective = vec![0.0; plain.len()];
    weigh(&dims, &params, &mut effective).expect("shapes fit");
    let mut workspace = gm_layer::Workspace::new(dims);
    let (mut h, mut d_effective, mut grads) = (vec![0.0; 40], vec![0.0; plain.len()], vec![f64::NAN; params.len()]);
    gm_layer::forward(&x, &effective, &mut workspace, &mut h).expect("shapes fit");
    gm_layer::backward(&x, &effective, &cotangent, &mut workspace, &mut d_effective, None).expect("shapes fit");
    weigh_backward(&dims, &params, &d_effective, &mut grads).expect("shapes fit");
    // Pads move nothing and have no gradient, so the flat arrays can be compared as they are.
    let live = |at: &usize| params[*at] != 0.0;
    let places: Vec<usize> = (0..params.len()).filter(live).collect();
    assert!((0..params.len()).filter(|at| !live(at)).all(|at| grads[at] == 0.0), "a pad has a gradient");
    let take = |all: &[f64]| places.iter().map(|&at| all[at]).collect::<Vec<f64>>();
    let output = |values: &[f64]| {
        let mut moved = params.clone();
        places.iter().zip(values).for_each(|(&at, &value)| moved[at] = value);
        forward(dims, &x, &moved).iter().zip(&cotangent).map(|(h, g)| h * g).sum()
    };
    check_gradient("weighted layer", &mut rng, &take(&params), &take(&grads), output);
    // The weights by themselves: their part of the whole is small.
    let at = weights(&dims).start..weights(&dims).start + 3;
    let output = |values: &[f64]| {
        let mut moved = params.clone();
        moved[at.clone()].copy_from_slice(values);
        forward(dims, &x, &moved).iter().zip(&cotangent).map(|(h, g)| h * g).sum()
    };
    check_gradient("weights", &mut rng, &params[at.clone()], &grads[at.clone()], output);
}

#[test]
fn equal_weights_are_the_plain_layer() {
    let mut rng = Philox::new(43, 0);
    let dims = GmDims { components: 4, ..DIMS };
    let tensors = layer(dims, &mut rng);
    let (x, plain) = (pad::<f64>(6, &tensors[0]), pack::<f64>(dims, &tensors[1..]));
    let mut h = vec![0.0; dims.h_len()];
    gm_layer::forward(&x, &plain, &mut gm_layer::Workspace::new(dims), &mut h).expect("shapes fit");
    assert!(forward(dims, &x, &with_weights(dims, &plain, &[0.25; 8])) == h);
}

/// The step against the flow `ẇ_k = −w_k (g_k − Σ w_j g_j)`: halving the rate quarters the gap to an Euler step.
#[test]
fn the_step_follows_the_flow_on_the_simplex() {
    let mut rng = Philox::new(44, 0);
    let w = random_weights(5, &mut rng);
    let sum: f64 = w.iter().sum();
    let w: Vec<f64> = w.iter().map(|w| w / sum).collect();
    let g = normals(&mut rng, 5);
    let mean: f64 = w.iter().zip(&g).map(|(w, g)| w * g).sum();
    let gap = |rate: f64| {
        // Something stands before and behind the weights, and stays.
        let mut params = [vec![7.0], w.clone(), vec![9.0]].concat();
        simplex_step(1..6, 7, rate, &mut params, &[vec![1.0], g.clone(), vec![1.0]].concat());
        assert!(params[0] == 7.0 && params[6] == 9.0);
        assert!((params[1..6].iter().sum::<f64>() - 1.0).abs() < 1e-15);
        let euler = w.iter().zip(&g).map(|(w, g)| w - rate * w * (g - mean));
        euler.zip(&params[1..6]).map(|(e, w)| (e - w).abs()).fold(0.0, f64::max)
    };
    let ratio = gap(1e-3) / gap(5e-4);
    assert!(gap(1e-3) > 1e-9 && (ratio - 4.0).abs() < 0.02, "halving the rate divides the gap by {ratio}");
}

#[test]
fn steps_of_any_size_stay_on_the_simplex() {
    let start = [0.5_f32, 0.25, 0.25, 0.0];
    for g in [[0.0_f32; 4], [1e30, -1e30, 0.0, 0.0], [3e38, 3e38, 3e38, 3e38], [-1e5, 1e5, 1e5, -2e5]] {
        let mut w = start;
        simplex_step(0..3, 4, 0.1, &mut w, &g);
        assert!(w.iter().all(|w| (0.0..=1.0).contains(w)), "{g:?}: {w:?}");
        assert!((w.iter().sum::<f32>() - 1.0).abs() < 1e-6, "{g:?}: {w:?}");
    }
    let mut w = [0.3_f32, 0.3, 0.3, 0.0];
    simplex_step(0..3, 4, 0.0, &mut w, &[1.0, 2.0, 3.0, 0.0]);
    assert_eq!(w, [0.3, 0.3, 0.3, 0.0], "a rate of 0 keeps the bits");
}
