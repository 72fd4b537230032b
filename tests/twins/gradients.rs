//! Every backward pass against differences.

use bures::reference::loss::{LossDims, logistic, squared};
use bures::reference::philox::Philox;
use bures::reference::{activation, dense, full_covariance, gm_layer, joint_regression};
use bures::shape::{DenseDims, GmDims, stride};

use crate::differences::check_gradient;
use crate::support::{normals, pack, pad, pass, random_layer, unpack, unpad};

fn dot(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn gm_output(dims: GmDims, tensors: &[Vec<f64>]) -> Vec<f64> {
    let mut h = vec![0.0; dims.h_len()];
    let (x, params) = (pad::<f64>(dims.inputs, &tensors[0]), pack::<f64>(dims, &tensors[1..]));
    gm_layer::forward(&x, &params, &mut gm_layer::Workspace::new(dims), &mut h).expect("shapes fit");
    h
}

#[test]
fn gm_layer() {
    let mut rng = Philox::new(1, 0);
    let mut worst = 0.0;
    for inputs in [1, 3, 5, 17] {
        for (outputs, components) in [(1, 1), (1, 4), (9, 1), (9, 4), (12, 1), (12, 4)] {
            for (batch, runs) in [(1, 1), (7, 1), (1, 2), (7, 2)] {
                let dims = GmDims { runs, batch, components, inputs, outputs, rank: 0 };
                let tensors = random_layer(dims, &mut rng);
                let cotangent = pad::<f64>(outputs, &normals(&mut rng, runs * batch * outputs));
                let x = pad::<f64>(inputs, &tensors[0]);
                let pass = pass(dims, &x, &pack(dims, &tensors[1..]), |_| cotangent.clone());
                let [mu, sigma, u, v] = unpack(dims, &pass.grads);
                let gradients = [unpad(inputs, &pass.dx), mu, sigma, u, v];
                for (at, (gradient, name)) in gradients.iter().zip(["x", "mu", "sigma", "u", "v"]).enumerate() {
                    let output = |values: &[f64]| {
                        let mut tensors = tensors.clone();
                        tensors[at] = values.to_vec();
                        dot(&gm_output(dims, &tensors), &cotangent)
                    };
                    let case = format!("{dims:?}, {name}");
                    worst = f64::max(worst, check_gradient(&case, &mut rng, &tensors[at], gradient, output));
                }
            }
        }
    }
    eprintln!("gm_layer gradients: {worst:.1e}");
}

#[test]
fn dense() {
    let mut rng = Philox::new(2, 0);
    for (inputs, outputs) in [(1, 1), (3, 5), (17, 4), (8, 130)] {
        for (batch, runs) in [(1, 1), (7, 2)] {
            let dims = DenseDims { runs, batch, inputs, outputs };
            let x = pad::<f64>(inputs, &normals(&mut rng, runs * batch * inputs));
            let values = normals(&mut rng, runs * (inputs + 1) * outputs);
            let params = |values: &[f64]| {
                let run = |values: &[f64]| {
                    let (weight, bias) = values.split_at(inputs * outputs);
                    [pad::<f64>(inputs, weight), pad(outputs, bias)].concat()
                };
                values.chunks_exact((inputs + 1) * outputs).flat_map(run).collect::<Vec<_>>()
            };
            let cotangent = pad::<f64>(outputs, &normals(&mut rng, runs * batch * outputs));
            let output = |x: &[f64], params: &[f64]| {
                let mut h = vec![0.0; dims.h_len()];
                dense::forward(dims, x, params, &mut h).expect("shapes fit");
                dot(&h, &cotangent)
            };
            let (mut grads, mut dx) = (vec![0.0; runs * dims.params_len()], vec![0.0; dims.x_len()]);
            dense::backward(dims, &x, &params(&values), &cotangent, &mut grads, Some(&mut dx)).expect("shapes fit");
            let mut flat = Vec::new();
            for run in grads.chunks_exact(dims.params_len()) {
                flat.extend(unpad(inputs, &run[dims.weight()]));
                flat.extend(unpad(outputs, &run[dims.bias()]));
            }
            let case = format!("{dims:?}");
            check_gradient(&case, &mut rng, &values, &flat, |values| output(&x, &params(values)));
            let (x, dx) = (unpad(inputs, &x), unpad(inputs, &dx));
            check_gradient(&case, &mut rng, &x, &dx, |x| output(&pad(inputs, x), &params(&values)));
        }
    }
}

#[test]
fn relu_away_from_its_kink() {
    let mut rng = Philox::new(3, 0);
    let h: Vec<f64> = (0..41).map(|_| rng.normal()).map(|x| x + x.signum()).collect();
    let cotangent = normals(&mut rng, h.len());
    let mut dh = vec![f64::NAN; h.len()];
    activation::relu_backward(&h, &cotangent, &mut dh).expect("shapes fit");
    let output = |h: &[f64]| {
        let mut z = vec![f64::NAN; h.len()];
        activation::relu(h, &mut z).expect("shapes fit");
        dot(&z, &cotangent)
    };
    check_gradient("ReLU", &mut rng, &h, &dh, output);
    assert!((dot(&h, &dh) - output(&h)).abs() < 1e-12, "ReLU is homogeneous: ⟨h, ∂h⟩ = ⟨z, ∂z⟩");
}

#[test]
fn tanh() {
    let mut rng = Philox::new(5, 0);
    let h = normals(&mut rng, 41);
    let cotangent = normals(&mut rng, h.len());
    let mut dh = vec![f64::NAN; h.len()];
    activation::tanh_backward(&h, &cotangent, &mut dh).expect("shapes fit");
    let output = |h: &[f64]| {
        let mut z = vec![f64::NAN; h.len()];
        activation::tanh(h, &mut z).expect("shapes fit");
        dot(&z, &cotangent)
    };
    check_gradient("tanh", &mut rng, &h, &dh, output);
}

#[test]
fn unit_norm() {
    let mut rng = Philox::new(4, 0);
    for columns in [1, 2, 3, 4, 9, 100] {
        let h = normals(&mut rng, 6 * columns);
        let cotangent = pad::<f64>(columns, &normals(&mut rng, h.len()));
        let mut dh = vec![f64::NAN; cotangent.len()];
        activation::unit_norm_backward(columns, &pad(columns, &h), &cotangent, &mut dh).expect("shapes fit");
        let output = |h: &[f64]| {
            let mut z = vec![f64::NAN; cotangent.len()];
            activation::unit_norm(columns, &pad(columns, h), &mut z).expect("shapes fit");
            for row in z.chunks_exact(stride(columns)) {
                assert!((dot(row, row) - 1.0).abs() < 1e-14, "the norm is 1");
            }
            dot(&z, &cotangent)
        };
        let case = format!("unit norm of {columns} columns");
        check_gradient(&case, &mut rng, &h, &unpad(columns, &dh), output);
    }
}

#[test]
fn losses() {
    let mut rng = Philox::new(5, 0);
    for (outputs, batch, valid, runs) in [(1, 1, 1, 1), (2, 5, 5, 1), (9, 7, 4, 2), (10, 6, 6, 3)] {
        let dims = LossDims { runs, batch, outputs, valid };
        let h: Vec<f64> = normals(&mut rng, runs * batch * outputs).iter().map(|x| 3.0 * x).collect();
        let targets = pad::<f64>(outputs, &normals(&mut rng, h.len()));
        for reference in [Some(true), Some(false), None] {
            let classes = outputs + usize::from(reference == Some(true));
            let labels: Vec<u32> = (0..runs * batch).map(|_| rng.below(classes as u32)).collect();
            let evaluate = |h: &[f64]| {
                let (mut dh, mut losses, mut errors) = (vec![f64::NAN; dims.h_len()], vec![0.0; runs], vec![0; runs]);
                let h = pad::<f64>(outputs, h);
                match reference {
                    Some(reference) => {
                        logistic(dims, reference, &h, &labels, &mut dh, &mut losses, &mut errors).expect("classes");
                    }
                    None => squared(dims, &h, &targets, &mut dh, &mut losses, &mut errors).expect("shapes fit"),
                }
                (losses, unpad(outputs, &dh))
            };
            let (_, dh) = evaluate(&h);
            for (row, dh) in dh.chunks_exact(outputs).enumerate() {
                assert!(row % batch < valid || dh.iter().all(|&g| g == 0.0), "row {row} does not count");
            }
            let case = format!("{dims:?}, reference class: {reference:?}");
            check_gradient(&case, &mut rng, &h, &dh, |h| evaluate(h).0.iter().sum());
        }
    }
}

#[test]
fn full_covariance() {
    let mut rng = Philox::new(6, 0);
    for (inputs, rank) in [(1, 1), (5, 5), (6, 2), (2, 4)] {
        for (outputs, components, batch) in [(1, 1, 1), (9, 4, 7)] {
            let sizes = [
                batch * inputs,
                components * inputs,
                components * inputs * rank,
                components * outputs * inputs,
                components * outputs,
            ];
            let tensors = sizes.map(|n| normals(&mut rng, n));
            let cotangent = normals(&mut rng, batch * outputs);
            fn layer<'a>(
                tensors: &'a [Vec<f64>; 5],
                [components, inputs, rank, outputs]: [usize; 4],
            ) -> full_covariance::Layer<'a, f64> {
                let [_, mu, root, u, v] = tensors;
                full_covariance::Layer { components, inputs, rank, outputs, mu, root, u, v }
            }
            let counts = [components, inputs, rank, outputs];
            let grads = layer(&tensors, counts).backward(&tensors[0], &cotangent).expect("shapes fit");
            let gradients = [(1, &grads.mu), (2, &grads.root), (3, &grads.u), (4, &grads.v)];
            for (at, gradient) in gradients {
                let output = |values: &[f64]| {
                    let mut tensors = tensors.clone();
                    tensors[at] = values.to_vec();
                    dot(&layer(&tensors, counts).forward(&tensors[0]).expect("shapes fit"), &cotangent)
                };
                let case = format!("[K, d, r, L] = {counts:?}, tensor {at}");
                check_gradient(&case, &mut rng, &tensors[at], gradient, output);
            }
        }
    }
}

#[test]
fn joint_regression() {
    let mut rng = Philox::new(8, 0);
    for (inputs, components, rows) in [(1, 1, 1), (4, 1, 9), (5, 4, 7)] {
        let n = inputs + 1;
        let (x, y) = (normals(&mut rng, rows * inputs), normals(&mut rng, rows));
        let (mu, root) = (normals(&mut rng, components * n), normals(&mut rng, components * n * n));
        let evaluate = |mu: &[f64], root: &[f64]| {
            let layer = joint_regression::Layer { components, inputs, mu, root };
            layer.gradient(&x, &y).expect("shapes fit")
        };
        let gradient = evaluate(&mu, &root);
        let case = format!("d = {inputs}, K = {components}, n = {rows}");
        check_gradient(&case, &mut rng, &mu, &gradient.mu, |mu| evaluate(mu, &root).loss);
        check_gradient(&case, &mut rng, &root, &gradient.root, |root| evaluate(&mu, root).loss);
    }
}
