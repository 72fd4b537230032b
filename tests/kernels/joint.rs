//! The joint (ω, β) layer on both executors, and the shift of columns that it is made of.

use bures::device::Device;
use bures::kernels::gm_joint::{GmJoint, GmJointBackwardArgs, GmJointForwardArgs};
use bures::kernels::shift_columns::{ShiftColumns, ShiftColumnsArgs};
use bures::nn::LayerSpec;
use bures::reference::joint_regression;

use crate::device::{Bench, assert_close, gpu, padded, widen};
use crate::tolerances;

fn unpad(columns: usize, values: &[f32]) -> Vec<f64> {
    let rows = values.chunks_exact(columns.next_multiple_of(4));
    rows.flat_map(|row| &row[..columns]).map(|&value| f64::from(value)).collect()
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |largest, value| largest.max(value.abs()))
}

/// The largest `|μ_ω A| + |q F|` of any component and row: a prediction of few components may be a small difference of the two.
fn addends(layer: &joint_regression::Layer<'_, f64>, x: &[f64]) -> f64 {
    let of = |k: usize| {
        let sigma = layer.covariance(k);
        let weight = layer.mu[k * (layer.inputs + 1)];
        let rows = x.chunks_exact(layer.inputs).map(move |x| {
            let s = layer.statistics(k, &sigma, x);
            (weight * s.a).abs() + (s.c - weight * s.a).abs()
        });
        rows.fold(0.0, f64::max)
    };
    (0..layer.components).map(of).fold(0.0, f64::max)
}

/// `∂loss/∂x = dh/K Σ_k Q_k`, since `∂/∂x E[ω relu(⟨β, x⟩)] = E[ω 1(⟨β, x⟩>0) β] = Q`; and the largest sum of its addends.
fn input_gradient(layer: &joint_regression::Layer<'_, f64>, x: &[f64], dh: &[f32]) -> (Vec<f64>, f64) {
    let (d, n) = (layer.inputs, layer.inputs + 1);
    let (mut dx, mut size) = (vec![0.0; x.len()], 0.0);
    for ((x, dx), dh) in x.chunks_exact(d).zip(dx.chunks_exact_mut(d)).zip(dh.chunks_exact(4)) {
        let scale = f64::from(dh[0]) / layer.components as f64;
        for k in 0..layer.components {
            let sigma = layer.covariance(k);
            let s = layer.statistics(k, &sigma, x);
            for j in 0..d {
                dx[j] += scale * s.q[j];
                let (of_cross, of_mean) = (s.f * sigma[1 + j], s.b * layer.mu[k * n + 1 + j]);
                let addends = of_cross.abs() + of_mean.abs() + (s.q[j] - of_cross - of_mean).abs();
                size = f64::max(size, (scale * addends).abs());
            }
        }
    }
    (dx, size)
}

/// Predictions and gradients of `mu`, `c` and `x` for the squared loss against `y`.
fn run(device: Device, [components, inputs]: [usize; 2], x: &[f32], params: &[f32], dh: &[f32]) -> [Vec<f32>; 4] {
    let layer = LayerSpec::GmJoint { components, inputs };
    let batch = dh.len() / 4;
    let mut bench = Bench::on(device);
    let mut slots = vec![55.0; x.len()];
    slots.extend_from_slice(x);
    let (x, params, dh) = (bench.put(&slots), bench.put(params), bench.put(dh));
    let (mut h, mut grads, mut dx) = (bench.garbage(dh.len()), bench.garbage(params.len()), bench.garbage(x.len() / 2));
    let mut kernel = GmJoint::new(&bench.device, 1, batch, components, inputs).expect("kernels");
    let args = GmJointForwardArgs { x: &x, slot: 1, params: &params, h: &mut h };
    kernel.forward(&mut bench.stream, args).expect("dispatches");
    let args = GmJointBackwardArgs { params: &params, dh: &dh, grads: &mut grads, dx: Some(&mut dx) };
    kernel.backward(&mut bench.stream, args).expect("dispatches");
    let grads = bench.get(&grads);
    let tensors = layer.tensors();
    [bench.get(&h), tensors[0].unpack(&grads), tensors[1].unpack(&grads), bench.get(&dx)]
}

#[test]
fn the_joint_layer_is_the_appendix_on_both_executors() {
    for (components, inputs, batch) in [(1, 1, 1), (3, 5, 10), (20, 8, 64), (2, 12, 7)] {
        let n = inputs + 1;
        let layer = LayerSpec::GmJoint { components, inputs };
        let [mu, c] = [padded(1, components, n, 0.5), padded(2, components * n, n, 0.5)]
            .map(|t| unpad(n, &t).into_iter().map(|value| value as f32).collect::<Vec<_>>());
        let mut params = layer.blank_params();
        layer.tensors().iter().zip([&mu, &c]).for_each(|(tensor, values)| tensor.pack(values, &mut params));
        let (x, y) = (padded(3, batch, inputs, 1.0), widen(&padded(4, 1, batch, 1.0))[..batch].to_vec());
        let (mu, c) = (widen(&mu), widen(&c));
        let twin = joint_regression::Layer { components, inputs, mu: &mu, root: &c };
        let want = twin.gradient(&unpad(inputs, &x), &y).expect("shapes fit");
        let dh: Vec<f32> = y
            .iter()
            .zip(&want.predictions)
            .flat_map(|(y, p)| [(2.0 * (p - y) / batch as f64) as f32, 0.0, 0.0, 0.0])
            .collect();
        let terms = n + components + batch;
        let (want_dx, size_of_dx) = input_gradient(&twin, &unpad(inputs, &x), &dh);
        for device in [Device::Cpu, gpu()] {
            let got = run(device, [components, inputs], &x, &params, &dh);
            let first: Vec<f32> = got[0].chunks_exact(4).map(|h| h[0]).collect();
            let sizes = [addends(&twin, &unpad(inputs, &x)), largest(&want.mu), largest(&want.root)];
            let pairs = [("h", &first, &want.predictions), ("dmu", &got[1], &want.mu), ("dC", &got[2], &want.root)];
            for ((name, got, want), size) in pairs.into_iter().zip(sizes) {
                assert_close(&format!("{name} of {inputs} inputs"), got, want, tolerances::sums(terms, size));
            }
            let narrow: Vec<f32> = unpad(inputs, &got[3]).iter().map(|&dx| dx as f32).collect();
            assert_close(&format!("dx of {inputs} inputs"), &narrow, &want_dx, tolerances::sums(terms, size_of_dx));
        }
    }
}

#[test]
fn columns_are_shifted_alike() {
    for (columns, lead) in [([3, 4], 1), ([4, 3], -1), ([8, 9], 1), ([9, 8], -1), ([5, 3], 0), ([2, 7], 3)] {
        let x = padded(1, 6, columns[0], 1.0);
        let rows = 3;
        let expect: Vec<f32> = x[x.len() / 2..]
            .chunks_exact(columns[0].next_multiple_of(4))
            .flat_map(|row| {
                let value = |j: usize| {
                    let source = j as isize - lead;
                    let there = j < columns[1] && (0..columns[0] as isize).contains(&source);
                    if there { row[source as usize] } else { 0.0 }
                };
                (0..columns[1].next_multiple_of(4)).map(value).collect::<Vec<_>>()
            })
            .collect();
        for device in [Device::Cpu, gpu()] {
            let mut bench = Bench::on(device);
            let from = bench.put(&x);
            let mut to = bench.garbage(rows * columns[1].next_multiple_of(4));
            let kernel = ShiftColumns::new(&bench.device).expect("a kernel");
            let args = ShiftColumnsArgs { columns, lead, from: &from, slot: 1, to: &mut to };
            kernel.record(&mut bench.stream, args).expect("a dispatch");
            assert!(bench.get(&to) == expect, "{columns:?} by {lead}");
        }
    }
}
