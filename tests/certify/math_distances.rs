//! Distances between Gaussians and between mixtures, and compression, against golden values.

use bures::math::compression::merge;
use bures::math::mixture::Components;
use bures::math::mixture_w2::{costs, couple};
use bures::math::{gaussian_w2, gaussian_w2::trace};

use crate::math_support::{Golden, close};

#[test]
fn golden_gaussian_distances() {
    let Some(golden) = Golden::read("gauss_w2") else { return };
    for case in golden.cases("w2sq") {
        let get = |name: &str| golden.floats(&format!("{case}.{name}"));
        let (m1, s1, m2, s2, want) = (get("m1"), get("S1"), get("m2"), get("S2"), get("w2sq")[0]);
        let n = m1.len();
        // Singular covariances are compared after their roots: half of the digits of what is 0 are lost.
        let size = trace(s1, n) + trace(s2, n);
        let tolerance = 1e-12 * size.max(want);
        close(&case, gaussian_w2::full(m1, s1, m2, s2).expect("covariances"), want, tolerance);
        close(&case, gaussian_w2::full(m2, s2, m1, s1).expect("covariances"), want, tolerance);
        if case.ends_with("diag") {
            let diagonal = |s: &[f64]| (0..n).map(|i| s[i * n + i]).collect::<Vec<f64>>();
            let got = gaussian_w2::diagonal(m1, &diagonal(s1), m2, &diagonal(s2));
            close(&case, got, want, 1e-14 * size.max(want));
        }
    }
}

fn components<'a>(golden: &'a Golden, case: &str, side: &str) -> Components<'a> {
    let get = |name: &str| golden.floats(&format!("{case}.{side}.{name}"));
    let (weights, means) = (get("weights"), get("means"));
    Components::new(means.len() / weights.len(), weights, means, get("covs")).expect("a mixture")
}

#[test]
fn golden_mixture_distances() {
    let Some(golden) = Golden::read("mw2") else { return };
    for case in golden.cases("mw2sq") {
        let (a, b) = (components(&golden, &case, "a"), components(&golden, &case, "b"));
        let want = golden.floats(&format!("{case}.cost"));
        let scale = want.iter().fold(0.0, |largest, cost| f64::max(largest, *cost));
        for (got, want) in costs(a, b).expect("covariances").iter().zip(want) {
            close(&case, *got, *want, 1e-11 * scale);
        }
        let distance = golden.floats(&format!("{case}.mw2sq"))[0];
        close(&case, couple(a, b).expect("mixtures").cost, distance, 1e-11 * scale);
    }
}

#[test]
fn golden_compressions() {
    let Some(golden) = Golden::read("compression") else { return };
    for case in golden.cases("labels") {
        let (before, after) = (components(&golden, &case, "in"), components(&golden, &case, "out"));
        let labels = golden.integers(&format!("{case}.labels"));
        let merged = merge(before, &labels).expect("labels fit");
        let names = ["weights", "means", "covs"];
        for (name, got) in names.into_iter().zip([&merged.weights, &merged.means, &merged.covariances]) {
            let want = golden.floats(&format!("{case}.out.{name}"));
            let scale = want.iter().fold(0.0, |largest, x| f64::max(largest, x.abs()));
            assert_eq!(got.len(), want.len());
            got.iter().zip(want).for_each(|(got, want)| close(&format!("{case} {name}"), *got, *want, 1e-13 * scale));
        }
        let pairs = costs(before, after).expect("covariances");
        let scale = pairs.iter().fold(0.0, |largest, cost| f64::max(largest, *cost));
        let coupled = couple(before, after).expect("mixtures").cost;
        close(&case, coupled, golden.floats(&format!("{case}.mw2sq"))[0], 1e-12 * scale);
        let clusters = after.weights().len();
        let own = |(i, &label): (usize, &u32)| before.weights()[i] * pairs[i * clusters + label as usize];
        let assigned: f64 = labels.iter().enumerate().map(own).sum();
        close(&case, assigned, golden.floats(&format!("{case}.assignment_upper_bound_sq"))[0], 1e-12 * scale);
        assert!(coupled <= assigned + 1e-12 * scale);
    }
}

#[test]
fn mixtures_that_do_not_fit_are_refused() {
    assert!(Components::new(2, &[1.0], &[0.0; 3], &[0.0; 4]).is_err());
    let (cov1, cov2) = ([1.0], [1.0, 0.0, 0.0, 1.0]);
    let one = Components::new(1, &[1.0], &[0.0], &cov1).expect("a mixture");
    let two = Components::new(2, &[1.0], &[0.0, 0.0], &cov2).expect("a mixture");
    assert!(couple(one, two).is_err());
    assert!(merge(one, &[1]).is_err(), "label 0 is not used");
    assert!(merge(one, &[0, 0]).is_err(), "too many labels");
    assert!(gaussian_w2::full(&[0.0], &[1.0], &[0.0, 0.0], &cov2).is_err());
    assert!(gaussian_w2::full(&[f64::NAN], &[1.0], &[0.0], &[1.0]).is_err());
}
