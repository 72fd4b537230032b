//! The GM layer with covariances that are more than their diagonals: against the textbook layer, golden values and differences.

use bures::kernels::gm_joint::GmJoint;
use bures::reference::philox::Philox;
use bures::reference::{Real, full_covariance, joint_regression};
use bures::shape::GmDims;

use crate::differences::check_gradient;
use crate::golden_full::{COVARIANCE, REGRESSIONS};
use crate::golden_layer::loss;
use crate::support::{Golden, Named, check_f32, check_f64, distance, golden_folder, normals, pad, pass, unpad, wide};

/// A layer's tensors `x, mu, sigma, u, v, root`, unpadded, and its gradients in the same order; all of one run.
type Tensors = [Vec<f64>; 6];

const NAMES: [&str; 6] = ["x", "mu", "sigma", "u", "v", "root"];

fn columns(dims: GmDims) -> [usize; 5] {
    [dims.inputs, dims.inputs, dims.inputs, dims.outputs, dims.inputs]
}

fn params<T: Real>(dims: GmDims, tensors: &[Vec<f64>]) -> Vec<T> {
    let flat: Vec<T> = tensors.iter().zip(columns(dims)).flat_map(|(tensor, width)| pad::<T>(width, tensor)).collect();
    assert_eq!(flat.len(), dims.params_len());
    flat
}

fn random_layer(dims: GmDims, rng: &mut Philox) -> Tensors {
    let GmDims { batch, components, inputs, outputs, rank, .. } = dims;
    let sigma = (0..components * inputs).map(|_| 0.3 + rng.uniform()).collect();
    [
        normals(rng, batch * inputs),
        normals(rng, components * inputs),
        sigma,
        normals(rng, components * outputs * inputs),
        normals(rng, components * outputs),
        normals(rng, components * rank * inputs).iter().map(|root| 0.5 * root).collect(),
    ]
}

/// `h`, and the gradients for the cotangent `dh [B, L]`.
fn run<T: Real>(dims: GmDims, tensors: &Tensors, dh: impl FnOnce(&[T]) -> Vec<T>) -> (Vec<f64>, Tensors) {
    let pass = pass(dims, &pad::<T>(dims.inputs, &tensors[0]), &params::<T>(dims, &tensors[1..]), dh);
    let ranges = [dims.mu(), dims.sigma(), dims.u(), dims.v(), dims.root()];
    let mut grads = ranges.into_iter().zip(columns(dims)).map(|(range, width)| unpad(width, &pass.grads[range]));
    let mut next = || grads.next().expect("a tensor");
    let grads = [unpad(dims.inputs, &pass.dx), next(), next(), next(), next(), next()];
    (unpad(dims.outputs, &pass.h), grads)
}

/// `C_k = [diag σ_k, root_kᵀ]`, `[K, d, d+R]`, whose product with its transpose is `diag(σ_k²) + root_kᵀ root_k`.
fn whole_root(dims: GmDims, sigma: &[f64], root: &[f64]) -> Vec<f64> {
    let (d, r) = (dims.inputs, dims.rank);
    let mut whole = vec![0.0; dims.components * d * (d + r)];
    for (k, whole) in whole.chunks_exact_mut(d * (d + r)).enumerate() {
        for (j, row) in whole.chunks_exact_mut(d + r).enumerate() {
            row[j] = sigma[k * d + j];
            (0..r).for_each(|i| row[d + i] = root[(k * r + i) * d + j]);
        }
    }
    whole
}

fn textbook<'a>(dims: GmDims, tensors: &'a Tensors, whole: &'a [f64]) -> full_covariance::Layer<'a, f64> {
    let GmDims { components, inputs, outputs, rank, .. } = dims;
    let (mu, u, v) = (&tensors[1], &tensors[3], &tensors[4]);
    full_covariance::Layer { components, inputs, rank: inputs + rank, outputs, mu, root: whole, u, v }
}

const SIZES: [(usize, usize, usize, usize, usize); 6] =
    [(1, 1, 1, 1, 1), (7, 4, 5, 3, 2), (3, 2, 6, 9, 6), (5, 3, 9, 1, 4), (2, 7, 4, 2, 11), (9, 5, 130, 12, 3)];

fn sizes() -> impl Iterator<Item = GmDims> {
    SIZES.into_iter().map(|(batch, components, inputs, outputs, rank)| GmDims {
        runs: 1,
        batch,
        components,
        inputs,
        outputs,
        rank,
    })
}

#[test]
fn the_layer_is_the_textbook_layer() {
    let mut rng = Philox::new(21, 0);
    for dims in sizes() {
        let tensors = random_layer(dims, &mut rng);
        let cotangent = normals(&mut rng, dims.batch * dims.outputs);
        let (h, grads) = run::<f64>(dims, &tensors, |_| pad(dims.outputs, &cotangent));
        let whole = whole_root(dims, &tensors[2], &tensors[5]);
        let layer = textbook(dims, &tensors, &whole);
        let want = layer.backward(&tensors[0], &cotangent).expect("shapes fit");
        let (d, r) = (dims.inputs, dims.rank);
        let entry = |k: usize, j: usize, i: usize| want.root[(k * d + j) * (d + r) + i];
        let at =
            |n: usize| (0..dims.components).flat_map(move |k| (0..n).flat_map(move |i| (0..d).map(move |j| (k, i, j))));
        let of_sigma: Vec<f64> = at(1).map(|(k, _, j)| entry(k, j, j)).collect();
        let of_root: Vec<f64> = at(r).map(|(k, i, j)| entry(k, j, d + i)).collect();
        let want_h = layer.forward(&tensors[0]).expect("shapes fit");
        for (name, got, want) in [
            ("h", &h, &want_h),
            ("mu", &grads[1], &want.mu),
            ("sigma", &grads[2], &of_sigma),
            ("u", &grads[3], &want.u),
            ("v", &grads[4], &want.v),
            ("root", &grads[5], &of_root),
        ] {
            let off = distance(got, want);
            assert!(off <= 1e-12, "{dims:?}, {name}: off by {off:.1e}");
        }
    }
}

#[test]
fn gradients_are_those_of_differences() {
    let mut rng = Philox::new(22, 0);
    for dims in sizes().filter(|dims| dims.inputs < 100) {
        let tensors = random_layer(dims, &mut rng);
        let cotangent = normals(&mut rng, dims.batch * dims.outputs);
        let (_, grads) = run::<f64>(dims, &tensors, |_| pad(dims.outputs, &cotangent));
        for (at, (gradient, name)) in grads.iter().zip(NAMES).enumerate() {
            let output = |values: &[f64]| {
                let mut tensors = tensors.clone();
                tensors[at] = values.to_vec();
                let (h, _) = run::<f64>(dims, &tensors, |_| pad(dims.outputs, &cotangent));
                h.iter().zip(&cotangent).map(|(h, g)| h * g).sum()
            };
            check_gradient(&format!("{dims:?}, {name}"), &mut rng, &tensors[at], gradient, output);
        }
    }
}

/// The diagonal layer is the layer of any rank with a root of 0, and the full layer (σ = 0) with a diagonal C.
#[test]
fn the_diagonal_layer_is_a_case_of_the_others() {
    let mut rng = Philox::new(23, 0);
    let full = GmDims { runs: 1, batch: 7, components: 4, inputs: 9, outputs: 3, rank: 9 };
    let diagonal = GmDims { rank: 0, ..full };
    let tensors = random_layer(diagonal, &mut rng);
    let cotangent = normals(&mut rng, 21);
    let pass = |dims, tensors: &Tensors| run::<f64>(dims, tensors, |_| pad(3, &cotangent));
    let (h, grads) = pass(diagonal, &tensors);

    let mut none = tensors.clone();
    none[5] = vec![0.0; 4 * 9 * 9];
    let (h_none, grads_none) = pass(full, &none);
    assert!(h_none == h && grads_none[..5] == grads[..5], "a root of 0 changes something");
    assert!(grads_none[5].iter().all(|&g| g == 0.0), "a root of 0 is a saddle");

    let mut whole = none;
    whole[2] = vec![0.0; 36];
    whole[5] = (0..324).map(|at| if at / 9 % 9 == at % 9 { tensors[2][at / 9] } else { 0.0 }).collect();
    let (h_whole, grads_whole) = pass(full, &whole);
    let on_diagonal: Vec<f64> = (0..36).map(|at| grads_whole[5][at * 9 + at % 9]).collect();
    assert!(distance(&h_whole, &h) <= 1e-14);
    assert!(distance(&on_diagonal, &grads[2]) <= 1e-13, "the diagonal of the gradient is that of σ");
    for at in [0, 1, 3, 4] {
        assert!(distance(&grads_whole[at], &grads[at]) <= 1e-13, "{}", NAMES[at]);
    }
}

/// Square matrices, transposed one by one.
fn transposed(n: usize, values: &[f64]) -> Vec<f64> {
    let matrix = |m: &[f64]| (0..n * n).map(|at| m[at % n * n + at / n]).collect::<Vec<_>>();
    values.chunks_exact(n * n).flat_map(matrix).collect()
}

#[test]
fn the_full_layer_agrees_with_golden_values() {
    let Some(folder) = golden_folder() else { return };
    let golden = Golden::read(&folder, COVARIANCE);
    let [components, outputs, inputs]: [usize; 3] = golden.shape("U").try_into().expect("[K, L, d]");
    let labels = golden.integers("y");
    let dims = GmDims { runs: 1, batch: labels.len(), components, inputs, outputs, rank: inputs };
    let given: Vec<_> = ["X", "mu", "C", "U", "v"].iter().map(|name| golden.floats(name)).collect();
    fn results<T: Real>(dims: GmDims, labels: &[u32], given: &[Vec<f64>]) -> Named {
        let [x, mu, c, u, v] = given else { panic!("five inputs") };
        let sigma = vec![0.0; mu.len()];
        let root = transposed(dims.inputs, c);
        let tensors = [x.clone(), mu.clone(), sigma, u.clone(), v.clone(), root];
        let mut mean = T::ZERO;
        let (h, grads) = run::<T>(dims, &tensors, |h| {
            let (loss, dh, _) = loss(dims.outputs, h, labels);
            mean = loss;
            dh
        });
        let [_, mu, _, u, v, root] = grads;
        let c = transposed(dims.inputs, &root);
        vec![("h", h), ("loss", wide(&[mean])), ("dmu", mu), ("dC", c), ("dU", u), ("dv", v)]
    }
    let exact = |given: &[Vec<f64>]| results::<f64>(dims, &labels, given);
    let want = golden.named(&["h", "loss", "dmu", "dC", "dU", "dv"]);
    check_f64(COVARIANCE, &exact(&given), &want);
    check_f32(COVARIANCE, &given, &results::<f32>(dims, &labels, &given), &want, exact);
}

/// The joint layer as it is run: inputs `(0, x)`, `U = e_0ᵀ`, `v = 0`. Given are `X, y, mu, C`.
fn joint<T: Real>([components, inputs]: [usize; 2], given: &[Vec<f64>]) -> Named {
    let [x, y, mu, c] = given else { panic!("four inputs") };
    let (n, rows) = (inputs + 1, y.len());
    let dims = GmJoint::dims(1, rows, components, inputs);
    let x: Vec<f64> = x.chunks_exact(inputs).flat_map(|x| std::iter::once(0.0).chain(x.iter().copied())).collect();
    let u: Vec<f64> = (0..components * n).map(|at| f64::from(u8::from(at % n == 0))).collect();
    let tensors = [x, mu.clone(), vec![0.0; components * n], u, vec![0.0; components], transposed(n, c)];
    let mut loss = T::ZERO;
    let (pred, grads) = run::<T>(dims, &tensors, |h| {
        let residuals: Vec<T> = y.iter().zip(h.chunks_exact(4)).map(|(&y, h)| T::of(y) - h[0]).collect();
        loss = residuals.iter().map(|&e| e * e).sum::<T>() / T::of(rows as f64);
        residuals.iter().flat_map(|&e| [T::of(-2.0) * e / T::of(rows as f64), T::ZERO, T::ZERO, T::ZERO]).collect()
    });
    vec![("pred", pred), ("loss", wide(&[loss])), ("dmu", grads[1].clone()), ("dC", transposed(n, &grads[5]))]
}

#[test]
fn the_joint_layer_agrees_with_golden_values() {
    let Some(folder) = golden_folder() else { return };
    for name in REGRESSIONS {
        let golden = Golden::read(&folder, name);
        let sizes = [golden.shape("mu")[0], golden.shape("X")[1]];
        let given: Vec<_> = ["X", "y", "mu", "C"].iter().map(|tensor| golden.floats(tensor)).collect();
        let exact = |given: &[Vec<f64>]| joint::<f64>(sizes, given);
        let want = golden.named(&["pred", "loss", "dmu", "dC"]);
        check_f64(name, &exact(&given), &want);
        check_f32(name, &given, &joint::<f32>(sizes, &given), &want, exact);
    }
}

/// Two derivations: the appendix's closed forms, and the full layer at `(0, x)`.
#[test]
fn the_joint_layer_is_the_appendix() {
    let mut rng = Philox::new(24, 0);
    for (inputs, components, rows) in [(1, 1, 1), (4, 3, 9), (7, 5, 6)] {
        let n = inputs + 1;
        let (x, y) = (normals(&mut rng, rows * inputs), normals(&mut rng, rows));
        let (mu, root) = (normals(&mut rng, components * n), normals(&mut rng, components * n * n));
        let layer = joint_regression::Layer { components, inputs, mu: &mu, root: &root };
        let want = layer.gradient(&x, &y).expect("shapes fit");
        let got = joint::<f64>([components, inputs], &[x, y, mu.clone(), root.clone()]);
        for ((name, got), want) in got.iter().zip([&want.predictions, &vec![want.loss], &want.mu, &want.root]) {
            let off = distance(got, want);
            assert!(off <= 1e-12, "{name} of {inputs} inputs: off by {off:.1e}");
        }
    }
}
