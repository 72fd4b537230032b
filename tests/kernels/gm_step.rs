//! The fused training step against the same steps in f64 on the host.

use bures::kernels::gm_step::{GmStep, GmStepArgs};
use bures::kernels::optimizer::{AdamSettings, OptimizerKind, Update};
use bures::reference::optimizer::{Group, Rule};
use bures::reference::{gm_layer, loss, optimizer};
use bures::shape::GmDims;

use crate::device::{Bench, assert_close, padded, widen};
use crate::gm::{dims, parameters};
use crate::tolerances;

const STEPS: usize = 3;
const RATES: [f32; 4] = [0.1, 0.05, 0.1, 0.1];
const L2: [f32; 4] = [1e-3, 0.0, 1e-3, 0.0];

struct Outcome {
    params: Vec<f32>,
    losses: Vec<f32>,
    errors: Vec<u32>,
}

/// `STEPS` steps, a slot each.
fn run(dims: GmDims, kind: OptimizerKind, x: &[f32], labels: &[u32], params: &[f32]) -> Outcome {
    let mut bench = Bench::gpu();
    let (x, labels) = (bench.put(x), bench.put(labels));
    let (mut first, mut second) = (bench.zeros(params.len()), bench.zeros(params.len()));
    let mut params = bench.put(params);
    let (mut losses, mut errors) = (bench.zeros(STEPS * dims.runs), bench.zeros(STEPS * dims.runs));
    let mut step = GmStep::new(&bench.device, dims, true, kind).expect("kernels");
    for slot in 0..STEPS {
        let settings = AdamSettings::default();
        let update = match kind {
            OptimizerKind::Sgd => Update::Sgd,
            OptimizerKind::Momentum => Update::Momentum { decay: 0.9, buffer: &mut first },
            OptimizerKind::Adam => {
                Update::Adam { settings, step: slot as u64 + 1, first: &mut first, second: &mut second }
            }
        };
        let (params, losses, errors) = (&mut params, &mut losses, &mut errors);
        let (x, labels) = (&x, &labels);
        let args = GmStepArgs { x, labels, slot, params, rates: RATES, l2: L2, update, losses, errors };
        step.record(&mut bench.stream, args).expect("dispatches");
    }
    Outcome { params: bench.get(&params), losses: bench.get(&losses), errors: bench.get(&errors) }
}

fn data(dims: &GmDims) -> (Vec<f32>, Vec<u32>) {
    let rows = STEPS * dims.runs * dims.batch;
    let classes = dims.outputs + 1;
    (padded(1, rows, dims.inputs, 1.0), (0..rows).map(|i| (i * 5 % classes) as u32).collect())
}

fn on_the_host(dims: GmDims, kind: OptimizerKind, x: &[f32], labels: &[u32], params: &[f32]) -> (Vec<f64>, Vec<f64>) {
    let mut params = widen(params);
    let x = widen(x);
    let ranges = [dims.mu(), dims.sigma(), dims.u(), dims.v()];
    let groups: Vec<Group> = (0..4).map(|i| Group { range: ranges[i].clone(), rate: RATES[i], l2: L2[i] }).collect();
    let (mut m, mut v) = (vec![0.0; params.len()], vec![0.0; params.len()]);
    let (mut h, mut dh) = (vec![0.0; dims.h_len()], vec![0.0; dims.h_len()]);
    let mut grads = vec![0.0; params.len()];
    let mut workspace = gm_layer::Workspace::new(dims);
    let (mut losses, mut errors) = (vec![0.0; STEPS * dims.runs], vec![0; dims.runs]);
    let loss_dims = loss::LossDims { runs: dims.runs, batch: dims.batch, outputs: dims.outputs, valid: dims.batch };
    for slot in 0..STEPS {
        let x = &x[slot * dims.x_len()..][..dims.x_len()];
        let labels = &labels[slot * dims.runs * dims.batch..][..dims.runs * dims.batch];
        let losses = &mut losses[slot * dims.runs..][..dims.runs];
        gm_layer::forward(x, &params, &mut workspace, &mut h).expect("shapes");
        loss::logistic(loss_dims, true, &h, labels, &mut dh, losses, &mut errors).expect("shapes");
        gm_layer::backward(x, &params, &dh, &mut workspace, &mut grads, None).expect("shapes");
        let len = dims.params_len();
        let adam = Rule::adam(AdamSettings { epsilon: 1e-8, ..AdamSettings::default() }, slot as u64 + 1);
        let (rule, state): (_, [&mut [f64]; 2]) = match kind {
            OptimizerKind::Sgd => (Rule::Sgd, Default::default()),
            OptimizerKind::Momentum => (Rule::Momentum { decay: f64::from(0.9f32) }, [&mut m, &mut []]),
            OptimizerKind::Adam => (adam, [&mut m, &mut v]),
        };
        optimizer::step(&rule, len, &groups, &mut params, &grads, state).expect("shapes");
    }
    (params, losses)
}

#[test]
fn descent_agrees_with_the_host() {
    for kind in [OptimizerKind::Sgd, OptimizerKind::Momentum] {
        let dims = dims(2, 10, 3, 21, 9);
        let ((x, labels), params) = (data(&dims), parameters(&dims, 200));
        let got = run(dims, kind, &x, &labels, &params);
        let (want, losses) = on_the_host(dims, kind, &x, &labels, &params);
        assert_close("parameters", &got.params, &want, tolerances::sums(34, 1.0));
        assert_close("losses", &got.losses, &losses, tolerances::sums(34, 2.0));
        assert!(got.errors.iter().all(|&errors| errors <= 10));
    }
}

/// Adam divides by the root of the second moment, so where a gradient nearly vanishes its sign may differ: the losses
/// must agree, and the parameters all but a few.
#[test]
fn adam_agrees_with_the_host() {
    let dims = dims(1, 64, 5, 30, 9);
    let ((x, labels), params) = (data(&dims), parameters(&dims, 200));
    let got = run(dims, OptimizerKind::Adam, &x, &labels, &params);
    let (want, losses) = on_the_host(dims, OptimizerKind::Adam, &x, &labels, &params);
    assert_close("losses", &got.losses, &losses, |want| 2e-5 * want);
    let far = got.params.iter().zip(&want).filter(|(got, want)| (f64::from(**got) - **want).abs() > 1e-3).count();
    assert!(far * 200 < want.len(), "{far} of {} parameters differ", want.len());
}

#[test]
fn repeats_and_runs_together_give_the_same_bits() {
    let three = dims(3, 10, 4, 21, 9);
    let ((x, labels), params) = (data(&three), parameters(&three, 200));
    let first = run(three, OptimizerKind::Adam, &x, &labels, &params);
    let second = run(three, OptimizerKind::Adam, &x, &labels, &params);
    assert!(first.params == second.params && first.losses == second.losses, "a repeat differs");
    let one = GmDims { runs: 1, ..three };
    for r in 0..3 {
        // Slots come before runs, so a run's rows lie apart.
        let x: Vec<f32> = x.chunks_exact(one.x_len()).skip(r).step_by(3).flatten().copied().collect();
        let labels: Vec<u32> = labels.chunks_exact(one.batch).skip(r).step_by(3).flatten().copied().collect();
        let len = one.params_len();
        let alone = run(one, OptimizerKind::Adam, &x, &labels, &params[r * len..][..len]);
        assert!(alone.params == first.params[r * len..][..len], "parameters of run {r} differ alone");
        let losses: Vec<f32> = first.losses.iter().skip(r).step_by(3).copied().collect();
        assert!(alone.losses == losses, "losses of run {r} differ alone");
    }
}
