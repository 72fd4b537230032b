//! Full covariances, for classification and for regression, against golden values.

use bures::reference::{Real, full_covariance, joint_regression};

use crate::golden_layer::loss;
use crate::support::{Golden, Named, check_f32, check_f64, distance, golden_folder, pad, unpad, wide};

pub(crate) const COVARIANCE: &str = "full_cov";
pub(crate) const REGRESSIONS: [&str; 2] = ["regression_K1", "regression_K3"];

fn narrow<T: Real>(values: &[f64]) -> Vec<T> {
    values.iter().map(|&x| T::of(x)).collect()
}

/// `[components, outputs, inputs]` and the labels.
fn run_covariance<T: Real>([components, outputs, inputs]: [usize; 3], labels: &[u32], given: &[Vec<f64>]) -> Named {
    let given: Vec<Vec<T>> = given.iter().map(|tensor| narrow(tensor)).collect();
    let [x, mu, root, u, v] = given.as_slice() else { panic!("five inputs") };
    let layer = full_covariance::Layer { components, inputs, rank: inputs, outputs, mu, root, u, v };
    let h = layer.forward(x).expect("shapes fit");
    let (mean, dh, _) = loss(outputs, &pad::<T>(outputs, &wide(&h)), labels);
    let grads = layer.backward(x, &narrow::<T>(&unpad(outputs, &dh))).expect("shapes fit");
    let velocity = layer.covariance_velocity(&grads);
    vec![
        ("h", wide(&h)),
        ("loss", wide(&[mean])),
        ("dmu", wide(&grads.mu)),
        ("dC", wide(&grads.root)),
        ("dU", wide(&grads.u)),
        ("dv", wide(&grads.v)),
        ("Sigma_dot", wide(&velocity)),
    ]
}

#[test]
fn the_full_covariance_layer_agrees_with_golden_values() {
    let Some(folder) = golden_folder() else { return };
    let golden = Golden::read(&folder, COVARIANCE);
    let sizes: [usize; 3] = golden.shape("U").try_into().expect("[K, L, d]");
    let labels = golden.integers("y");
    let given: Vec<_> = ["X", "mu", "C", "U", "v"].iter().map(|name| golden.floats(name)).collect();
    let exact = |given: &[Vec<f64>]| run_covariance::<f64>(sizes, &labels, given);
    let got = exact(&given);
    let names: Vec<_> = got.iter().map(|(name, _)| *name).collect();
    let want = golden.named(&names);
    check_f64(COVARIANCE, &got, &want);
    check_f32(COVARIANCE, &given, &run_covariance::<f32>(sizes, &labels, &given), &want, exact);
}

fn sum<T: Real>(a: &[T], scale: T, b: &[T]) -> Vec<T> {
    a.iter().zip(b).map(|(&a, &b)| a + scale * b).collect()
}

/// Covariances of all components.
fn covariances<T: Real>(layer: &joint_regression::Layer<'_, T>) -> Vec<T> {
    (0..layer.components).flat_map(|k| layer.covariance(k)).collect()
}

/// `[components, inputs]`; given are `X, y, mu, C` and the step of the flow.
fn run_regression<T: Real>([components, inputs]: [usize; 2], eta: f64, given: &[Vec<f64>]) -> Named {
    let given: Vec<Vec<T>> = given.iter().map(|tensor| narrow(tensor)).collect();
    let [x, y, mu, root] = given.as_slice() else { panic!("four inputs") };
    let layer = joint_regression::Layer { components, inputs, mu, root };
    let sigma = covariances(&layer);
    let mut statistics: [Vec<T>; 8] = Default::default();
    for (k, sigma) in sigma.chunks_exact((inputs + 1) * (inputs + 1)).enumerate() {
        for x in x.chunks_exact(inputs) {
            let s = layer.statistics(k, sigma, x);
            let values = [vec![s.a], vec![s.b], vec![s.c], vec![s.d], vec![s.f], vec![s.kappa], s.p, s.q];
            statistics.iter_mut().zip(values).for_each(|(all, values)| all.extend(values));
        }
    }
    let gradient = layer.gradient(x, y).expect("shapes fit");
    let (mean_velocity, covariance_velocity) = layer.velocity(&gradient);
    // Euler steps: of size η along the Bures–Wasserstein flow, and of size Kη down the gradient with respect to C.
    let eta = T::of(eta);
    let mu_next = sum(mu, eta, &mean_velocity);
    let flow_next = sum(&sigma, eta, &covariance_velocity);
    let root_next = sum(root, -T::of(components as f64) * eta, &gradient.root);
    let descent_next = covariances(&joint_regression::Layer { components, inputs, mu, root: &root_next });
    let names = ["stat_A", "stat_B", "stat_C", "stat_D", "stat_F", "kappa", "stat_P", "stat_Q"];
    let mut results: Named = names.into_iter().zip(statistics.iter().map(|s| wide(s))).collect();
    results.extend([
        ("Sigma", wide(&sigma)),
        ("pred", wide(&gradient.predictions)),
        ("loss", wide(&[gradient.loss])),
        ("dmu", wide(&gradient.mu)),
        ("dC", wide(&gradient.root)),
        ("g", wide(&mean_velocity)),
        ("G", wide(&covariance_velocity)),
        ("mu_next", wide(&mu_next)),
        ("Sigma_BW_next", wide(&flow_next)),
        ("Sigma_C_next", wide(&descent_next)),
    ]);
    results
}

#[test]
fn the_regression_layer_agrees_with_golden_values() {
    let Some(folder) = golden_folder() else { return };
    for name in REGRESSIONS {
        let golden = Golden::read(&folder, name);
        let sizes = [golden.shape("mu")[0], golden.shape("X")[1]];
        let eta = golden.floats("eta")[0];
        let given: Vec<_> = ["X", "y", "mu", "C"].iter().map(|tensor| golden.floats(tensor)).collect();
        let exact = |given: &[Vec<f64>]| run_regression::<f64>(sizes, eta, given);
        let got = exact(&given);
        let names: Vec<_> = got.iter().map(|(name, _)| *name).collect();
        let want = golden.named(&names);
        check_f64(name, &got, &want);
        check_f32(name, &given, &run_regression::<f32>(sizes, eta, &given), &want, exact);
    }
}

/// Theorem 1: gradient descent on C follows the Bures–Wasserstein flow, so single steps differ by O(η²).
#[test]
fn descent_on_the_root_follows_the_flow() {
    let Some(folder) = golden_folder() else { return };
    for name in REGRESSIONS {
        let golden = Golden::read(&folder, name);
        let sizes = [golden.shape("mu")[0], golden.shape("X")[1]];
        let given: Vec<_> = ["X", "y", "mu", "C"].iter().map(|tensor| golden.floats(tensor)).collect();
        let gap = |eta: f64| {
            let results = run_regression::<f64>(sizes, eta, &given);
            let of = |name: &str| &results.iter().find(|(known, _)| *known == name).expect("a result").1;
            distance(of("Sigma_C_next"), of("Sigma_BW_next"))
        };
        let eta = golden.floats("eta")[0];
        let ratio = gap(eta) / gap(eta / 2.0);
        assert!(gap(eta) > 1e-9, "{name}: the steps do not differ, so nothing is tested");
        assert!((ratio - 4.0).abs() < 0.02, "{name}: halving the step divides the gap by {ratio}, not by 4");
    }
}
