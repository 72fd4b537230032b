//! Gaussians through linearised layers.

use bures::device::Device;
use bures::kernels::activation_moments::PLANES;
use bures::kernels::propagation::{Covariances, DensePropagation, DensePropagationArgs};
use bures::reference::propagation::{self, Covariances as HostCovariances};
use bures::reference::{Real, dense};
use bures::shape::{DenseDims, stride};

use crate::device::{Bench, assert_close, padded, widen};
use crate::tolerances;

const SIZES: [(usize, usize, usize); 5] = [(1, 1, 1), (3, 5, 7), (2, 64, 10), (5, 33, 129), (2, 128, 12)];

struct Case {
    dims: DenseDims,
    moments: Vec<f32>,
    variances_in: Vec<f32>,
    covariances_in: Vec<f32>,
    means: Vec<f32>,
    variances: Vec<f32>,
}

impl Case {
    fn new((batch, inputs, outputs): (usize, usize, usize)) -> Self {
        let dims = DenseDims { runs: 1, batch, inputs, outputs };
        let squares = |values: Vec<f32>| values.into_iter().map(|x| x * x).collect::<Vec<f32>>();
        let moments = (0..PLANES as u64).flat_map(|plane| {
            let values = padded(plane, batch, inputs, 0.7);
            if plane == 0 { values } else { squares(values) }
        });
        let factors = padded(20, batch * inputs, inputs, 1.0 / (inputs as f64).sqrt());
        let dp = stride(inputs);
        let mut covariances_in = vec![0.0; factors.len()];
        for (cov, a) in covariances_in.chunks_exact_mut(inputs * dp).zip(factors.chunks_exact(inputs * dp)) {
            for at in 0..inputs * inputs {
                let (i, j) = (at / inputs, at % inputs);
                cov[i * dp + j] = (0..inputs).map(|k| a[i * dp + k] * a[j * dp + k]).sum();
            }
        }
        Self {
            dims,
            moments: moments.collect(),
            variances_in: squares(padded(21, batch, inputs, 0.8)),
            covariances_in,
            means: [padded(22, outputs, inputs, 0.3), padded(23, 1, outputs, 0.3)].concat(),
            variances: squares([padded(24, outputs, inputs, 0.2), padded(25, 1, outputs, 0.2)].concat()),
        }
    }

    fn run(&self, mut bench: Bench, full: bool) -> (Vec<f32>, Vec<f32>) {
        let moments = bench.put(&self.moments);
        let entries = bench.put(if full { &self.covariances_in } else { &self.variances_in });
        let (means, variances) = (bench.put(&self.means), bench.put(&self.variances));
        let (h, outputs) = (self.dims.h_len(), self.dims.outputs);
        let (mut mean_out, mut covariance_out) = (bench.garbage(h), bench.garbage(h * outputs));
        let covariance = if full { Covariances::Full(&entries) } else { Covariances::Diagonal(&entries) };
        let mut kernel = DensePropagation::new(&bench.device, self.dims).expect("kernels");
        let (mean, out) = (&mut mean_out, &mut covariance_out);
        let (moments, means, variances) = (&moments, &means, &variances);
        let args = DensePropagationArgs { moments, covariance, means, variances, mean_out: mean, covariance_out: out };
        kernel.record(&mut bench.stream, args).expect("dispatches");
        (bench.get(&mean_out), bench.get(&covariance_out))
    }

    fn twin(&self, full: bool) -> (Vec<f64>, Vec<f64>) {
        let (dims, n) = (self.dims, self.dims.x_len());
        let (moments, means, variances) = (widen(&self.moments), widen(&self.means), widen(&self.variances));
        let (mut mean, mut noise) = (vec![0.0; dims.h_len()], vec![0.0; dims.h_len()]);
        let mut out = vec![0.0; dims.h_len() * dims.outputs];
        dense::forward(dims, &moments[..n], &means, &mut mean).expect("shapes fit");
        dense::forward(dims, &moments[2 * n..3 * n], &variances, &mut noise).expect("shapes fit");
        let entries = widen(if full { &self.covariances_in } else { &self.variances_in });
        let covariance = if full { HostCovariances::Full(&entries) } else { HostCovariances::Diagonal(&entries) };
        propagation::covariance(dims, &means, &moments[n..2 * n], covariance, &noise, &mut out).expect("shapes fit");
        (mean, out)
    }
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |largest, value| largest.max(value.abs()))
}

#[test]
fn agrees_with_the_twin() {
    for size in SIZES {
        let case = Case::new(size);
        let (l, lp) = (case.dims.outputs, case.dims.output_stride());
        for full in [false, true] {
            let (mean, out) = case.twin(full);
            for bench in [Bench::gpu(), Bench::on(Device::Cpu)] {
                let (got_mean, got) = case.run(bench, full);
                let terms = case.dims.inputs;
                assert_close("means", &got_mean, &mean, tolerances::sums(terms, largest(&mean)));
                // Two products, one after the other.
                assert_close("covariances", &got, &out, tolerances::sums(4 * terms, largest(&out)));
                for matrix in got.chunks_exact(l * lp) {
                    for (i, row) in matrix.chunks_exact(lp).enumerate() {
                        assert!((0..l).all(|j| row[j] == matrix[j * lp + i]), "symmetric bit for bit");
                    }
                }
            }
        }
    }
}

/// `M diag(F) Σ diag(F) Mᵀ + diag(noise)` by loops over its four indices.
#[test]
fn the_twin_is_the_formula() {
    let case = Case::new((2, 5, 3));
    let (d, l, dp, lp) = (5, 3, stride(5), stride(3));
    let n = case.dims.x_len();
    let (moments, means) = (widen(&case.moments), widen(&case.means));
    let (_, out) = case.twin(true);
    let mut noise = vec![0.0; case.dims.h_len()];
    dense::forward(case.dims, &moments[2 * n..3 * n], &widen(&case.variances), &mut noise).expect("shapes fit");
    for (b, got) in out.chunks_exact(l * lp).enumerate() {
        let slope = |j: usize| moments[n + b * dp + j];
        for i in 0..l {
            for k in 0..l {
                let mut want = if i == k { noise[b * lp + i] } else { 0.0 };
                for j in 0..d {
                    for m in 0..d {
                        let sigma = case.covariances_in[(b * d + j) * dp + m].to_f64();
                        want += means[i * dp + j] * slope(j) * sigma * slope(m) * means[k * dp + m];
                    }
                }
                assert!((got[i * lp + k] - want).abs() < 1e-13, "Gaussian {b}, ({i}, {k}): {want}");
            }
        }
    }
}

#[test]
fn repeats_are_identical_and_bad_shapes_refused() {
    let case = Case::new((3, 17, 9));
    assert!(case.run(Bench::gpu(), true) == case.run(Bench::gpu(), true));
    let mut bench = Bench::gpu();
    let mut kernel = DensePropagation::new(&bench.device, case.dims).expect("kernels");
    let (moments, entries) = (bench.put(&case.moments), bench.put(&case.variances_in));
    let (means, variances) = (bench.put(&case.means), bench.put(&case.variances));
    let (mut mean_out, mut covariance_out) = (bench.garbage(case.dims.h_len()), bench.garbage(1));
    let args = DensePropagationArgs {
        moments: &moments,
        covariance: Covariances::Diagonal(&entries),
        means: &means,
        variances: &variances,
        mean_out: &mut mean_out,
        covariance_out: &mut covariance_out,
    };
    assert!(kernel.record(&mut bench.stream, args).is_err());
}
