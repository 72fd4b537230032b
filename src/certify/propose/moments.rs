//! Where a bound would fall most: how far each neuron is from linear, in plain `f64`.

use crate::certify::core::{Layer, Network};
use crate::reference::normal::{FRAC_1_SQRT_2PI, relu_moments};

/// A neuron worth splitting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    /// Hidden layer, from 0.
    pub(super) layer: usize,
    /// Neuron in that layer.
    pub(super) coordinate: usize,
    /// `‖M_:j‖² r_j² + Σ_i V_ij² Var(a_j²) / N̄_i`: what the neuron adds to the square of the layer's own error (Lemma 2).
    pub(super) residual: f64,
    /// The sum of `residual` over the layer.
    pub(super) layer_residual: f64,
    /// `G_jj s_j²`: what a split of one point would cost, squared (Lemma 4 carried by Lemma 1, along the neuron alone).
    pub(super) cost: f64,
}

/// Every neuron of every hidden layer, for the unsplit Gaussian of each layer.
pub(super) fn candidates(network: &Network, row: &[f64]) -> Vec<Candidate> {
    let Some((first, rest)) = network.layers.split_first() else { return Vec::new() };
    let squares: Vec<f64> = row.iter().map(|x| x * x).collect();
    let mut mean = affine(first, &first.mean, row, &first.bias_mean);
    let noise = affine(first, &first.variance, &squares, &first.bias_variance);
    let mut covariance = diagonal(&noise);
    let mut out = Vec::new();
    for (index, (layer, next)) in network.layers.iter().zip(rest).enumerate() {
        let width = layer.outputs;
        let moments: Vec<Moments> = (0..width)
            .map(|j| Moments::of(&layer.activation, mean[j], covariance[j * width + j].max(0.0).sqrt()))
            .collect();
        let column = |values: &[f64], j: usize, power: i32| -> f64 {
            (0..next.outputs).map(|i| values[i * width + j].powi(power)).sum()
        };
        let norms: Vec<f64> = (0..width).map(|j| column(&next.mean, j, 2)).collect();
        let seconds: Vec<f64> = moments.iter().map(|m| m.second).collect();
        let levels = affine(next, &next.variance, &seconds, &next.bias_variance);
        let noise = |j: usize| -> f64 {
            let parts = levels.iter().enumerate().filter(|(_, level)| **level > 0.0);
            parts.map(|(i, level)| next.variance[i * width + j].powi(2) * moments[j].square_variance / level).sum()
        };
        let residuals: Vec<f64> = (0..width).map(|j| norms[j] * moments[j].residual + noise(j)).collect();
        let layer_residual = residuals.iter().sum();
        for (coordinate, &residual) in residuals.iter().enumerate() {
            let weight = norms[coordinate] + column(&next.variance, coordinate, 1);
            let cost = weight * covariance[coordinate * width + coordinate];
            out.push(Candidate { layer: index, coordinate, residual, layer_residual, cost });
        }
        (mean, covariance) = linearised(next, &moments, &covariance);
    }
    out
}

/// `matrix · vector + bias` for a matrix `[outputs, inputs]`.
fn affine(layer: &Layer, matrix: &[f64], vector: &[f64], bias: &[f64]) -> Vec<f64> {
    let rows = matrix.chunks_exact(layer.inputs.max(1)).zip(bias);
    rows.map(|(row, bias)| bias + row.iter().zip(vector).map(|(m, x)| m * x).sum::<f64>()).collect()
}

fn diagonal(values: &[f64]) -> Vec<f64> {
    let n = values.len();
    let mut out = vec![0.0; n * n];
    values.iter().enumerate().for_each(|(i, &value)| out[i * n + i] = value);
    out
}

/// The Gaussian of Lemma 2 after `next`.
fn linearised(next: &Layer, moments: &[Moments], covariance: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let (n, k) = (moments.len(), next.outputs);
    let means: Vec<f64> = moments.iter().map(|m| m.mean).collect();
    let squares: Vec<f64> = moments.iter().map(|m| m.second).collect();
    let mean = affine(next, &next.mean, &means, &next.bias_mean);
    let noise = affine(next, &next.variance, &squares, &next.bias_variance);
    // M F Σ, then times F Mᵀ.
    let mut half = vec![0.0; k * n];
    for (half, row) in half.chunks_exact_mut(n).zip(next.mean.chunks_exact(n)) {
        for ((m, moment), line) in row.iter().zip(moments).zip(covariance.chunks_exact(n)) {
            half.iter_mut().zip(line).for_each(|(h, c)| *h += m * moment.slope * c);
        }
    }
    let mut out = diagonal(&noise);
    for (i, half) in half.chunks_exact(n).enumerate() {
        for (j, row) in next.mean.chunks_exact(n).enumerate() {
            out[i * k + j] +=
                half.iter().zip(row).zip(moments).map(|((h, m), moment)| h * m * moment.slope).sum::<f64>();
        }
    }
    (mean, out)
}

/// Of an activation of `N(m, s²)`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moments {
    /// `E a`.
    mean: f64,
    /// `F = E a'`.
    slope: f64,
    /// `E a²`.
    second: f64,
    /// `r² = Var a − F² s²`.
    pub(super) residual: f64,
    /// `Var(a²)`.
    pub(super) square_variance: f64,
}

impl Moments {
    pub(super) fn of(activation: &str, m: f64, s: f64) -> Self {
        let (m2, s2) = (m * m, s * s);
        let (mean, slope, second, fourth) = match activation {
            "relu" => relu(m, s),
            "tanh" => tanh(m, s),
            _ => (m, 1.0, m2 + s2, m2 * m2 + 6.0 * m2 * s2 + 3.0 * s2 * s2),
        };
        let residual = (second - mean * mean - slope * slope * s * s).max(0.0);
        let square_variance = (fourth - second * second).max(0.0);
        Self { mean, slope, second, residual, square_variance }
    }
}

/// `E a`, `E a'`, `E a²` and `E a⁴`.
fn relu(m: f64, s: f64) -> (f64, f64, f64, f64) {
    let (m2, s2) = (m * m, s * s);
    let moments = relu_moments(m, s2);
    let (f, sf) = (moments.f, moments.a - m * moments.f);
    let fourth = (m2 * m2 + 6.0 * m2 * s2 + 3.0 * s2 * s2) * f + (m2 * m + 5.0 * m * s2) * sf;
    (moments.a, f, moments.a * m + s2 * f, fourth)
}

/// The same by the trapezoidal rule on ±8 deviations.
fn tanh(m: f64, s: f64) -> (f64, f64, f64, f64) {
    const POINTS: i32 = 64;
    const STEP: f64 = 8.0 / POINTS as f64;
    let (mut mean, mut slope, mut second, mut fourth) = (0.0, 0.0, 0.0, 0.0);
    for i in -POINTS..=POINTS {
        let x = f64::from(i) * STEP;
        let (mass, a) = (STEP * FRAC_1_SQRT_2PI * libm::exp(-0.5 * x * x), libm::tanh(m + s * x));
        mean += mass * a;
        slope += mass * (1.0 - a * a);
        second += mass * a * a;
        fourth += mass * a * a * a * a;
    }
    (mean, slope, second, fourth)
}

#[cfg(test)]
mod tests {
    use super::Moments;

    #[test]
    fn moments_of_known_cases() {
        let near = |got: f64, want: f64| assert!((got - want).abs() < 1e-12, "{got} is not {want}");
        let relu = Moments::of("relu", 0.0, 2.0);
        near(relu.mean, 2.0 * super::FRAC_1_SQRT_2PI);
        near(relu.second, 2.0);
        near(relu.residual / 4.0, 0.25 - 0.5 / std::f64::consts::PI);
        // a² is 0 or χ² with probability ½ each: E a⁴ = 3s⁴/2.
        near(relu.square_variance, 24.0 - 4.0);
        let none = Moments::of("none", 0.7, 1.3);
        near(none.residual, 0.0);
        // tanh is near linear on a narrow Gaussian, and odd.
        let tanh = Moments::of("tanh", 0.0, 1e-3);
        near(tanh.mean, 0.0);
        near(tanh.second, 1e-6 - 2e-12);
    }
}
