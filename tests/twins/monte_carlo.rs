//! The layers against sampled neurons.

use bures::reference::philox::Philox;
use bures::reference::{gm_layer, joint_regression};
use bures::shape::GmDims;

use crate::support::{normals, pack, pad, random_layer, unpad};

const SAMPLES: usize = 40_000;

/// Means and their standard errors.
struct Averages {
    sums: Vec<f64>,
    squares: Vec<f64>,
    count: usize,
}

impl Averages {
    fn new(n: usize) -> Self {
        Self { sums: vec![0.0; n], squares: vec![0.0; n], count: 0 }
    }

    fn add(&mut self, values: &[f64]) {
        self.count += 1;
        for ((sum, square), value) in self.sums.iter_mut().zip(&mut self.squares).zip(values) {
            *sum += value;
            *square += value * value;
        }
    }

    /// Five standard errors are allowed, and the errors must be small enough to tell right from wrong.
    fn check(&self, case: &str, want: &[f64]) {
        let n = self.count as f64;
        let size = want.iter().map(|w| w.abs()).fold(0.0, f64::max);
        for (at, ((sum, square), want)) in self.sums.iter().zip(&self.squares).zip(want).enumerate() {
            let mean = sum / n;
            let error = ((square / n - mean * mean) / n).sqrt();
            assert!(error < 0.02 * size, "{case}: a standard error of {error} tests nothing");
            assert!((mean - want).abs() <= 5.0 * error, "{case}, {at}: {want}, sampled {mean} ± {error}");
        }
    }
}

/// `h(x) = 1/K Σ_k E (U_k β + v_k) relu(⟨β, x⟩)`, `β ~ N(μ_k, diag σ_k²)`.
#[test]
fn the_layer_is_the_mean_of_its_neurons() {
    let dims = GmDims { runs: 1, batch: 3, components: 3, inputs: 5, outputs: 4, rank: 0 };
    let GmDims { batch, components, inputs, outputs, .. } = dims;
    let mut rng = Philox::new(2025, 0);
    let tensors = random_layer(dims, &mut rng);
    let [x, mu, sigma, u, v] = &tensors;
    let mut h = vec![0.0; dims.h_len()];
    let mut workspace = gm_layer::Workspace::new(dims);
    gm_layer::forward(&pad(inputs, x), &pack(dims, &tensors[1..]), &mut workspace, &mut h).expect("shapes fit");

    let mut averages = Averages::new(batch * outputs);
    for _ in 0..SAMPLES {
        // One neuron of each component: stratified, and still independent between samples.
        let mut sample = vec![0.0; batch * outputs];
        for k in 0..components {
            let beta: Vec<f64> = (k * inputs..(k + 1) * inputs).map(|at| mu[at] + sigma[at] * rng.normal()).collect();
            let omega = (k * outputs..(k + 1) * outputs).map(|row| {
                v[row] + u[row * inputs..][..inputs].iter().zip(&beta).map(|(u, beta)| u * beta).sum::<f64>()
            });
            let omega: Vec<f64> = omega.collect();
            for (x, sample) in x.chunks_exact(inputs).zip(sample.chunks_exact_mut(outputs)) {
                let y: f64 = x.iter().zip(&beta).map(|(x, beta)| x * beta).sum();
                sample.iter_mut().zip(&omega).for_each(|(s, omega)| *s += omega * y.max(0.0) / components as f64);
            }
        }
        averages.add(&sample);
    }
    averages.check("h", &unpad(outputs, &h));
}

/// The closed forms of Appendix A.1.1 as the expectations that they stand for, `(ω, β) = μ + C z`.
#[test]
fn the_regression_statistics_are_expectations() {
    let (inputs, n) = (3, 4);
    let mut rng = Philox::new(2026, 0);
    let (x, mu, root) = (normals(&mut rng, inputs), normals(&mut rng, n), normals(&mut rng, n * n));
    let layer = joint_regression::Layer { components: 1, inputs, mu: &mu, root: &root };
    let s = layer.statistics(0, &layer.covariance(0), &x);
    let want = [vec![s.a, s.b, s.c, s.d, s.f], s.p, s.q].concat();
    let mut averages = Averages::new(want.len());
    for _ in 0..SAMPLES {
        let z = normals(&mut rng, n);
        let draw: Vec<f64> =
            (0..n).map(|i| mu[i] + root[i * n..][..n].iter().zip(&z).map(|(c, z)| c * z).sum::<f64>()).collect();
        let (omega, beta) = (draw[0], &draw[1..]);
        let y: f64 = x.iter().zip(beta).map(|(x, beta)| x * beta).sum();
        let (relu, on) = (y.max(0.0), f64::from(y > 0.0));
        let mut sample = vec![relu, omega * on, omega * relu, omega * omega * on, on];
        sample.extend(beta.iter().map(|beta| relu * beta));
        sample.extend(beta.iter().map(|beta| omega * on * beta));
        averages.add(&sample);
    }
    averages.check("statistics", &want);
}
