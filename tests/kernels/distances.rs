//! Distances between Gaussians, and the eigenpairs under them.

use bures::device::Device;
use bures::kernels::gaussian_w2::{GaussianW2Args, GaussianW2Diagonal, GaussianW2Full, LARGEST_WIDTH, PairDims};
use bures::kernels::symmetric_eigen::{EigenPairs, SymmetricEigen};
use bures::math::gaussian_w2;
use bures::reference::gaussian_w2::{self as twin, List};
use bures::reference::philox::Philox;
use bures::shape::stride;

use crate::device::{Bench, assert_close, padded, widen};
use crate::math_support::with_eigenvalues;
use crate::tolerances::{self, EPSILON};

fn pad(n: usize, values: &[f64]) -> Vec<f32> {
    let mut out = vec![0.0; values.len() / n * stride(n)];
    for (row, values) in out.chunks_exact_mut(stride(n)).zip(values.chunks_exact(n)) {
        row.iter_mut().zip(values).for_each(|(x, &value)| *x = value as f32);
    }
    out
}

/// Covariances with eigenvalues that `value` names by number, rounded to f32.
fn covariances(rng: &mut Philox, n: usize, count: usize, value: impl Fn(usize) -> f64) -> Vec<f32> {
    let values: Vec<f64> = (0..n).map(value).collect();
    (0..count).flat_map(|_| pad(n, &with_eigenvalues(&values, rng))).collect()
}

#[test]
fn eigenpairs_are_accurate() {
    let mut rng = Philox::new(71, 0);
    for n in [1, 2, 3, 7, 16, 33] {
        for (name, value) in [
            ("spread", (|j| 1.0 / (1.0 + j as f64)) as fn(usize) -> f64),
            ("singular", |j| if j % 2 == 0 { 2.0 } else { 0.0 }),
            ("repeated", |_| 3.0),
            ("tiny", |j| 1e-25 * (1.0 + j as f64)),
            ("huge", |j| 1e25 * (1.0 + j as f64)),
            ("zero", |_| 0.0),
        ] {
            let matrices = covariances(&mut rng, n, 3, value);
            let mut bench = Bench::gpu();
            let buffer = bench.put(&matrices);
            let mut out = EigenPairs::new(&bench.device, n, 3).expect("buffers");
            let eigen = SymmetricEigen::new(&bench.device, n, 3).expect("a kernel");
            eigen.record(&mut bench.stream, &buffer, &mut out).expect("a dispatch");
            out.check(&mut bench.stream, n).unwrap_or_else(|error| panic!("{name}, {n}: {error}"));
            let mut values = bench.get(&out.values);
            let mut want: Vec<f64> = (0..n).map(value).collect();
            want.sort_by(|a, b| b.total_cmp(a));
            for values in values.chunks_exact_mut(n) {
                values.sort_by(|a, b| b.total_cmp(a));
                let allowed = 4.0 * EPSILON * (n as f64).sqrt().max(2.0) * want[0];
                assert_close(&format!("{name}, {n}"), values, &want, |_| allowed);
            }
        }
    }
}

/// What is no longer an eigenpair is noticed.
#[test]
fn bad_eigenpairs_are_refused() {
    let mut rng = Philox::new(72, 0);
    let mut bench = Bench::gpu();
    let matrices = covariances(&mut rng, 4, 2, |j| 1.0 + j as f64);
    let buffer = bench.put(&matrices);
    let mut out = EigenPairs::new(&bench.device, 4, 2).expect("buffers");
    let eigen = SymmetricEigen::new(&bench.device, 4, 2).expect("a kernel");
    eigen.record(&mut bench.stream, &buffer, &mut out).expect("a dispatch");
    out.check(&mut bench.stream, 4).expect("good pairs");
    // Not symmetric: rows become orthogonal all the same, but their turns are no eigenvectors.
    let mut skewed = matrices.clone();
    skewed[1] += 1.0;
    let buffer = bench.put(&skewed);
    eigen.record(&mut bench.stream, &buffer, &mut out).expect("a dispatch");
    let error = out.check(&mut bench.stream, 4).expect_err("no eigenpairs").to_string();
    assert!(error.contains("matrix 0"), "{error}");
    for device in [bench.device, Device::Cpu] {
        let error = SymmetricEigen::new(&device, LARGEST_WIDTH + 1, 1).err().expect("too wide").to_string();
        assert!(error.contains("128") && error.contains("129"), "{error}");
    }
}

struct Lists {
    dims: PairDims,
    arrays: [Vec<f32>; 4],
}

impl Lists {
    fn full(&self, mut bench: Bench) -> Vec<f32> {
        let [m1, s1, m2, s2] = self.arrays.each_ref().map(|array| bench.put(array));
        let mut out = bench.garbage(self.dims.pairs());
        let mut kernel = GaussianW2Full::new(&bench.device, self.dims).expect("kernels");
        let args = GaussianW2Args { left_means: &m1, left_covariances: &s1, right_means: &m2, right_covariances: &s2 };
        kernel.record(&mut bench.stream, args, &mut out).expect("dispatches");
        kernel.check(&mut bench.stream).expect("good decompositions");
        bench.get(&out)
    }

    /// By the twin in f64.
    fn want(&self) -> Vec<f64> {
        let [m1, s1, m2, s2] = self.arrays.each_ref().map(|array| widen(array));
        let mut out = vec![0.0; self.dims.pairs()];
        let lists = [List { means: &m1, covariances: &s1 }, List { means: &m2, covariances: &s2 }];
        twin::full(self.dims, lists[0], lists[1], &mut out).expect("covariances");
        out
    }
}

fn lists(n: usize, value: impl Fn(usize) -> f64, shift: f64) -> Lists {
    let dims = PairDims { batch: 2, left: 3, right: 2, width: n };
    let mut rng = Philox::new(73, n as u64);
    let (s1, s2) = (covariances(&mut rng, n, 6, &value), covariances(&mut rng, n, 4, &value));
    Lists { dims, arrays: [padded(1, 6, n, shift), s1, padded(2, 4, n, shift), s2] }
}

#[test]
fn full_distances_agree_with_the_host() {
    for n in [1, 2, 5, 12, 33, 64] {
        let value = |j: usize| 0.2 + (j % 5) as f64;
        let traces = 2.0 * (0..n).map(value).sum::<f64>();
        let lists = lists(n, value, 1.0);
        let want = lists.want();
        for bench in [Bench::gpu(), Bench::on(Device::Cpu)] {
            let means = 16.0 * EPSILON * want.iter().fold(0.0, |a: f64, b| a.max(*b));
            assert_close(&format!("{n}"), &lists.full(bench), &want, |_| means + tolerances::distances(n, traces));
        }
    }
}

#[test]
fn the_largest_width_works() {
    let dims = PairDims { batch: 1, left: 1, right: 1, width: LARGEST_WIDTH };
    let mut rng = Philox::new(74, 0);
    let value = |j: usize| 1.0 / (1.0 + j as f64);
    let [s1, s2] = [(); 2].map(|()| covariances(&mut rng, LARGEST_WIDTH, 1, value));
    let lists = Lists { dims, arrays: [padded(1, 1, LARGEST_WIDTH, 0.1), s1, padded(2, 1, LARGEST_WIDTH, 0.1), s2] };
    let want = lists.want();
    assert_close("128", &lists.full(Bench::gpu()), &want, |_| tolerances::distances(LARGEST_WIDTH, 11.0));
}

#[test]
fn singular_covariances_are_no_special_case() {
    for n in [2, 6, 17] {
        for (name, value) in [
            ("rank one", (|j| if j == 0 { 4.0 } else { 0.0 }) as fn(usize) -> f64),
            ("zero", |_| 0.0),
            ("steep", |j| 10f64.powi(-(j as i32))),
        ] {
            let lists = lists(n, value, 0.5);
            let want = lists.want();
            for bench in [Bench::gpu(), Bench::on(Device::Cpu)] {
                let allowed = tolerances::singular_distances(n, value(0));
                let sums = tolerances::sums(n, 10.0);
                assert_close(name, &lists.full(bench), &want, |want| allowed(want) + sums(want));
            }
        }
    }
}

#[test]
fn numbers_that_are_not_finite_are_noticed() {
    for bad in [f32::NAN, f32::INFINITY] {
        for device in [Bench::gpu().device, Device::Cpu] {
            let mut bench = Bench::on(device);
            let mut lists = lists(5, |j| 1.0 + j as f64, 1.0);
            lists.arrays[3][9] = bad;
            let [m1, s1, m2, s2] = lists.arrays.each_ref().map(|array| bench.put(array));
            let mut out = bench.garbage(lists.dims.pairs());
            let mut kernel = GaussianW2Full::new(&bench.device, lists.dims).expect("kernels");
            let args =
                GaussianW2Args { left_means: &m1, left_covariances: &s1, right_means: &m2, right_covariances: &s2 };
            let recorded = kernel.record(&mut bench.stream, args, &mut out);
            assert!(recorded.and_then(|()| kernel.check(&mut bench.stream)).is_err(), "{bad}");
        }
    }
}

#[test]
fn equal_gaussians_are_not_apart() {
    let n = 9;
    let mut lists = lists(n, |j| 1.0 + j as f64, 1.0);
    lists.dims = PairDims { batch: 1, left: 1, right: 1, width: n };
    let np = stride(n);
    let (mean, covariance) = (lists.arrays[0][..np].to_vec(), lists.arrays[1][..n * np].to_vec());
    lists.arrays = [mean.clone(), covariance.clone(), mean, covariance];
    let got = lists.full(Bench::gpu())[0];
    assert!((0.0..=tolerances::distances(n, 90.0)).contains(&f64::from(got)), "{got:e}");
}

#[test]
fn diagonal_distances_agree_with_the_host() {
    for (batch, left, right, n) in [(1, 1, 1, 1), (2, 3, 5, 7), (1, 10, 3, 128), (3, 2, 2, 130)] {
        let dims = PairDims { batch, left, right, width: n };
        let squares = |values: Vec<f32>| values.into_iter().map(|x| x * x).collect::<Vec<f32>>();
        let mut arrays = [
            padded(1, batch * left, n, 1.0),
            squares(padded(2, batch * left, n, 1.0)),
            padded(3, batch * right, n, 1.0),
            squares(padded(4, batch * right, n, 1.0)),
        ];
        arrays[1][0] = 0.0;
        arrays[3][0] = 1e-30;
        let np = stride(n);
        let row = |array: usize, at: usize| widen(&arrays[array][at * np..][..n]);
        let want: Vec<f64> = (0..dims.pairs())
            .map(|pair| {
                let (i, j) = (pair / right, pair / (left * right) * right + pair % right);
                gaussian_w2::diagonal(&row(0, i), &row(1, i), &row(2, j), &row(3, j))
            })
            .collect();
        for mut bench in [Bench::gpu(), Bench::gpu(), Bench::on(Device::Cpu)] {
            let [m1, s1, m2, s2] = arrays.each_ref().map(|array| bench.put(array));
            let mut out = bench.garbage(dims.pairs());
            let kernel = GaussianW2Diagonal::new(&bench.device).expect("a kernel");
            let args =
                GaussianW2Args { left_means: &m1, left_covariances: &s1, right_means: &m2, right_covariances: &s2 };
            kernel.record(&mut bench.stream, dims, args, &mut out).expect("a dispatch");
            assert_close("diagonal", &bench.get(&out), &want, |want| 1e-30 + EPSILON * (8.0 + n as f64 / 8.0) * want);
        }
    }
}

#[test]
fn repeats_are_identical() {
    let lists = lists(13, |j| j as f64, 1.0);
    let bits = || lists.full(Bench::gpu()).iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(), bits());
}
