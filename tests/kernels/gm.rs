//! The GM layer's forward and backward passes.

use bures::kernels::gm_backward::{GmBackward, GmBackwardArgs};
use bures::kernels::gm_forward::{GmForward, GmForwardArgs};
use bures::kernels::gm_state::GmState;
use bures::reference::gm_layer;
use bures::shape::GmDims;

use crate::device::{Bench, assert_close, padded, widen};
use crate::tolerances;

pub(crate) fn dims(runs: usize, batch: usize, components: usize, inputs: usize, outputs: usize) -> GmDims {
    GmDims { runs, batch, components, inputs, outputs, rank: 0 }
}

/// Parameters of every run with positive deviations.
pub(crate) fn parameters(dims: &GmDims, seed: u64) -> Vec<f32> {
    let (k, d, l) = (dims.components, dims.inputs, dims.outputs);
    let r = dims.rank;
    (0..dims.runs as u64)
        .flat_map(|run| {
            let seed = seed + 10 * run;
            let mut sigma = padded(seed + 1, k, d, 0.3);
            sigma.iter_mut().for_each(|s| *s = s.abs());
            [
                padded(seed, k, d, 0.3),
                sigma,
                padded(seed + 2, k * l, d, 0.3),
                padded(seed + 3, k, l, 0.3),
                padded(seed + 4, k * r, d, 0.3),
            ]
            .concat()
        })
        .collect()
}

struct Passes {
    h: Vec<f32>,
    grads: Vec<f32>,
    dx: Vec<f32>,
}

fn run(dims: GmDims, x: &[f32], params: &[f32], dh: &[f32]) -> Passes {
    let mut bench = Bench::gpu();
    // The minibatch lies in the second of two slots; the first holds garbage.
    let mut slots = vec![55.0; x.len()];
    slots.extend_from_slice(x);
    let (x, params, dh) = (bench.put(&slots), bench.put(params), bench.put(dh));
    let mut h = bench.garbage(dims.h_len());
    let mut grads = bench.garbage(params.len());
    let mut dx = bench.garbage(dims.x_len());
    let mut state = GmState::new(&bench.device, dims).expect("a state");
    let forward = GmForward::new(&bench.device, dims).expect("kernels");
    let backward = GmBackward::new(&bench.device, dims).expect("kernels");
    let args = GmForwardArgs { x: &x, slot: 1, params: &params, state: &mut state, h: &mut h };
    forward.record(&mut bench.stream, args).expect("dispatches");
    let (state, grads_to) = (&mut state, &mut grads);
    let args = GmBackwardArgs { x: &x, slot: 1, params: &params, state, dh: &dh, grads: grads_to, dx: Some(&mut dx) };
    backward.record(&mut bench.stream, args).expect("dispatches");
    Passes { h: bench.get(&h), grads: bench.get(&grads), dx: bench.get(&dx) }
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |largest, value| largest.max(value.abs()))
}

fn agrees_with_the_twin(dims: GmDims) {
    let x = padded(100, dims.runs * dims.batch, dims.inputs, 1.0);
    let params = parameters(&dims, 200);
    let dh = padded(300, dims.runs * dims.batch, dims.outputs, 1.0 / dims.batch as f64);
    let got = run(dims, &x, &params, &dh);

    let (x, params, dh) = (widen(&x), widen(&params), widen(&dh));
    let mut workspace = gm_layer::Workspace::new(dims);
    let mut h = vec![0.0; dims.h_len()];
    let mut grads = vec![0.0; params.len()];
    let mut dx = vec![0.0; x.len()];
    gm_layer::forward(&x, &params, &mut workspace, &mut h).expect("fitting shapes");
    gm_layer::backward(&x, &params, &dh, &mut workspace, &mut grads, Some(&mut dx)).expect("fitting shapes");

    let terms = dims.inputs + dims.components + dims.rank;
    assert_close(&format!("h of {dims:?}"), &got.h, &h, tolerances::sums(terms, largest(&h)));
    assert_close(&format!("dx of {dims:?}"), &got.dx, &dx, tolerances::sums(terms + dims.outputs, largest(&dx)));
    // Each tensor is compared by its own size.
    for (run, want) in grads.chunks_exact(dims.params_len()).enumerate() {
        let got = &got.grads[run * dims.params_len()..][..dims.params_len()];
        for (name, range) in
            [("mu", dims.mu()), ("sigma", dims.sigma()), ("u", dims.u()), ("v", dims.v()), ("root", dims.root())]
        {
            let want = &want[range.clone()];
            let tolerance = tolerances::sums(terms + dims.batch, largest(want));
            assert_close(&format!("d{name} of {dims:?}"), &got[range], want, tolerance);
        }
    }
}

#[test]
fn agrees_with_the_twin_on_the_usual_layer() {
    agrees_with_the_twin(dims(1, 64, 20, 784, 9));
}

#[test]
fn agrees_with_the_twin_on_odd_shapes() {
    for (runs, batch, components, inputs, outputs) in
        [(1, 1, 1, 1, 1), (2, 63, 3, 3, 9), (1, 5, 2, 785, 1), (1, 17, 3, 30, 100), (1, 2, 5, 16, 10), (1, 4, 2, 9, 11)]
    {
        agrees_with_the_twin(dims(runs, batch, components, inputs, outputs));
    }
}

#[test]
fn agrees_with_the_twin_where_covariances_are_not_diagonal() {
    for (runs, batch, components, inputs, outputs, rank) in [
        (1, 64, 20, 784, 9, 4),
        (1, 1, 1, 1, 1, 1),
        (2, 63, 3, 3, 9, 3),
        (1, 5, 2, 785, 1, 1),
        (1, 17, 3, 30, 100, 30),
        (1, 2, 5, 16, 10, 21),
    ] {
        agrees_with_the_twin(GmDims { rank, ..dims(runs, batch, components, inputs, outputs) });
    }
}

#[test]
fn repeats_and_runs_together_give_the_same_bits() {
    same_bits(dims(3, 10, 4, 21, 9));
    same_bits(GmDims { rank: 5, ..dims(3, 10, 4, 21, 9) });
}

fn same_bits(three: GmDims) {
    let x = padded(100, 30, 21, 1.0);
    let params = parameters(&three, 200);
    let dh = padded(300, 30, 9, 0.1);
    let first = run(three, &x, &params, &dh);
    let second = run(three, &x, &params, &dh);
    assert!(first.h == second.h && first.grads == second.grads && first.dx == second.dx, "a repeat differs");
    let one = GmDims { runs: 1, ..three };
    for r in 0..3 {
        let part = |all: &[f32]| all[r * all.len() / 3..(r + 1) * all.len() / 3].to_vec();
        let alone = run(one, &part(&x), &part(&params), &part(&dh));
        assert!(alone.h == part(&first.h), "h of run {r} differs alone");
        assert!(alone.grads == part(&first.grads), "gradients of run {r} differ alone");
        assert!(alone.dx == part(&first.dx), "dx of run {r} differs alone");
    }
}

#[test]
fn point_masses_and_far_tails_stay_finite() {
    for rank in [0, 3] {
        stays_finite(GmDims { rank, ..dims(1, 4, 3, 8, 2) });
    }
}

fn stays_finite(dims: GmDims) {
    let mut x = padded(100, 4, 8, 1.0);
    x[..8].fill(0.0);
    x[8..16].iter_mut().for_each(|x| *x *= 1e-25);
    x[16..24].iter_mut().for_each(|x| *x *= 1e6);
    let mut params = parameters(&dims, 200);
    params[dims.sigma()][..8].fill(0.0);
    params[dims.sigma()][8..16].fill(1e-18);
    let (root, row) = (dims.root(), 8 * dims.rank);
    params[root.start..][..row].fill(0.0);
    params[root.start + row..][..row].fill(1e-18);
    let got = run(dims, &x, &params, &padded(300, 4, 2, 1.0));
    for (name, values) in [("h", &got.h), ("grads", &got.grads), ("dx", &got.dx)] {
        assert!(values.iter().all(|value| value.is_finite()), "{name}: {values:?}");
    }
}
