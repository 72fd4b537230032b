//! The diagonal layer, alone and stacked, against golden values.

use bures::reference::loss::{LossDims, logistic};
use bures::reference::{Real, activation};
use bures::shape::GmDims;

use crate::support::{Golden, Named, check_f32, check_f64, golden_folder, pack, pad, pass, unpack, unpad, wide};

pub(crate) const LAYERS: [&str; 11] = [
    "gm_small",
    "gm_mnist",
    "edge_111",
    "edge_L1",
    "edge_all_class0",
    "edge_huge_logits",
    "edge_sigma_1e-18",
    "edge_sigma_tiny",
    "edge_sigma_zero",
    "edge_t_extreme",
    "edge_x_zero",
];
pub(crate) const STACKED: &str = "stack2";

const INPUTS: [&str; 5] = ["X", "mu", "sigma", "U", "v"];

/// Every file of golden values is used by some test here.
#[test]
fn no_golden_file_is_forgotten() {
    let Some(folder) = golden_folder() else { return };
    let mut found: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder of golden values")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter_map(|name| name.strip_suffix(".safetensors").map(str::to_owned))
        .collect();
    found.sort();
    let mut used: Vec<&str> = LAYERS.into_iter().chain(crate::golden_full::REGRESSIONS).collect();
    used.extend([STACKED, crate::golden_full::COVARIANCE, crate::golden_moments::MOMENTS]);
    used.extend([crate::golden_training::TRAJECTORY, crate::golden_training::TRAINED]);
    used.sort_unstable();
    assert_eq!(found, used);
}

/// The class with the largest logit, class 0 having logit 0; the lowest of equals.
pub(crate) fn predictions(outputs: usize, h: &[f64]) -> Vec<u32> {
    let best = |row: &[f64]| {
        let (mut best, mut class) = (0.0, 0);
        for (at, &logit) in row.iter().enumerate() {
            if logit > best {
                (best, class) = (logit, at + 1);
            }
        }
        class as u32
    };
    h.chunks_exact(outputs).map(best).collect()
}

/// The mean logistic loss with a reference class, its gradient, and the wrong predictions.
pub(crate) fn loss<T: Real>(outputs: usize, h: &[T], labels: &[u32]) -> (T, Vec<T>, u32) {
    let dims = LossDims { runs: 1, batch: labels.len(), outputs, valid: labels.len() };
    let (mut dh, mut losses, mut errors) = (vec![T::ZERO; h.len()], [T::ZERO], [0]);
    logistic(dims, true, h, labels, &mut dh, &mut losses, &mut errors).expect("labels are classes");
    (losses[0], dh, errors[0])
}

fn run<T: Real>(dims: GmDims, labels: &[u32], inputs: &[Vec<f64>]) -> Named {
    let x = pad::<T>(dims.inputs, &inputs[0]);
    let params = pack::<T>(dims, &inputs[1..]);
    let mut scored = None;
    let pass = pass(dims, &x, &params, |h| {
        let (mean, dh, errors) = loss(dims.outputs, h, labels);
        scored = Some((mean.to_f64(), unpad(dims.outputs, &dh), errors));
        dh
    });
    let (mean, dh, errors) = scored.expect("the loss was asked for");
    let h = unpad(dims.outputs, &pass.h);
    let wrong = predictions(dims.outputs, &h).iter().zip(labels).filter(|(p, l)| p != l).count();
    assert_eq!(wrong as u32, errors);
    let (mut a, mut f) = (Vec::new(), Vec::new());
    for b in 0..dims.batch {
        for k in 0..dims.components {
            let moments = pass.workspace.moments(0, b, k);
            a.push(moments.a.to_f64());
            f.push(moments.f.to_f64());
        }
    }
    let [dmu, dsigma, du, dv] = unpack(dims, &pass.grads);
    let dx = unpad(dims.inputs, &pass.dx);
    let sum = mean * labels.len() as f64;
    vec![
        ("h", h),
        ("loss", vec![mean]),
        ("loss_sum", vec![sum]),
        ("dh", dh),
        ("dmu", dmu),
        ("dsigma", dsigma),
        ("dU", du),
        ("dv", dv),
        ("dX", dx),
        ("A", a),
        ("F", f),
    ]
}

/// What a twin of type `T` must give. Not compared (NaN): `F` where Y is a point mass to `T`, but not far from 0 in
/// exact arithmetic, and `∂x` of that row. The row 0 is among them, where `h` has a kink. Where σ = 0 the golden
/// values are those of a point mass too.
fn wanted<T: Real>(golden: &Golden, dims: GmDims) -> Named {
    let mut want = golden.named(&["h", "loss", "loss_sum", "dh", "dmu", "dsigma", "dU", "dv", "dX", "A", "F"]);
    let (mean, variance, t) = (golden.floats("m"), golden.floats("s2"), golden.floats("t"));
    let blurred = |at: &usize| {
        let point_mass = variance[*at] <= T::POINT_MASS_VARIANCE.to_f64();
        let golden_point_mass = variance[*at] == 0.0 && mean[*at] != 0.0;
        point_mass && !golden_point_mass && t[*at].abs() < 40.0
    };
    for at in (0..mean.len()).filter(blurred) {
        for (name, values) in &mut want {
            match *name {
                "F" => values[at] = f64::NAN,
                "dX" => values[at / dims.components * dims.inputs..][..dims.inputs].fill(f64::NAN),
                _ => {}
            }
        }
    }
    want
}

#[test]
fn layers_agree_with_golden_values() {
    let Some(folder) = golden_folder() else { return };
    for name in LAYERS {
        let golden = Golden::read(&folder, name);
        let (&[batch, inputs], &[components, outputs, _]) = (golden.shape("X"), golden.shape("U")) else {
            panic!("{name}: unexpected shapes")
        };
        let dims = GmDims { runs: 1, batch, components, inputs, outputs, rank: 0 };
        let labels = golden.integers("y");
        let given: Vec<_> = INPUTS.iter().map(|tensor| golden.floats(tensor)).collect();

        let exact = |given: &[Vec<f64>]| run::<f64>(dims, &labels, given);
        let got = exact(&given);
        check_f64(name, &got, &wanted::<f64>(&golden, dims));
        assert_eq!(predictions(outputs, &got[0].1), golden.integers("pred"), "{name}");

        let got = run::<f32>(dims, &labels, &given);
        check_f32(name, &given, &got, &wanted::<f32>(&golden, dims), exact);
        assert_eq!(predictions(outputs, &got[0].1), golden.integers("pred"), "{name}");
    }
}

/// The sizes of both layers of the stack.
fn stacked_dims(golden: &Golden) -> [GmDims; 2] {
    [("X", "U1"), ("z", "U2")].map(|(x, u)| match (golden.shape(x), golden.shape(u)) {
        (&[batch, inputs], &[components, outputs, _]) => {
            GmDims { runs: 1, batch, components, inputs, outputs, rank: 0 }
        }
        other => panic!("unexpected shapes {other:?}"),
    })
}

fn run_stacked<T: Real>([first, second]: [GmDims; 2], labels: &[u32], inputs: &[Vec<f64>]) -> Named {
    let x = pad::<T>(first.inputs, &inputs[0]);
    let mut above = None;
    let below = pass(first, &x, &pack::<T>(first, &inputs[1..5]), |h| {
        let mut z = vec![T::ZERO; h.len()];
        activation::unit_norm(first.outputs, h, &mut z).expect("shapes fit");
        let mut mean = T::ZERO;
        let pass = pass(second, &z, &pack::<T>(second, &inputs[5..]), |h| {
            let (value, dh, _) = loss(second.outputs, h, labels);
            mean = value;
            dh
        });
        let mut dh = vec![T::ZERO; h.len()];
        activation::unit_norm_backward(first.outputs, h, &pass.dx, &mut dh).expect("shapes fit");
        above = Some((z, mean, pass, dh.clone()));
        dh
    });
    let (z, mean, above, dh) = above.expect("the second layer ran");
    let mut results = vec![
        ("h1", unpad(first.outputs, &below.h)),
        ("z", unpad(first.outputs, &z)),
        ("h2", unpad(second.outputs, &above.h)),
        ("loss", wide(&[mean])),
        ("dz", unpad(second.inputs, &above.dx)),
        ("dh1", unpad(first.outputs, &dh)),
    ];
    results.extend(["dmu1", "dsigma1", "dU1", "dv1"].into_iter().zip(unpack(first, &below.grads)));
    results.extend(["dmu2", "dsigma2", "dU2", "dv2"].into_iter().zip(unpack(second, &above.grads)));
    results
}

#[test]
fn a_stack_of_two_layers_agrees_with_golden_values() {
    let Some(folder) = golden_folder() else { return };
    let golden = Golden::read(&folder, STACKED);
    let (dims, labels) = (stacked_dims(&golden), golden.integers("y"));
    let names = ["X", "mu1", "sigma1", "U1", "v1", "mu2", "sigma2", "U2", "v2"];
    let given: Vec<_> = names.iter().map(|tensor| golden.floats(tensor)).collect();
    let exact = |given: &[Vec<f64>]| run_stacked::<f64>(dims, &labels, given);
    let got = exact(&given);
    let names: Vec<_> = got.iter().map(|(name, _)| *name).collect();
    let want = golden.named(&names);
    check_f64(STACKED, &got, &want);
    check_f32(STACKED, &given, &run_stacked::<f32>(dims, &labels, &given), &want, exact);
}
