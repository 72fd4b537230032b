//! Printed joint bounds against the same formulas in 400-bit arithmetic: cases made by `soundness_cases/make_joint_cases.py`.
//! `BURES_JOINT_CASES` names another file of cases, for a longer run.

use crate::core_soundness::{ACTIVATIONS, Numbers, rounding, unpacked};
use crate::joint::joint;

#[test]
fn joint_bounds_are_sound_and_not_loose() {
    let numbers = unpacked("BURES_JOINT_CASES", include_bytes!("soundness_cases/joint_cases.bin.z"));
    let mut rest = Numbers(&numbers);
    let (mut count, mut worst, mut least, mut wrong) = (0, 0.0_f64, f64::INFINITY, Vec::new());
    while !rest.0.is_empty() {
        let activation = ACTIVATIONS[rest.count()];
        let points = rest.count();
        let network = rest.network(activation);
        let inputs: Vec<Vec<f64>> = (0..points).map(|_| rest.take(network.layers[0].inputs)).collect();
        let value = rest.take(1)[0];
        count += 1;
        let proof = joint(&network, &inputs);
        // A quadrature ends some 1e-14 above 0, and so do means of what is rounded: only bounds well above that are compared.
        let (smallest, allowed) = if activation == "tanh" { (1e-5, 1e-4) } else { (1e-7, 1e-6) };
        let excess = (proof.bound - rounding(&proof)) / value - 1.0;
        let comparable = value > smallest * proof.second_moment.sqrt();
        (worst, least) = (if comparable { worst.max(excess) } else { worst }, least.min(proof.bound / value - 1.0));
        if proof.bound < value || (comparable && excess > allowed) {
            wrong.push(format!(
                "case {count}, {points} points: {:e} for {value:e}, {excess:e}: {network:?}",
                proof.bound
            ));
        }
    }
    eprintln!("{count} joint cases, excess {least:e} at least, {worst:e} at most");
    assert!(wrong.is_empty(), "{} of {count}: {:#?}", wrong.len(), &wrong[..wrong.len().min(4)]);
}
