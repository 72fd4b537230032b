//! The same bits on any number of threads, in company or alone, in fresh or used scratch.

use bures::reference::philox::Philox;
use bures::reference::{Real, dense, gm_layer};
use bures::shape::{DenseDims, GmDims};

use crate::support::{normals, pack, pad, pass, random_layer, unpack, unpad};

const RUNS: usize = 3;

/// Bits of several arrays.
fn bits<T: Real>(arrays: &[&[T]]) -> Vec<u64> {
    arrays.iter().flat_map(|array| array.iter().map(|x| x.to_f64().to_bits())).collect()
}

/// Checks that `work` gives the same bits on 1, 2 and 5 threads.
#[track_caller]
fn same_on_any_threads(work: impl Fn() -> Vec<u64> + Sync) -> Vec<u64> {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(&work)
    };
    let alone = on(1);
    for threads in [2, 5] {
        for _ in 0..3 {
            assert!(on(threads) == alone, "{threads} threads give other bits");
        }
    }
    alone
}

/// The part of run `run` of an array of all runs.
fn part<T>(all: &[T], run: usize) -> &[T] {
    let len = all.len() / RUNS;
    &all[run * len..][..len]
}

fn gm_layer_bits<T: Real>(dims: GmDims) {
    let mut rng = Philox::new(31, 0);
    let mut tensors = random_layer(dims, &mut rng).to_vec();
    tensors.push(normals(&mut rng, dims.runs * dims.components * dims.rank * dims.inputs));
    let (x, params) = (pad::<T>(dims.inputs, &tensors[0]), pack::<T>(dims, &tensors[1..]));
    let dh = pad::<T>(dims.outputs, &normals(&mut rng, dims.runs * dims.batch * dims.outputs));
    same_on_any_threads(|| {
        let pass = pass(dims, &x, &params, |_| dh.clone());
        bits(&[&pass.h, &pass.grads, &pass.dx])
    });

    let all = pass(dims, &x, &params, |_| dh.clone());
    // These check that the pads are zero.
    unpad(dims.outputs, &all.h);
    unpad(dims.inputs, &all.dx);
    unpack(dims, &all.grads);
    for run in 0..RUNS {
        let one = pass(GmDims { runs: 1, ..dims }, part(&x, run), part(&params, run), |_| part(&dh, run).to_vec());
        let batched = bits(&[part(&all.h, run), part(&all.grads, run), part(&all.dx, run)]);
        assert!(bits(&[&one.h, &one.grads, &one.dx]) == batched, "run {run} alone gives other bits: {dims:?}");
    }

    // A workspace that has seen other numbers gives what a fresh one gives.
    let fresh = bits(&[&all.h, &all.grads, &all.dx]);
    let (mut h, mut grads, mut dx) = (all.h, all.grads, all.dx);
    let mut workspace = all.workspace;
    let other: Vec<T> = x.iter().rev().copied().collect();
    gm_layer::forward(&other, &params, &mut workspace, &mut h).expect("shapes fit");
    gm_layer::backward(&other, &params, &dh, &mut workspace, &mut grads, Some(&mut dx)).expect("shapes fit");
    assert!(bits(&[&h, &grads, &dx]) != fresh);
    gm_layer::forward(&x, &params, &mut workspace, &mut h).expect("shapes fit");
    gm_layer::backward(&x, &params, &dh, &mut workspace, &mut grads, None).expect("shapes fit");
    gm_layer::backward(&x, &params, &dh, &mut workspace, &mut grads, Some(&mut dx)).expect("shapes fit");
    assert!(bits(&[&h, &grads, &dx]) == fresh, "used scratch gives other bits: {dims:?}");
}

#[test]
fn gm_layer_gives_the_same_bits() {
    for (batch, components, inputs, outputs, rank) in [
        (1, 1, 1, 1, 0),
        (5, 7, 17, 3, 0),
        (64, 20, 130, 9, 0),
        (33, 2, 50, 60, 0),
        (5, 7, 17, 3, 2),
        (33, 4, 150, 9, 150),
    ] {
        let dims = GmDims { runs: RUNS, batch, components, inputs, outputs, rank };
        gm_layer_bits::<f32>(dims);
        gm_layer_bits::<f64>(dims);
    }
}

fn dense_bits<T: Real>(dims: DenseDims) {
    let mut rng = Philox::new(32, 0);
    let DenseDims { runs, batch, inputs, outputs } = dims;
    let x = pad::<T>(inputs, &normals(&mut rng, runs * batch * inputs));
    let dh = pad::<T>(outputs, &normals(&mut rng, runs * batch * outputs));
    let run = |rng: &mut Philox| {
        let (weight, bias) = (normals(rng, inputs * outputs), normals(rng, outputs));
        [pad::<T>(inputs, &weight), pad(outputs, &bias)].concat()
    };
    let params: Vec<T> = (0..runs).flat_map(|_| run(&mut rng)).collect();
    let work = |dims: DenseDims, x: &[T], params: &[T], dh: &[T]| {
        let (mut h, mut grads, mut dx) = (vec![T::ZERO; dh.len()], vec![T::ZERO; params.len()], vec![T::ZERO; x.len()]);
        dense::forward(dims, x, params, &mut h).expect("shapes fit");
        dense::backward(dims, x, params, dh, &mut grads, Some(&mut dx)).expect("shapes fit");
        unpad(outputs, &h);
        unpad(inputs, &dx);
        for run in grads.chunks_exact(dims.params_len()) {
            unpad(inputs, &run[dims.weight()]);
            unpad(outputs, &run[dims.bias()]);
        }
        [h, grads, dx]
    };
    same_on_any_threads(|| bits(&work(dims, &x, &params, &dh).each_ref().map(Vec::as_slice)));
    let all = work(dims, &x, &params, &dh);
    for run in 0..RUNS {
        let one = work(DenseDims { runs: 1, ..dims }, part(&x, run), part(&params, run), part(&dh, run));
        for (one, all) in one.iter().zip(&all) {
            assert!(bits(&[one]) == bits(&[part(all, run)]), "run {run} alone gives other bits: {dims:?}");
        }
    }
}

#[test]
fn dense_layer_gives_the_same_bits() {
    for (batch, inputs, outputs) in [(1, 1, 1), (5, 17, 3), (64, 300, 130), (33, 130, 257)] {
        let dims = DenseDims { runs: RUNS, batch, inputs, outputs };
        dense_bits::<f32>(dims);
        dense_bits::<f64>(dims);
    }
}
