//! The dense layer and the activations.

use bures::kernels::activation::{Activation, ActivationKind};
use bures::kernels::dense::{Dense, DenseBackwardArgs, DenseForwardArgs};
use bures::reference::{activation, dense};
use bures::shape::DenseDims;

use crate::device::{Bench, assert_close, padded, widen};
use crate::tolerances;

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |largest, value| largest.max(value.abs()))
}

#[test]
fn dense_agrees_with_the_twin() {
    for (runs, batch, inputs, outputs) in [(1, 64, 784, 100), (2, 63, 3, 9), (1, 1, 785, 1), (3, 6, 1, 10)] {
        let dims = DenseDims { runs, batch, inputs, outputs };
        let x = padded(1, runs * batch, inputs, 1.0);
        let params: Vec<f32> = (0..runs as u64)
            .flat_map(|run| [padded(10 + run, outputs, inputs, 0.3), padded(20 + run, 1, outputs, 0.3)].concat())
            .collect();
        let dh = padded(3, runs * batch, outputs, 1.0);

        let mut bench = Bench::gpu();
        let (x_gpu, params_gpu, dh_gpu) = (bench.put(&x), bench.put(&params), bench.put(&dh));
        let (mut h, mut grads) = (bench.garbage(dims.h_len()), bench.garbage(params.len()));
        let mut dx = bench.garbage(dims.x_len());
        let layer = Dense::new(&bench.device).expect("kernels");
        let args = DenseForwardArgs { dims, x: &x_gpu, slot: 0, params: &params_gpu, h: &mut h };
        layer.forward(&mut bench.stream, args).expect("a dispatch");
        let (x, params) = (&x_gpu, &params_gpu);
        let args = DenseBackwardArgs { dims, x, slot: 0, params, dh: &dh_gpu, grads: &mut grads, dx: Some(&mut dx) };
        layer.backward(&mut bench.stream, args).expect("dispatches");

        let (x, params) = (widen(&bench.get(x)), widen(&bench.get(params)));
        let mut want = vec![0.0; dims.h_len()];
        dense::forward(dims, &x, &params, &mut want).expect("shapes");
        assert_close("h", &bench.get(&h), &want, tolerances::sums(inputs, largest(&want)));
        let (mut want, mut want_dx) = (vec![0.0; params.len()], vec![0.0; x.len()]);
        dense::backward(dims, &x, &params, &widen(&dh), &mut want, Some(&mut want_dx)).expect("shapes");
        assert_close("gradients", &bench.get(&grads), &want, tolerances::sums(batch, largest(&want)));
        assert_close("dx", &bench.get(&dx), &want_dx, tolerances::sums(outputs, largest(&want_dx)));
    }
}

fn pass(kind: ActivationKind, h: &[f32], dz: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let mut bench = Bench::gpu();
    let (h, dz) = (bench.put(h), bench.put(dz));
    let (mut z, mut dh) = (bench.garbage(h.len()), bench.garbage(h.len()));
    let layer = Activation::new(&bench.device, kind).expect("kernels");
    layer.forward(&mut bench.stream, &h, &mut z).expect("a dispatch");
    layer.backward(&mut bench.stream, &h, &dz, &mut dh).expect("a dispatch");
    (bench.get(&z), bench.get(&dh))
}

#[test]
fn relu_is_exact() {
    let (mut h, dz) = (padded(1, 63, 9, 1.0), padded(2, 63, 9, 1.0));
    h[0] = 0.0;
    let (z, dh) = pass(ActivationKind::Relu, &h, &dz);
    let (mut want, mut want_dh) = (vec![0.0; h.len()], vec![0.0; h.len()]);
    activation::relu(&h, &mut want).expect("shapes");
    activation::relu_backward(&h, &dz, &mut want_dh).expect("shapes");
    assert!(z == want && dh == want_dh);
}

/// Values lie in [−1, 1] and err as exp does, 1e-6; the ends of the range saturate and give no NaN.
#[test]
fn tanh_agrees_with_the_twin() {
    let (mut h, dz) = (padded(3, 63, 9, 3.0), padded(4, 63, 9, 1.0));
    h[..6].copy_from_slice(&[0.0, 1e-30, 88.0, -88.0, 3e38, -3e38]);
    let (z, dh) = pass(ActivationKind::Tanh, &h, &dz);
    let (h, dz) = (widen(&h), widen(&dz));
    let (mut want, mut want_dh) = (vec![0.0; h.len()], vec![0.0; h.len()]);
    activation::tanh(&h, &mut want).expect("shapes");
    activation::tanh_backward(&h, &dz, &mut want_dh).expect("shapes");
    assert_close("z", &z, &want, |_| 2e-6);
    assert_close("dh", &dh, &want_dh, |_| 2e-6 * largest(&dz));
}

#[test]
fn unit_norm_agrees_with_the_twin() {
    for columns in [1, 9, 100] {
        let width = usize::next_multiple_of(columns, 4);
        let (mut h, dz) = (padded(1, 7, columns, 1.0), padded(2, 7, columns, 1.0));
        h[..width].fill(0.0);
        h[width..2 * width].iter_mut().for_each(|h| *h *= 1e25);
        h[2 * width..3 * width].iter_mut().for_each(|h| *h *= 1e-25);
        let (z, dh) = pass(ActivationKind::UnitNorm { columns }, &h, &dz);
        let (h, dz) = (widen(&h), widen(&dz));
        let (mut want, mut want_dh) = (vec![0.0; h.len()], vec![0.0; h.len()]);
        activation::unit_norm(columns, &h, &mut want).expect("shapes");
        activation::unit_norm_backward(columns, &h, &dz, &mut want_dh).expect("shapes");
        assert_close("z", &z, &want, tolerances::sums(columns, 1.0));
        // Rows differ in size by 1e50, so each is compared by its own.
        for (row, want) in want_dh.chunks_exact(width).enumerate() {
            let scale = h[row * width..][..width].iter().map(|h| h * h).sum::<f64>().sqrt().recip();
            let size = if scale.is_finite() { 3.0 * scale } else { 0.0 };
            assert_close("dh", &dh[row * width..][..width], want, tolerances::sums(columns, size));
        }
    }
}
