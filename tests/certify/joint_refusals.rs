//! Joint sets that no proof is about.

use bures::certify::core::{Method, Prepared, joint_bytes, prove_joint};

use crate::core_monte_carlo::{Random, network};
use crate::core_support::plain_witness;

#[test]
fn joint_sets_that_do_not_fit_are_refused() {
    let plain = network(&mut Random(1), &[2, 3, 2], "relu", 0.3, 0.0);
    let dropped = network(&mut Random(1), &[2, 3, 2], "relu", 0.3, 0.5);
    let prepared = Prepared::new(&plain).expect("a network");
    let witness = plain_witness(&plain);
    let refused = |inputs: &[&[f64]], message: &str| {
        let error = prove_joint(&prepared, inputs, &witness).expect_err(message).to_string();
        assert!(error.contains(message), "{error}, not {message}");
    };
    refused(&[], "no inputs");
    refused(&[&[1.0, 2.0], &[1.0]], "2 numbers");
    refused(&[&[1.0, 2.0], &[1.0, f64::NAN]], "no certificate");
    refused(&[&[1e200, 2.0], &[1.0, 1.0]], "no certificate");

    let inputs: [&[f64]; 2] = [&[1.0, 2.0], &[0.5, 2.0]];
    let error = prove_joint(&Prepared::new(&dropped).expect("a network"), &inputs, &plain_witness(&dropped));
    assert!(error.expect_err("dropout").to_string().contains("dropout"));
    let mut other = witness.clone();
    other.method = Method::PaperGrid;
    assert!(prove_joint(&prepared, &inputs, &other).is_err());
    other = witness.clone();
    other.layers[0].labels = vec![0];
    assert!(prove_joint(&prepared, &inputs, &other).is_err());
}

/// A joint law that fits no machine ends with the number of bytes, before anything is computed.
#[test]
fn joint_sets_beyond_memory_are_refused() {
    let wide = network(&mut Random(1), &[2, 512, 512, 2], "relu", 0.3, 0.0);
    let prepared = Prepared::new(&wide).expect("a network");
    let inputs: Vec<&[f64]> = vec![&[1.0, 2.0]; 20_000];
    let error = prove_joint(&prepared, &inputs, &plain_witness(&wide)).expect_err("a limit").to_string();
    assert!(error.contains("memory") && error.contains("20000 inputs"), "{error}");
    assert!(joint_bytes(&prepared, 100) > 8 * (100 * 512) * (100 * 512));
    assert_eq!(joint_bytes(&prepared, usize::MAX), u64::MAX);
}
