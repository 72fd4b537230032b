//! Optimisers.

use bures::kernels::optimizer::{AdamSettings, Group, Optimizer, OptimizerArgs, OptimizerKind, Update};
use bures::reference::optimizer as twin;

use crate::device::{Bench, assert_close, padded, widen};
use crate::tolerances;

const LEN: usize = 40;

fn groups() -> [Group; 3] {
    [
        Group { range: 0..8, rate: 0.1, l2: 0.0 },
        Group { range: 8..20, rate: 1.0, l2: 0.01 },
        Group { range: 24..40, rate: 0.0, l2: 0.5 },
    ]
}

#[test]
fn steps_agree_with_the_twin() {
    for kind in [OptimizerKind::Sgd, OptimizerKind::Momentum, OptimizerKind::Adam] {
        let (params, grads) = (padded(1, 2, LEN, 1.0), padded(2, 2, LEN, 1.0));
        let settings = AdamSettings::default();
        let mut bench = Bench::gpu();
        let mut params_gpu = bench.put(&params);
        let grads_gpu = bench.put(&grads);
        let (mut first, mut second) = (bench.zeros(2 * LEN), bench.zeros(2 * LEN));
        let optimizer = Optimizer::new(&bench.device, kind).expect("a kernel");
        let (mut params, grads) = (widen(&params), widen(&grads));
        let (mut m, mut v) = (vec![0.0; 2 * LEN], vec![0.0; 2 * LEN]);
        for step in 1..=5 {
            let update = match kind {
                OptimizerKind::Sgd => Update::Sgd,
                OptimizerKind::Momentum => Update::Momentum { decay: 0.9, buffer: &mut first },
                OptimizerKind::Adam => Update::Adam { settings, step, first: &mut first, second: &mut second },
            };
            let (groups, params_to) = (&groups(), &mut params_gpu);
            let args = OptimizerArgs { params_len: LEN, groups, params: params_to, grads: &grads_gpu, update };
            optimizer.record(&mut bench.stream, args).expect("a dispatch");
            let (rule, state): (_, [&mut [f64]; 2]) = match kind {
                OptimizerKind::Sgd => (twin::Rule::Sgd, Default::default()),
                OptimizerKind::Momentum => (twin::Rule::Momentum { decay: f64::from(0.9f32) }, [&mut m, &mut []]),
                OptimizerKind::Adam => (twin::Rule::adam(settings, step), [&mut m, &mut v]),
            };
            twin::step(&rule, LEN, groups, &mut params, &grads, state).expect("shapes");
        }
        // Five steps of elementwise arithmetic on numbers of size 10 at most.
        let tolerance = |want: f64| 4e-6 + tolerances::elementwise(want);
        assert_close(&format!("{kind:?}"), &bench.get(&params_gpu), &params, tolerance);
        assert_close(&format!("first of {kind:?}"), &bench.get(&first), &m, tolerance);
    }
}

#[test]
fn a_step_of_another_optimizer_is_refused() {
    let mut bench = Bench::gpu();
    let (mut params, grads) = (bench.zeros(LEN), bench.zeros(LEN));
    let optimizer = Optimizer::new(&bench.device, OptimizerKind::Adam).expect("a kernel");
    let args =
        OptimizerArgs { params_len: LEN, groups: &groups(), params: &mut params, grads: &grads, update: Update::Sgd };
    assert!(optimizer.record(&mut bench.stream, args).is_err());
}
