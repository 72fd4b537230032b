//! Samples of stochastic layers: the twin's sample by sample, and theory in the mean.

use bures::device::Device;
use bures::kernels::dense::{Dense, DenseForwardArgs};
use bures::kernels::stochastic::{Draw, Dropout, GaussianDraws, StochasticDense, StochasticDenseArgs};
use bures::reference::{dense, stochastic as twin};
use bures::shape::DenseDims;

use crate::device::{Bench, assert_close, padded, widen};
use crate::tolerances::{self, EPSILON};

const DRAW: Draw = Draw { seed: 0x0123_4567_89ab_cdef, stream: 7 << 40, first_row: 1 << 33 };

fn squares(values: Vec<f32>) -> Vec<f32> {
    values.into_iter().map(|x| x * x).collect()
}

fn draws(mut bench: Bench, width: usize, law: [&[f32]; 2], rows: usize) -> Vec<f32> {
    let [mean, variance] = law.map(|values| bench.put(values));
    let mut out = bench.garbage(width * rows);
    let kernel = GaussianDraws::new(&bench.device).expect("a kernel");
    kernel.record(&mut bench.stream, width, DRAW, [&mean, &variance], &mut out).expect("a dispatch");
    bench.get(&out)
}

/// Every number, the extreme ones too, within a few ε of the radius, which is below 5.9.
#[test]
fn normal_numbers_are_the_hosts() {
    let rows = 40_000;
    let got = draws(Bench::gpu(), 4, [&[0.0; 4], &[1.0; 4]], rows);
    let mut want = vec![0.0f64; 4 * rows];
    twin::gaussians(4, DRAW, &[0.0; 4], &[1.0; 4], &mut want).expect("shapes fit");
    let mut worst = 0.0;
    for (i, (got, want)) in got.iter().zip(&want).enumerate() {
        let error = (f64::from(*got) - want).abs();
        assert!(error <= 8.0 * EPSILON * (1.0 + want.abs()), "number {i}: {got:e}, not {want:e}");
        worst = f64::max(worst, error);
    }
    eprintln!("normal numbers: off by {:.1} ε", worst / EPSILON);
    assert_eq!(
        got.len(),
        draws(Bench::gpu(), 4, [&[0.0; 4], &[1.0; 4]], rows).iter().zip(&got).filter(|(a, b)| a == b).count()
    );
}

#[test]
fn rows_of_a_law_repeat() {
    let (mean, variance) = (padded(1, 3, 9, 1.0), squares(padded(2, 3, 9, 1.0)));
    let mut want = vec![0.0f64; 7 * 12];
    twin::gaussians(12, DRAW, &widen(&mean), &widen(&variance), &mut want).expect("shapes fit");
    for bench in [Bench::gpu(), Bench::on(Device::Cpu)] {
        let got = draws(bench, 12, [&mean, &variance], 7);
        assert_close("draws", &got, &want, |_| 64.0 * EPSILON);
        assert!(got.chunks_exact(12).all(|row| row[9..] == [0.0; 3]), "pads stay 0");
    }
}

struct Layer {
    dims: DenseDims,
    x: Vec<f32>,
    means: Vec<f32>,
    variances: Vec<f32>,
}

impl Layer {
    fn new(batch: usize, inputs: usize, outputs: usize) -> Self {
        Self {
            dims: DenseDims { runs: 1, batch, inputs, outputs },
            x: padded(1, batch, inputs, 1.0),
            means: [padded(2, outputs, inputs, 0.2), padded(3, 1, outputs, 0.2)].concat(),
            variances: squares([padded(4, outputs, inputs, 0.1), padded(5, 1, outputs, 0.1)].concat()),
        }
    }

    fn run(&self, mut bench: Bench, draw: Draw, rows: usize) -> Vec<f32> {
        let (x, means, variances) = (bench.put(&self.x), bench.put(&self.means), bench.put(&self.variances));
        let mut z = bench.garbage(rows * self.dims.output_stride());
        let mut layer = StochasticDense::new(&bench.device, self.dims).expect("kernels");
        let args = StochasticDenseArgs { draw, x: &x, means: &means, variances: &variances, z: &mut z };
        layer.record(&mut bench.stream, args).expect("dispatches");
        bench.get(&z)
    }

    /// Means and variances of the outputs, `[B, Lp]`.
    fn law(&self) -> [Vec<f64>; 2] {
        let [x, means, variances] = [&self.x, &self.means, &self.variances].map(|values| widen(values));
        let mut law = [vec![0.0; self.dims.h_len()], vec![0.0; self.dims.h_len()]];
        let [mean, variance] = &mut law;
        twin::law(self.dims, &x, &means, &variances, mean, variance).expect("shapes fit");
        law
    }
}

#[test]
fn samples_are_the_twins() {
    for (batch, inputs, outputs, rows) in [(1, 1, 1, 3), (1, 784, 128, 5), (5, 33, 10, 5), (4, 7, 9, 9)] {
        let layer = Layer::new(batch, inputs, outputs);
        let [mean, variance] = layer.law();
        let width = layer.dims.output_stride();
        let mut want = vec![0.0; rows * width];
        twin::gaussians(width, DRAW, &mean, &variance, &mut want).expect("shapes fit");
        let largest = want.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
        for bench in [Bench::gpu(), Bench::on(Device::Cpu)] {
            let got = layer.run(bench, DRAW, rows);
            assert_close("samples", &got, &want, tolerances::sums(2 * inputs + 8, largest));
        }
        assert!(layer.run(Bench::gpu(), DRAW, rows) == layer.run(Bench::gpu(), DRAW, rows), "repeats are identical");
    }
}

/// Means, variances and covariances of many samples, within five standard errors of the theory.
#[test]
fn many_samples_have_the_layers_moments() {
    let layer = Layer::new(2, 6, 4);
    let [mean, variance] = layer.law();
    let rows = 60_000;
    let got = layer.run(Bench::gpu(), DRAW, rows);
    let n = (rows / 2) as f64;
    for input in 0..2 {
        let samples: Vec<Vec<f64>> = got.chunks_exact(4).skip(input).step_by(2).map(widen).collect();
        for i in 0..4 {
            let (m, v) = (mean[4 * input + i], variance[4 * input + i]);
            let average = samples.iter().map(|z| z[i]).sum::<f64>() / n;
            assert!((average - m).abs() <= 5.0 * (v / n).sqrt(), "mean {i} of input {input}: {average}, not {m}");
            for j in 0..=i {
                let (other, w) = (mean[4 * input + j], variance[4 * input + j]);
                let product = samples.iter().map(|z| (z[i] - m) * (z[j] - other)).sum::<f64>() / n;
                let (want, freedom) = if i == j { (v, 2.0) } else { (0.0, 1.0) };
                let allowed = 5.0 * (freedom * v * w / n).sqrt();
                assert!(
                    (product - want).abs() <= allowed,
                    "covariance {i}, {j} of input {input}: {product}, not {want}"
                );
            }
        }
    }
}

/// Weights that are drawn once serve a set of inputs: outputs of two inputs are correlated as theory says,
/// `Cov(z_i(x), z_i(y)) = Σ_j V_ij x_j y_j + B_i`.
#[test]
fn sampled_weights_are_shared_by_inputs() {
    let layer = Layer::new(2, 5, 4);
    let samples = 30_000;
    let mut bench = Bench::gpu();
    let [means, variances] = [&layer.means, &layer.variances].map(|values| bench.put(values));
    let width = layer.dims.params_len();
    let mut weights = bench.garbage(samples * width);
    let kernel = GaussianDraws::new(&bench.device).expect("a kernel");
    kernel.record(&mut bench.stream, width, DRAW, [&means, &variances], &mut weights).expect("a dispatch");
    let dims = DenseDims { runs: samples, ..layer.dims };
    let x: Vec<f32> = layer.x.iter().copied().cycle().take(dims.x_len()).collect();
    let (x, mut h) = (bench.put(&x), bench.garbage(dims.h_len()));
    let network = Dense::new(&bench.device).expect("kernels");
    let args = DenseForwardArgs { dims, x: &x, slot: 0, params: &weights, h: &mut h };
    network.forward(&mut bench.stream, args).expect("a dispatch");
    let got = bench.get(&h);

    let [mean, variance] = layer.law();
    let product: Vec<f32> = (0..8).map(|j| layer.x[j] * layer.x[8 + j]).collect();
    let mut common = vec![0.0; 4];
    let one = DenseDims { batch: 1, ..layer.dims };
    dense::forward(one, &widen(&product), &widen(&layer.variances), &mut common).expect("shapes fit");
    let n = samples as f64;
    for i in 0..4 {
        let (a, b) = (mean[i], mean[4 + i]);
        let found = got.chunks_exact(8).map(|z| (f64::from(z[i]) - a) * (f64::from(z[4 + i]) - b)).sum::<f64>() / n;
        let deviation = (variance[i] * variance[4 + i] + common[i] * common[i]).sqrt();
        let allowed = 5.0 * deviation / n.sqrt();
        assert!((found - common[i]).abs() <= allowed, "output {i}: {found}, not {}", common[i]);
        assert!(allowed < 0.5 * deviation, "the test tells");
    }
}

#[test]
fn dropout_drops_what_the_host_drops() {
    let x = padded(1, 50, 30, 1.0);
    for p in [0.0f32, 0.1, 0.5, 0.999] {
        let run = |mut bench: Bench| {
            let (x, mut out) = (bench.put(&x), bench.garbage(x.len()));
            let kernel = Dropout::new(&bench.device, p).expect("a kernel");
            kernel.record(&mut bench.stream, 32, DRAW, &x, &mut out).expect("a dispatch");
            bench.get(&out)
        };
        let mut want = vec![0.0f64; x.len()];
        twin::dropout(32, DRAW, p, &widen(&x), &mut want).expect("shapes fit");
        for bench in [Bench::gpu(), Bench::on(Device::Cpu)] {
            let got = run(bench);
            assert!(got.iter().zip(&want).all(|(&got, &want)| (got == 0.0) == (want == 0.0)), "p = {p}");
            assert_close("dropout", &got, &want, tolerances::elementwise);
        }
    }
    for p in [1.0, -0.1, f32::NAN] {
        assert!(Dropout::new(&Device::Cpu, p).is_err(), "p = {p}");
    }
}
