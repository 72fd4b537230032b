//! Special cases: where two twins must agree, and what happens at the edge of what is allowed.

use bures::Error;
use bures::reference::loss::{LossDims, logistic, squared};
use bures::reference::philox::Philox;
use bures::reference::{Real, activation, full_covariance, gm_layer};
use bures::shape::GmDims;

use crate::support::{distance, normals, pack, pad, pass, random_layer, unpack, unpad};

/// Two derivations of one layer, with other code: they agree to rounding.
#[test]
fn a_diagonal_root_gives_the_diagonal_layer() {
    let mut rng = Philox::new(11, 0);
    for (inputs, outputs, components, batch) in [(1, 1, 1, 1), (5, 3, 2, 4), (17, 9, 6, 7)] {
        let dims = GmDims { runs: 1, batch, components, inputs, outputs, rank: 0 };
        let tensors = random_layer(dims, &mut rng);
        let [x, mu, sigma, u, v] = &tensors;
        let mut root = vec![0.0; components * inputs * inputs];
        for (at, &sigma) in sigma.iter().enumerate() {
            root[at * inputs + at % inputs] = sigma;
        }
        let layer = full_covariance::Layer { components, inputs, rank: inputs, outputs, mu, root: &root, u, v };
        let dh = normals(&mut rng, batch * outputs);
        let pass = pass(dims, &pad::<f64>(inputs, x), &pack(dims, &tensors[1..]), |_| pad(outputs, &dh));
        let grads = layer.backward(x, &dh).expect("shapes fit");
        let d_sigma: Vec<f64> = (0..components * inputs).map(|at| grads.root[at * inputs + at % inputs]).collect();
        let h = layer.forward(x).expect("shapes fit");
        assert!(distance(&unpad(outputs, &pass.h), &h) < 1e-14);
        for (got, want) in unpack(dims, &pass.grads).iter().zip([grads.mu, d_sigma, grads.u, grads.v]) {
            assert!(distance(got, &want) < 1e-13);
        }
    }
}

struct Scored<T> {
    loss: T,
    dh: Vec<T>,
    errors: u32,
}

/// The logistic loss of one row.
fn score<T: Real>(reference: bool, h: &[f64], label: u32) -> bures::Result<Scored<T>> {
    let dims = LossDims { runs: 1, batch: 1, outputs: h.len(), valid: 1 };
    let padded = pad::<T>(h.len(), h);
    let (mut dh, mut losses, mut errors) = (padded.clone(), [T::ZERO], [9]);
    logistic(dims, reference, &padded, &[label], &mut dh, &mut losses, &mut errors)?;
    Ok(Scored { loss: losses[0], dh, errors: errors[0] })
}

fn huge_logits<T: Real>() {
    let most = 1e5;
    for (reference, h, label, want) in [
        (true, [most, -most, 0.0], 1, 0.0),
        (true, [most, -most, 0.0], 2, 2.0 * most),
        (true, [most, -most, 0.0], 0, most),
        (true, [-most, -most, -most], 0, 0.0),
        (true, [-most, -most, -most], 3, most),
        (false, [-most, -most, -most], 1, 3.0_f64.ln()),
        (false, [most, most, most], 2, 3.0_f64.ln()),
        (false, [most, -most, 0.0], 1, 2.0 * most),
    ] {
        let scored = score::<T>(reference, &h, label).expect("a class");
        let off = (scored.loss.to_f64() - want).abs();
        assert!(off <= 1e-6 * want.max(1.0), "{h:?}, label {label}: {}, not {want}", scored.loss.to_f64());
        assert!(scored.dh.iter().all(|g| g.to_f64().abs() <= 1.0), "{h:?}, label {label}");
    }
}

#[test]
fn huge_logits_have_a_finite_loss() {
    huge_logits::<f64>();
    huge_logits::<f32>();
}

#[test]
fn the_lowest_class_wins_a_tie() {
    for (reference, h, predicted) in [
        (true, vec![0.0, 0.0], 0),
        (true, vec![1.0, 1.0], 1),
        (true, vec![-1.0, 2.0, 2.0], 2),
        (false, vec![0.0, 0.0], 0),
        (false, vec![-3.0, -2.0, -2.0], 1),
        (false, vec![-3.0], 0),
    ] {
        for label in 0..(h.len() + usize::from(reference)) as u32 {
            let scored = score::<f32>(reference, &h, label).expect("a class");
            assert_eq!(scored.errors, u32::from(label != predicted), "{h:?}, label {label}");
        }
    }
}

#[test]
fn a_label_that_is_no_class_is_refused() {
    for (reference, label) in [(true, 3), (false, 2), (true, u32::MAX)] {
        let refused = score::<f32>(reference, &[0.1, 0.2], label).err().expect("no such class");
        assert!(matches!(refused, Error::Shape { .. }) && refused.to_string().contains(&label.to_string()));
    }
    assert!(score::<f32>(true, &[0.1, 0.2], 2).is_ok(), "the last class with a reference");
    assert!(score::<f32>(false, &[0.1, 0.2], 1).is_ok(), "the last class without one");
}

#[test]
fn rows_that_do_not_count_are_not_looked_at() {
    let dims = LossDims { runs: 2, batch: 3, outputs: 2, valid: 2 };
    let h = pad::<f64>(2, &[1.0, 2.0, 3.0, 4.0, f64::NAN, f64::NAN, 1.0, 2.0, 3.0, 4.0, f64::NAN, f64::NAN]);
    let (mut dh, mut losses, mut errors) = (vec![0.0; dims.h_len()], [0.0; 2], [0; 2]);
    let labels = [0, 1, 99, 0, 1, 99];
    logistic(dims, true, &h, &labels, &mut dh, &mut losses, &mut errors).expect("the labels that count are classes");
    assert!(losses[0].is_finite() && losses[0] == losses[1] && errors == [2, 2]);
    squared(dims, &h, &vec![0.5; dims.h_len()], &mut dh, &mut losses, &mut errors).expect("shapes fit");
    assert_eq!((losses, errors), ([10.5, 10.5], [0, 0]));
    for valid in [0, 4] {
        let dims = LossDims { valid, ..dims };
        assert!(logistic(dims, true, &h, &labels, &mut dh, &mut losses, &mut errors).is_err(), "{valid} valid rows");
    }
}

#[test]
fn relu_has_no_slope_at_zero() {
    let h = [-1.0_f32, -0.0, 0.0, 1e-45, 2.0];
    let (mut z, mut dh) = ([f32::NAN; 5], [f32::NAN; 5]);
    activation::relu(&h, &mut z).expect("shapes fit");
    activation::relu_backward(&h, &[3.0; 5], &mut dh).expect("shapes fit");
    assert_eq!((z, dh), ([0.0, 0.0, 0.0, 1e-45, 2.0], [0.0, 0.0, 0.0, 3.0, 3.0]));
}

#[test]
fn the_unit_norm_of_tiny_and_huge_rows() {
    // In f32 squares vanish below 1e-23 and overflow above 1e19; 1e-40 is subnormal and counts as zero.
    for (size, length) in [(0.0_f32, 0.0), (1e-40, 0.0), (1e-37, 1.0), (1e-30, 1.0), (1.0, 1.0), (1e30, 1.0)] {
        let h = [3.0 * size, -4.0 * size, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let mut z = [f32::NAN; 8];
        activation::unit_norm(3, &h, &mut z).expect("shapes fit");
        let want = [0.6 * length, -0.8 * length];
        assert!((z[0] - want[0]).abs() < 3e-7 && (z[1] - want[1]).abs() < 3e-7, "{size:e}: {z:?}");
        assert_eq!(z[2..], [0.0; 6], "zeros stay zero");
        // Across the row; the third entry of h is 0, so z does not turn it away: ∂h = ∂z/‖h‖.
        let mut dh = [f32::NAN; 8];
        activation::unit_norm_backward(3, &h, &[0.0, 0.0, 1e-3, 0.0, 1.0, 1.0, 1.0, 0.0], &mut dh).expect("shapes fit");
        let want = if length == 0.0 { 0.0 } else { 1e-3 / (5.0 * size) };
        assert_eq!(dh[..2], [0.0; 2], "{size:e}");
        assert!((dh[2] - want).abs() <= 1e-6 * want, "{size:e}: {} for {want}", dh[2]);
        assert_eq!(dh[4..], [0.0; 4], "a zero row has no gradient");
    }
}

#[test]
fn arrays_of_the_wrong_length_are_refused() {
    let dims = GmDims { runs: 1, batch: 2, components: 2, inputs: 3, outputs: 2, rank: 0 };
    let mut workspace = gm_layer::Workspace::<f32>::new(dims);
    let (x, params, mut h) = (vec![0.0; dims.x_len()], vec![0.0; dims.params_len()], vec![0.0; dims.h_len()]);
    assert!(gm_layer::forward(&x, &params, &mut workspace, &mut h).is_ok());
    assert!(gm_layer::forward(&x[1..], &params, &mut workspace, &mut h).is_err());
    assert!(gm_layer::forward(&x, &params[1..], &mut workspace, &mut h).is_err());
    assert!(gm_layer::forward(&x, &params, &mut workspace, &mut h[1..]).is_err());
    let (mut grads, mut dx) = (params.clone(), x.clone());
    assert!(gm_layer::backward(&x, &params, &h, &mut workspace, &mut grads[1..], None).is_err());
    assert!(gm_layer::backward(&x, &params, &h[1..], &mut workspace, &mut grads, None).is_err());
    assert!(gm_layer::backward(&x, &params, &h, &mut workspace, &mut grads, Some(&mut dx[1..])).is_err());
}
