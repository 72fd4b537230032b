//! The twins of what mixtures go through, in f64, against golden values and against the mathematics of the host.

use bures::math::gaussian_w2;
use bures::reference::compression::{self, Components, CompressionDims, Merged};
use bures::reference::gaussian_w2::{List, PairDims, diagonal, full};
use bures::reference::philox::Philox;
use bures::reference::propagation::Covariances;
use bures::reference::stochastic;
use bures::shape::{DenseDims, stride};

use crate::math_support::{Golden, normals};
use crate::support::{pad, unpad};

fn close(case: &str, got: &[f64], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len(), "{case}");
    for (at, (got, want)) in got.iter().zip(want).enumerate() {
        assert!((got - want).abs() <= tolerance, "{case}, {at}: {got:e}, not {want:e}");
    }
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |largest, x| f64::max(largest, x.abs()))
}

#[test]
fn golden_distances() {
    let Some(golden) = Golden::read("gauss_w2") else { return };
    for case in golden.cases("w2sq") {
        let get = |name: &str| golden.floats(&format!("{case}.{name}"));
        let n = get("m1").len();
        let padded = |name: &str| pad::<f64>(n, get(name));
        let (m1, s1, m2, s2) = (padded("m1"), padded("S1"), padded("m2"), padded("S2"));
        let dims = PairDims { batch: 1, left: 1, right: 1, width: n };
        let mut out = [f64::NAN];
        let lists = [List { means: &m1, covariances: &s1 }, List { means: &m2, covariances: &s2 }];
        full(dims, lists[0], lists[1], &mut out).expect("covariances");
        let trace = |s: &[f64]| (0..n).map(|i| s[i * stride(n) + i]).sum::<f64>();
        close(&case, &out, get("w2sq"), 1e-11 * (trace(&s1) + trace(&s2) + get("w2sq")[0]));
    }
}

/// Every pair of every problem, at a width that needs pads.
#[test]
fn all_pairs_are_those_of_the_host() {
    let mut rng = Philox::new(61, 0);
    let dims = PairDims { batch: 2, left: 3, right: 2, width: 5 };
    let (n, np) = (5, stride(5));
    let list = |count: usize, rng: &mut Philox| {
        let means = normals(rng, count * n);
        let factors = normals(rng, count * n * n);
        let covariances: Vec<f64> = factors
            .chunks_exact(n * n)
            .flat_map(|a| (0..n * n).map(move |at| (0..n).map(|k| a[at / n * n + k] * a[at % n * n + k]).sum()))
            .collect();
        (means, covariances)
    };
    let ((m1, s1), (m2, s2)) = (list(6, &mut rng), list(4, &mut rng));
    let padded = [&m1, &s1, &m2, &s2].map(|values| pad::<f64>(n, values));
    let [p1, c1, p2, c2] = &padded;
    let mut out = vec![f64::NAN; 12];
    let lists = [List { means: p1, covariances: c1 }, List { means: p2, covariances: c2 }];
    full(dims, lists[0], lists[1], &mut out).expect("covariances");
    let want: Vec<f64> = (0..12)
        .map(|pair| {
            let (i, j) = (pair / 2, pair / 6 * 2 + pair % 2);
            let square = n * n;
            gaussian_w2::full(
                &m1[i * n..][..n],
                &s1[i * square..][..square],
                &m2[j * n..][..n],
                &s2[j * square..][..square],
            )
            .expect("covariances")
        })
        .collect();
    close("full", &out, &want, 1e-11 * largest(&want));
    let variances = |values: &[f64]| values.iter().map(|x| x * x).collect::<Vec<f64>>();
    let (v1, v2) = (variances(p1), variances(p2));
    let lists = [List { means: p1, covariances: &v1 }, List { means: p2, covariances: &v2 }];
    diagonal(dims, lists[0], lists[1], &mut out).expect("variances");
    for (pair, &got) in out.iter().enumerate() {
        let (i, j) = ((pair / 2) * np, (pair / 6 * 2 + pair % 2) * np);
        let want = gaussian_w2::diagonal(&p1[i..][..n], &v1[i..][..n], &p2[j..][..n], &v2[j..][..n]);
        close("diagonal", &[got], &[want], 1e-13 * want);
    }
    let wide = PairDims { batch: 1, left: 1, right: 1, width: 129 };
    let error = full::<f64>(wide, lists[0], lists[1], &mut out).expect_err("too wide").to_string();
    assert!(error.contains("128") && error.contains("129"), "{error}");
}

#[test]
fn golden_compressions() {
    let Some(golden) = Golden::read("compression") else { return };
    for case in golden.cases("labels") {
        let get = |name: &str| golden.floats(&format!("{case}.{name}"));
        let (weights, labels) = (get("in.weights"), golden.integers(&format!("{case}.labels")));
        let width = get("in.means").len() / weights.len();
        let clusters = get("out.weights").len();
        let dims = CompressionDims { batch: 1, components: weights.len(), clusters, width };
        let (means, covariances) = (pad::<f64>(width, get("in.means")), pad::<f64>(width, get("in.covs")));
        let nan = |n: usize| vec![f64::NAN; n];
        let (mut w, mut m, mut s) = (nan(clusters), nan(dims.centres_len()), nan(dims.centres_len() * width));
        let from = Components { labels: &labels, weights, means: &means, covariances: Covariances::Full(&covariances) };
        let to = Merged { weights: &mut w, means: &mut m, covariances: &mut s };
        compression::merge(dims, from, to).expect("shapes fit");
        let results = [("weights", w), ("means", unpad(width, &m)), ("covs", unpad(width, &s))];
        for (name, got) in results {
            let want = get(&format!("out.{name}"));
            close(&format!("{case} {name}"), &got, want, 1e-13 * largest(want));
        }
    }
}

/// Clusters of weight 0 and without components, and equal distances.
#[test]
fn odd_clusters() {
    let dims = CompressionDims { batch: 1, components: 3, clusters: 3, width: 1 };
    let means = pad::<f64>(1, &[1.0, 2.0, 3.0]);
    let variances = pad::<f64>(1, &[0.5, 0.25, 0.125]);
    let (mut w, mut m, mut s) = ([0.0; 3], [0.0; 12], [0.0; 12]);
    let covariances = Covariances::Diagonal(&variances);
    let from = Components { labels: &[2, 2, 0], weights: &[0.0, 0.0, 1.0], means: &means, covariances };
    compression::merge(dims, from, Merged { weights: &mut w, means: &mut m, covariances: &mut s }).expect("shapes fit");
    assert_eq!((w, m[0], m[4], m[8]), ([1.0, 0.0, 0.0], 3.0, 0.0, 1.0));
    assert_eq!((s[0], s[4], s[8]), (0.125, 0.0, 0.5));
    let mut labels = [9; 3];
    let centres = pad::<f64>(1, &[2.5, 1.5, 2.5]);
    compression::assign(dims, &means, &centres, &mut labels).expect("shapes fit");
    assert_eq!(labels, [1, 0, 0], "2 is as far from 1.5 as from 2.5, and the lowest number wins");
}

/// One point at a time: `M a + b̄` and `V a² + B` are the blocks on the diagonal of the joint law.
#[test]
fn golden_layers() {
    let Some(golden) = Golden::read("dense") else { return };
    for case in golden.cases("acts") {
        let get = |name: &str| golden.floats(&format!("{case}.{name}"));
        let (outputs, atoms) = (get("b_mean").len(), get("acts").len());
        let inputs = get("W_mean").len() / outputs;
        let dims = DenseDims { runs: 1, batch: atoms / inputs, inputs, outputs };
        let params =
            |weight: &str, bias: &str| [pad::<f64>(inputs, get(weight)), pad::<f64>(outputs, get(bias))].concat();
        let (means, variances) = (params("W_mean", "b_mean"), params("fact.W_var", "fact.b_var"));
        let (mut mean, mut variance) = (vec![f64::NAN; dims.h_len()], vec![f64::NAN; dims.h_len()]);
        let x = pad::<f64>(inputs, get("acts"));
        stochastic::law(dims, &x, &means, &variances, &mut mean, &mut variance).expect("shapes fit");
        let want = get("fact.means");
        close(&case, &unpad(outputs, &mean), want, 1e-12 * largest(want));
        // Atoms × (points · outputs) squared.
        let joint = get("fact.covs").len() / want.len();
        let own: Vec<f64> = (0..want.len()).map(|at| get("fact.covs")[at * joint + at % joint]).collect();
        close(&case, &unpad(outputs, &variance), &own, 1e-12 * largest(&own));
    }
}
