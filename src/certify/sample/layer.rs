//! Samples of one layer's outputs, given samples of what enters it.

use super::normals;
use crate::certify::core::Layer;
use crate::certify::core::matrix::{product, transposed};
use crate::math::factors::factor;
use crate::reference::philox::Philox;

/// How a layer's outputs are drawn.
pub(super) enum Sampler {
    /// The same points enter in every sample, and neurons are independent: each is one Gaussian over the points.
    Points {
        /// `[outputs, points]`.
        mean: Vec<f64>,
        /// `[outputs, points, points]`.
        roots: Vec<f64>,
    },
    /// One point: given what enters, outputs are independent Gaussians, which are drawn in place of weights.
    Outputs {
        /// `[inputs, outputs]`.
        mean: Vec<f64>,
        /// `[inputs, outputs]`.
        variance: Vec<f64>,
        /// `[outputs]`.
        bias_mean: Vec<f64>,
        /// `[outputs]`.
        bias_variance: Vec<f64>,
    },
    /// Weights, once a sample for all its points: `[inputs, outputs]`, and biases.
    Weights(Gaussian, Gaussian),
}

impl Sampler {
    /// Of the layer that the inputs `rows` enter.
    pub(super) fn first(layer: &Layer, rows: &[&[f64]]) -> Self {
        // Where there are more points than inputs, fewer numbers are drawn as weights.
        if layer.is_correlated() || rows.len() > layer.inputs {
            Self::new(layer, rows.len())
        } else {
            points(layer, rows)
        }
    }

    /// Of a layer that so many points enter.
    pub(super) fn new(layer: &Layer, points: usize) -> Self {
        let turned = |matrix: &[f64]| transposed(matrix, layer.outputs, layer.inputs);
        let (mean, bias_mean) = (turned(&layer.mean), layer.bias_mean.clone());
        if layer.is_correlated() {
            return Self::Weights(
                Gaussian::correlated(mean, &layer.variance),
                Gaussian::correlated(bias_mean, &layer.bias_variance),
            );
        }
        let (variance, bias_variance) = (turned(&layer.variance), layer.bias_variance.clone());
        if points == 1 {
            return Self::Outputs { mean, variance, bias_mean, bias_variance };
        }
        Self::Weights(Gaussian::independent(mean, &variance), Gaussian::independent(bias_mean, &bias_variance))
    }

    /// `count` samples `[count, points, outputs]`, given those of what enters, `[count, points, inputs]`.
    pub(super) fn draw(&self, a: &[f64], count: usize, random: &mut Philox) -> Vec<f64> {
        match self {
            Self::Points { mean, roots } => draw_points(mean, roots, count, random),
            Self::Outputs { mean, variance, bias_mean, bias_variance } => {
                let (inputs, outputs) = (a.len() / count, bias_mean.len());
                let squares: Vec<f64> = a.iter().map(|x| x * x).collect();
                let mut z = product(a, count, inputs, mean, outputs);
                let variances = product(&squares, count, inputs, variance, outputs);
                for (z, variances) in z.chunks_exact_mut(outputs).zip(variances.chunks_exact(outputs)) {
                    for ((z, v), (b, own)) in z.iter_mut().zip(variances).zip(bias_mean.iter().zip(bias_variance)) {
                        *z += b + (v + own).sqrt() * random.normal();
                    }
                }
                z
            }
            Self::Weights(weights, biases) => {
                let outputs = biases.mean.len();
                let inputs = weights.mean.len() / outputs;
                let (weights, biases) = (weights.draw(count, random), biases.draw(count, random));
                let mut out = Vec::with_capacity(a.len() / inputs * outputs);
                let drawn = weights.chunks_exact(inputs * outputs).zip(biases.chunks_exact(outputs));
                for (a, (weights, biases)) in a.chunks_exact(a.len() / count).zip(drawn) {
                    let z = product(a, a.len() / inputs, inputs, weights, outputs);
                    out.extend(z.chunks_exact(outputs).flat_map(|z| z.iter().zip(biases).map(|(z, b)| z + b)));
                }
                out
            }
        }
    }
}

/// Neuron `i` at all points: `N(X M_i + b̄_i 1, X diag(V_i) Xᵀ + B_i 11ᵀ)`.
fn points(layer: &Layer, rows: &[&[f64]]) -> Sampler {
    let (points, n, outputs) = (rows.len(), layer.inputs, layer.outputs);
    let means = product(&rows.concat(), points, n, &transposed(&layer.mean, outputs, n), outputs);
    let mut mean = transposed(&means, points, outputs);
    for (mean, bias) in mean.chunks_exact_mut(points).zip(&layer.bias_mean) {
        mean.iter_mut().for_each(|m| *m += bias);
    }
    let variance = transposed(&layer.variance, outputs, n);
    let mut covariances = vec![0.0; outputs * points * points];
    for (d, x) in rows.iter().enumerate() {
        let pairs: Vec<f64> = rows[..=d].iter().flat_map(|y| y.iter().zip(*x).map(|(y, x)| y * x)).collect();
        let shared = product(&pairs, d + 1, n, &variance, outputs);
        for (e, shared) in shared.chunks_exact(outputs).enumerate() {
            for ((block, s), b) in covariances.chunks_exact_mut(points * points).zip(shared).zip(&layer.bias_variance) {
                (block[d * points + e], block[e * points + d]) = (s + b, s + b);
            }
        }
    }
    let roots = covariances.chunks_exact(points * points).flat_map(|block| factor(block, points)).collect();
    Sampler::Points { mean, roots }
}

fn draw_points(mean: &[f64], roots: &[f64], count: usize, random: &mut Philox) -> Vec<f64> {
    let points = roots.len() / mean.len();
    let outputs = mean.len() / points;
    let mut out = Vec::with_capacity(count * mean.len());
    for _ in 0..count {
        let noise = normals(mean.len(), random);
        for (d, i) in (0..points).flat_map(|d| (0..outputs).map(move |i| (d, i))) {
            let row = roots[(i * points + d) * points..][..points].iter();
            let moved: f64 = row.zip(&noise[i * points..]).map(|(r, x)| r * x).sum();
            out.push(mean[i * points + d] + moved);
        }
    }
    out
}

/// A Gaussian in many dimensions.
pub(super) struct Gaussian {
    mean: Vec<f64>,
    spread: Spread,
}

enum Spread {
    /// Deviations of independent numbers.
    Independent(Vec<f64>),
    /// `Rᵀ` of the covariance `RRᵀ`.
    Correlated(Vec<f64>),
}

impl Gaussian {
    fn independent(mean: Vec<f64>, variances: &[f64]) -> Self {
        Self { mean, spread: Spread::Independent(variances.iter().map(|v| v.sqrt()).collect()) }
    }

    fn correlated(mean: Vec<f64>, covariance: &[f64]) -> Self {
        let n = mean.len();
        let root = factor(covariance, n);
        Self { mean, spread: Spread::Correlated(transposed(&root, n, n)) }
    }

    /// `[count, n]`.
    fn draw(&self, count: usize, random: &mut Philox) -> Vec<f64> {
        let n = self.mean.len();
        let mut out = normals(count * n, random);
        match &self.spread {
            Spread::Independent(deviations) => {
                out.chunks_exact_mut(n).for_each(|row| row.iter_mut().zip(deviations).for_each(|(x, s)| *x *= s));
            }
            Spread::Correlated(root) => out = product(&out, count, n, root, n),
        }
        out.chunks_exact_mut(n).for_each(|row| row.iter_mut().zip(&self.mean).for_each(|(x, m)| *x += m));
        out
    }
}
