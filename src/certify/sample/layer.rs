//! Samples of one layer's outputs, given samples of what enters it.

use super::normals;
use crate::certify::core::Layer;
use crate::certify::core::matrix::{product, transposed};
use crate::math::factors::factor;
use crate::reference::philox::Philox;

/// Points up to which a layer's outputs are drawn: the work grows with their square, that of drawing weights does not.
const FEW: usize = 16;

/// How a layer's outputs are drawn.
pub(super) enum Sampler {
    /// The same points enter in every sample.
    Fixed(Outputs),
    /// Given what enters, outputs are drawn in place of weights: the law is the same.
    Given(Independent),
    /// Weights `[inputs, outputs]`, once a sample for all its points, and biases.
    Weights(Gaussian, Gaussian),
}

impl Sampler {
    /// Of the layer that the inputs `rows` enter.
    pub(super) fn first(layer: &Layer, rows: &[&[f64]]) -> Self {
        // Where there are more points than inputs, fewer numbers are drawn as weights.
        if layer.is_correlated() || rows.len() > layer.inputs {
            return Self::new(layer, rows.len());
        }
        Self::Fixed(Independent::new(layer).outputs(&rows.concat()))
    }

    /// Of a layer that so many points enter.
    pub(super) fn new(layer: &Layer, points: usize) -> Self {
        let turned = |matrix: &[f64]| transposed(matrix, layer.outputs, layer.inputs);
        if layer.is_correlated() {
            return Self::Weights(
                Gaussian::correlated(turned(&layer.mean), &layer.variance),
                Gaussian::correlated(layer.bias_mean.clone(), &layer.bias_variance),
            );
        }
        if points <= FEW.min(layer.inputs) {
            return Self::Given(Independent::new(layer));
        }
        Self::Weights(
            Gaussian::independent(turned(&layer.mean), &turned(&layer.variance)),
            Gaussian::independent(layer.bias_mean.clone(), &layer.bias_variance),
        )
    }

    /// `count` samples `[count, points, outputs]`, given those of what enters, `[count, points, inputs]`.
    pub(super) fn draw(&self, a: &[f64], count: usize, random: &mut Philox) -> Vec<f64> {
        match self {
            Self::Fixed(outputs) => outputs.draw(count, random),
            Self::Given(layer) if a.len() == count * layer.inputs => layer.draw_at_one_point(a, random),
            Self::Given(layer) => {
                a.chunks_exact(a.len() / count).flat_map(|a| layer.outputs(a).draw(1, random)).collect()
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

/// A layer of independent weights.
pub(super) struct Independent {
    inputs: usize,
    /// `[inputs, outputs]`.
    mean: Vec<f64>,
    /// `[inputs, outputs]`.
    variance: Vec<f64>,
    /// `[outputs]`.
    bias_mean: Vec<f64>,
    /// `[outputs]`.
    bias_variance: Vec<f64>,
}

impl Independent {
    fn new(layer: &Layer) -> Self {
        let turned = |matrix: &[f64]| transposed(matrix, layer.outputs, layer.inputs);
        Self {
            inputs: layer.inputs,
            mean: turned(&layer.mean),
            variance: turned(&layer.variance),
            bias_mean: layer.bias_mean.clone(),
            bias_variance: layer.bias_variance.clone(),
        }
    }

    /// `a M + b̄` of rows `[rows, inputs]`, or the same of the variances.
    fn rows(&self, a: &[f64], [matrix, bias]: [&[f64]; 2]) -> Vec<f64> {
        let mut out = product(a, a.len() / self.inputs, self.inputs, matrix, bias.len());
        out.chunks_exact_mut(bias.len()).for_each(|row| row.iter_mut().zip(bias).for_each(|(x, b)| *x += b));
        out
    }

    /// The law for the points `a`, `[points, inputs]`: neuron `i` is `N(A M_i + b̄_i 1, A diag(V_i) Aᵀ + B_i 11ᵀ)`.
    fn outputs(&self, a: &[f64]) -> Outputs {
        let (points, outputs) = (a.len() / self.inputs, self.bias_mean.len());
        let mean = transposed(&self.rows(a, [&self.mean, &self.bias_mean]), points, outputs);
        let mut covariances = vec![0.0; outputs * points * points];
        for (d, x) in a.chunks_exact(self.inputs).enumerate() {
            let others = a.chunks_exact(self.inputs).take(d + 1);
            let pairs: Vec<f64> = others.flat_map(|y| y.iter().zip(x).map(|(y, x)| y * x)).collect();
            let shared = self.rows(&pairs, [&self.variance, &self.bias_variance]);
            for (e, shared) in shared.chunks_exact(outputs).enumerate() {
                for (block, &s) in covariances.chunks_exact_mut(points * points).zip(shared) {
                    (block[d * points + e], block[e * points + d]) = (s, s);
                }
            }
        }
        let roots = covariances.chunks_exact(points * points).flat_map(|block| factor(block, points)).collect();
        Outputs { mean, roots }
    }

    /// All samples together, where each is of one point.
    fn draw_at_one_point(&self, a: &[f64], random: &mut Philox) -> Vec<f64> {
        let squares: Vec<f64> = a.iter().map(|x| x * x).collect();
        let mut z = self.rows(a, [&self.mean, &self.bias_mean]);
        let variances = self.rows(&squares, [&self.variance, &self.bias_variance]);
        let noise = normals(z.len(), random);
        z.iter_mut().zip(variances.iter().zip(noise)).for_each(|(z, (v, x))| *z += v.sqrt() * x);
        z
    }
}

/// Neurons that are independent of one another, each a Gaussian over the points.
pub(super) struct Outputs {
    /// `[outputs, points]`.
    mean: Vec<f64>,
    /// `[outputs, points, points]`.
    roots: Vec<f64>,
}

impl Outputs {
    /// `[count, points, outputs]`.
    fn draw(&self, count: usize, random: &mut Philox) -> Vec<f64> {
        let points = self.roots.len() / self.mean.len();
        let outputs = self.mean.len() / points;
        let mut out = Vec::with_capacity(count * self.mean.len());
        for _ in 0..count {
            let noise = normals(self.mean.len(), random);
            for (d, i) in (0..points).flat_map(|d| (0..outputs).map(move |i| (d, i))) {
                let row = self.roots[(i * points + d) * points..][..points].iter();
                let moved: f64 = row.zip(&noise[i * points..]).map(|(r, x)| r * x).sum();
                out.push(self.mean[i * points + d] + moved);
            }
        }
        out
    }
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
