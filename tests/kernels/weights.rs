//! Component weights: the weighted layer on both executors, and the step on the simplex.

use bures::device::Device;
use bures::kernels::gm_weighted::GmWeighted;
use bures::kernels::simplex_step::{SimplexStep, SimplexStepArgs};
use bures::reference::{gm_layer, gm_weights};
use bures::shape::GmDims;

use crate::device::{Bench, assert_close, gpu, padded, widen};
use crate::gm::parameters;
use crate::tolerances;

const SIZES: [GmDims; 3] = [
    GmDims { runs: 2, batch: 9, components: 5, inputs: 21, outputs: 9, rank: 0 },
    GmDims { runs: 1, batch: 3, components: 4, inputs: 8, outputs: 1, rank: 3 },
    GmDims { runs: 1, batch: 2, components: 1, inputs: 3, outputs: 30, rank: 3 },
];

/// Parameters of the weighted layer, all runs.
fn weighted(dims: &GmDims) -> Vec<f32> {
    let plain = parameters(dims, 200);
    let mut all = Vec::new();
    for (run, plain) in plain.chunks_exact(dims.params_len()).enumerate() {
        all.extend_from_slice(plain);
        let mut w = padded(500 + run as u64, 1, dims.components, 1.0);
        w.iter_mut().for_each(|w| *w = w.abs());
        let sum: f32 = w.iter().sum();
        all.extend(w.iter().map(|w| w / sum));
    }
    all
}

/// `h`, gradients and `dx`.
fn run(device: Device, dims: GmDims, x: &[f32], params: &[f32], dh: &[f32]) -> [Vec<f32>; 3] {
    let mut bench = Bench::on(device);
    let (x, params, dh) = (bench.put(x), bench.put(params), bench.put(dh));
    let (mut h, mut grads, mut dx) = (bench.garbage(dh.len()), bench.garbage(params.len()), bench.garbage(x.len()));
    let mut layer = GmWeighted::new(&bench.device, dims).expect("kernels");
    layer.forward(&mut bench.stream, (&x, 0), &params, &mut h).expect("dispatches");
    let to = (&mut grads, Some(&mut dx));
    layer.backward(&mut bench.stream, (&x, 0), &params, &dh, to).expect("dispatches");
    [bench.get(&h), bench.get(&grads), bench.get(&dx)]
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |largest, value| largest.max(value.abs()))
}

#[test]
fn the_weighted_layer_agrees_with_the_twin_on_both_executors() {
    for dims in SIZES {
        let x = padded(100, dims.runs * dims.batch, dims.inputs, 1.0);
        let dh = padded(300, dims.runs * dims.batch, dims.outputs, 1.0 / dims.batch as f64);
        let params = weighted(&dims);
        let (wide_x, wide, wide_dh) = (widen(&x), widen(&params), widen(&dh));
        let mut workspace = gm_layer::Workspace::new(dims);
        let plain = dims.runs * dims.params_len();
        let (mut effective, mut d_effective) = (vec![0.0; plain], vec![0.0; plain]);
        let (mut h, mut grads, mut dx) = (vec![0.0; dh.len()], vec![0.0; params.len()], vec![0.0; x.len()]);
        gm_weights::weigh(&dims, &wide, &mut effective).expect("shapes");
        gm_layer::forward(&wide_x, &effective, &mut workspace, &mut h).expect("shapes");
        let to = Some(&mut dx[..]);
        gm_layer::backward(&wide_x, &effective, &wide_dh, &mut workspace, &mut d_effective, to).expect("shapes");
        gm_weights::weigh_backward(&dims, &wide, &d_effective, &mut grads).expect("shapes");
        let terms = dims.inputs * dims.outputs + dims.components + dims.batch;
        for device in [Device::Cpu, gpu()] {
            let got = run(device.clone(), dims, &x, &params, &dh);
            assert!(got == run(device, dims, &x, &params, &dh), "a repeat differs");
            assert_close("h", &got[0], &h, tolerances::sums(terms, largest(&h)));
            assert_close("dx", &got[2], &dx, tolerances::sums(terms, largest(&dx)));
            let len = gm_weights::weights(&dims).end;
            for (got, want) in got[1].chunks_exact(len).zip(grads.chunks_exact(len)) {
                for range in [dims.mu(), dims.sigma(), dims.u(), dims.v(), dims.root(), gm_weights::weights(&dims)] {
                    let want = &want[range.clone()];
                    let tolerance = tolerances::sums(terms, largest(want));
                    assert_close(&format!("{range:?} of the gradients of {dims:?}"), &got[range], want, tolerance);
                }
            }
        }
    }
}

#[test]
fn steps_on_the_simplex_agree() {
    for components in [1, 5, 20] {
        let (len, runs, at) = (32, 3, 4..4 + components);
        let mut params = padded(1, runs, len, 1.0);
        params.chunks_exact_mut(len).for_each(|run| run[at.clone()].fill(1.0 / components as f32));
        let grads = padded(2, runs, len, 3.0);
        let mut want = widen(&params);
        gm_weights::simplex_step(at.clone(), len, 0.3, &mut want, &widen(&grads));
        for device in [Device::Cpu, gpu()] {
            let mut bench = Bench::on(device);
            let (mut moved, grads) = (bench.put(&params), bench.put(&grads));
            let step = SimplexStep::new(&bench.device).expect("a kernel");
            let (weights, params) = (at.clone(), &mut moved);
            let args = SimplexStepArgs { weights, params_len: len, rate: 0.3, params, grads: &grads };
            step.record(&mut bench.stream, args).expect("a dispatch");
            // exp errs by 1e-6 on its usual range, and by as much as its argument's rounding.
            assert_close("parameters", &bench.get(&moved), &want, |want| 4e-6 * want.abs());
        }
    }
}
