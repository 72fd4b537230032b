//! Kernels in f32 against golden values of stochastic networks, on both executors.

use bures::device::Device;
use bures::io::{TensorData, Tensors};
use bures::kernels::activation_moments::{ActivationMoments, ActivationMomentsArgs, Elementwise, PLANES};
use bures::kernels::gaussian_w2::{GaussianW2Args, GaussianW2Full, PairDims};
use bures::kernels::propagation::{Covariances, DensePropagation, DensePropagationArgs};
use bures::kernels::stochastic::{Draw, StochasticDense, StochasticDenseArgs};
use bures::shape::{DenseDims, stride};

use crate::device::{Bench, assert_close};
use crate::math_support::Golden;
use crate::skip::folder_or_skip;
use crate::tolerances;

fn narrow(columns: usize, values: &[f64]) -> Vec<f32> {
    let mut out = vec![0.0; values.len() / columns * stride(columns)];
    for (row, values) in out.chunks_exact_mut(stride(columns)).zip(values.chunks_exact(columns)) {
        row.iter_mut().zip(values).for_each(|(x, &value)| *x = value as f32);
    }
    out
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |largest, value| largest.max(value.abs()))
}

#[test]
fn golden_distances() {
    let Some(golden) = Golden::read("gauss_w2") else { return };
    for case in golden.cases("w2sq") {
        let get = |name: &str| golden.floats(&format!("{case}.{name}"));
        let n = get("m1").len();
        let dims = PairDims { batch: 1, left: 1, right: 1, width: n };
        let want = get("w2sq");
        let (s1, s2) = (get("S1"), get("S2"));
        let traces: f64 = (0..n).map(|i| s1[i * n + i] + s2[i * n + i]).sum();
        for mut bench in [Bench::gpu(), Bench::on(Device::Cpu)] {
            let [m1, s1, m2, s2] = ["m1", "S1", "m2", "S2"].map(|name| bench.put(&narrow(n, get(name))));
            let mut out = bench.garbage(1);
            let mut kernel = GaussianW2Full::new(&bench.device, dims).expect("kernels");
            let args =
                GaussianW2Args { left_means: &m1, left_covariances: &s1, right_means: &m2, right_covariances: &s2 };
            kernel.record(&mut bench.stream, args, &mut out).expect("dispatches");
            kernel.check(&mut bench.stream).expect("good decompositions");
            let got = bench.get(&out);
            let singular = case.contains("degenerate") || case.contains("zero");
            let allowed = if singular {
                tolerances::singular_distances(n, traces)(want[0])
            } else {
                tolerances::distances(n, traces + want[0])
            };
            assert_close(&case, &got, want, |_| allowed);
        }
    }
}

/// Without noise every sample is the mean; the blocks on the diagonal of the joint covariance are `V a² + B`, which come out of
/// the propagation of points.
#[test]
fn golden_layers() {
    let Some(golden) = Golden::read("dense") else { return };
    for case in golden.cases("acts") {
        let get = |name: &str| golden.floats(&format!("{case}.{name}"));
        let (outputs, atoms) = (get("b_mean").len(), get("acts").len());
        let inputs = get("W_mean").len() / outputs;
        let dims = DenseDims { runs: 1, batch: atoms / inputs, inputs, outputs };
        let (width, joint) = (stride(outputs), get("fact.covs").len() / get("fact.means").len());
        let params = |weight: &str, bias: &str| [narrow(inputs, get(weight)), narrow(outputs, get(bias))].concat();
        for mut bench in [Bench::gpu(), Bench::on(Device::Cpu)] {
            let x = bench.put(&narrow(inputs, get("acts")));
            let (means, variances) =
                (bench.put(&params("W_mean", "b_mean")), bench.put(&params("fact.W_var", "fact.b_var")));
            let moments = moments(&mut bench, Elementwise::Identity, &x, None);
            let zero = bench.zeros::<f32>(dims.x_len());
            let mut mean_out = bench.garbage(dims.h_len());
            let mut covariance_out = bench.garbage(outputs * dims.h_len());
            let mut kernel = DensePropagation::new(&bench.device, dims).expect("kernels");
            let args = DensePropagationArgs {
                moments: &moments,
                covariance: Covariances::Diagonal(&zero),
                means: &means,
                variances: &variances,
                mean_out: &mut mean_out,
                covariance_out: &mut covariance_out,
            };
            kernel.record(&mut bench.stream, args).expect("dispatches");
            let want: Vec<f64> = get("fact.means")
                .chunks_exact(outputs)
                .flat_map(|row| row.iter().copied().chain(std::iter::repeat_n(0.0, width - outputs)))
                .collect();
            assert_close(&case, &bench.get(&mean_out), &want, tolerances::sums(inputs + 1, largest(&want)));
            let mut want = vec![0.0; outputs * dims.h_len()];
            for at in 0..dims.batch * outputs {
                let (point, i) = (at / outputs, at % outputs);
                want[(point * outputs + i) * width + i] = get("fact.covs")[at * joint + at % joint];
            }
            assert_close(&case, &bench.get(&covariance_out), &want, tolerances::sums(inputs + 1, largest(&want)));
            let silent = bench.zeros::<f32>(dims.params_len());
            let mut z = bench.garbage(dims.h_len());
            let mut layer = StochasticDense::new(&bench.device, dims).expect("kernels");
            let draw = Draw { seed: 1, stream: 0, first_row: 0 };
            let args = StochasticDenseArgs { draw, x: &x, means: &means, variances: &silent, z: &mut z };
            layer.record(&mut bench.stream, args).expect("dispatches");
            assert!(bench.get(&z) == bench.get(&mean_out) || !bench.device.is_cpu(), "{case}: no noise, no difference");
        }
    }
}

/// Planes of a mean `[B, dp]`, with variances or none.
fn moments(
    bench: &mut Bench,
    kind: Elementwise,
    mean: &bures::device::Buffer<f32>,
    variance: Option<&bures::device::Buffer<f32>>,
) -> bures::device::Buffer<f32> {
    let mut out = bench.garbage(PLANES * mean.len());
    let zero = bench.zeros::<f32>(mean.len());
    let kernel = ActivationMoments::new(&bench.device, kind).expect("a kernel");
    let args = ActivationMomentsArgs { mean, variance: variance.unwrap_or(&zero), moments: &mut out };
    kernel.record(&mut bench.stream, args).expect("a dispatch");
    out
}

/// The linear-Gaussian mixture of a network of MNIST, all layers and all five images in f32: rounding of 784 + 128 + 128 products, and
/// covariances of 128 dimensions in between.
#[test]
fn golden_linearised_network() {
    let Some(golden) = Golden::read("mnist_2x128") else { return };
    let Some(folder) = folder_or_skip("BURES_FIXTURES") else { return };
    let net = Tensors::read(folder.join("snn/nets/mnist_2x128_relu_vi.safetensors")).expect("a network");
    let tensor = |layer: usize, name: &str| -> Vec<f64> {
        match &net.tensors[&format!("layers.{layer}.{name}")].data {
            TensorData::F32(values) => values.iter().map(|&x| f64::from(x)).collect(),
            other => panic!("{other:?}"),
        }
    };
    let widths = [784, 128, 128, 10];
    for mut bench in [Bench::gpu(), Bench::on(Device::Cpu)] {
        let x = bench.put(&narrow(784, golden.floats("X")));
        let mut planes = moments(&mut bench, Elementwise::Identity, &x, None);
        let mut entries = bench.zeros::<f32>(x.len());
        let mut full = false;
        let mut result = None;
        for layer in 0..3 {
            let (inputs, outputs) = (widths[layer], widths[layer + 1]);
            let dims = DenseDims { runs: 1, batch: 5, inputs, outputs };
            let params = |weight: &str, bias: &str, power: i32| {
                let raise = |values: Vec<f64>| values.iter().map(|x| x.powi(power)).collect::<Vec<f64>>();
                let (weight, bias) = (raise(tensor(layer, weight)), raise(tensor(layer, bias)));
                [narrow(inputs, &weight), narrow(outputs, &bias)].concat()
            };
            let means = bench.put(&params("weight_mean", "bias_mean", 1));
            let variances = bench.put(&params("weight_std", "bias_std", 2));
            let (mut mean_out, mut out) = (bench.garbage(dims.h_len()), bench.garbage(outputs * dims.h_len()));
            let mut kernel = DensePropagation::new(&bench.device, dims).expect("kernels");
            let args = DensePropagationArgs {
                moments: &planes,
                covariance: if full { Covariances::Full(&entries) } else { Covariances::Diagonal(&entries) },
                means: &means,
                variances: &variances,
                mean_out: &mut mean_out,
                covariance_out: &mut out,
            };
            kernel.record(&mut bench.stream, args).expect("dispatches");
            if layer == 2 {
                result = Some((bench.get(&mean_out), bench.get(&out)));
                break;
            }
            let width = dims.output_stride();
            let diagonal: Vec<f32> = bench
                .get(&out)
                .chunks_exact(outputs * width)
                .flat_map(|s| (0..width).map(|i| s[i * width + i]).collect::<Vec<f32>>())
                .collect();
            let variance = bench.put(&diagonal);
            planes = moments(&mut bench, Elementwise::Relu, &mean_out, Some(&variance));
            (entries, full) = (out, true);
        }
        let (mean, covariance) = result.expect("three layers");
        for point in 0..5 {
            let (want, cov) =
                (golden.floats(&format!("pt{point}.LG.mean")), golden.floats(&format!("pt{point}.LG.cov")));
            assert_close("means", &mean[12 * point..][..10], want, tolerances::sums(784, largest(want)));
            for i in 0..10 {
                let row = &covariance[(point * 10 + i) * 12..][..10];
                assert_close("covariances", row, &cov[10 * i..][..10], tolerances::sums(784, largest(cov)));
            }
        }
    }
}
