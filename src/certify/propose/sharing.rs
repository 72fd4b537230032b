//! Which neurons of the first hidden layer borrow noise (Lemma 5), and how much: as much as the layer's own noise can hold, for the
//! neurons that are farthest from linear.

use crate::certify::core::matrix::{factorises, product, symmetric_product, transposed};
use crate::certify::core::smoothed::smoothed;
use crate::certify::core::{Network, Shared};
use crate::reference::normal::relu_moments;

/// Neurons that do not borrow may keep this part of the layer's squared error.
const REST: f64 = 1e-4;

/// More neurons never borrow: the work grows with them.
const MOST: usize = 40;

/// Beyond this many deviations a rectifier is linear enough.
const FAR: f64 = 3.9;

/// How much of the noise is given away: the rest is for rounding, and because the power iteration ends below the eigenvalue.
const GIVEN: f64 = 0.97;

/// The layer after the first hidden neurons, ready for all inputs.
pub(crate) struct Pool {
    inputs: usize,
    outputs: usize,
    /// `M`, `[outputs, inputs]`, and its transpose.
    mean: Vec<f64>,
    mean_turned: Vec<f64>,
    /// `Vᵀ` and `V∘Vᵀ`.
    variance_turned: Vec<f64>,
    variance_squares: Vec<f64>,
    bias_variance: Vec<f64>,
    /// `‖M_:j‖²`.
    columns: Vec<f64>,
}

/// A proposal, and what it promises.
pub(crate) struct Plan {
    pub(crate) sharing: Vec<Shared>,
    /// The layer's own error in parts of what it is without sharing.
    pub(crate) ratio: f64,
}

/// A neuron before the layer, in plain `f64`.
struct Neuron {
    scale: f64,
    /// `r²` and `F² s²`.
    residual: f64,
    linear: f64,
    square: f64,
    square_variance: f64,
}

impl Pool {
    /// `None` where noise is not shared: without rectifiers, with dropout.
    pub(crate) fn new(network: &Network) -> Option<Self> {
        let [before, layer, ..] = network.layers.as_slice() else { return None };
        if before.activation != "relu" || before.dropout != 0.0 {
            return None;
        }
        let (inputs, outputs) = (layer.inputs, layer.outputs);
        let mean_turned = transposed(&layer.mean, outputs, inputs);
        let variance_turned = transposed(&layer.variance, outputs, inputs);
        Some(Self {
            columns: mean_turned.chunks_exact(outputs).map(|column| column.iter().map(|x| x * x).sum()).collect(),
            variance_squares: variance_turned.iter().map(|v| v * v).collect(),
            inputs,
            outputs,
            mean: layer.mean.clone(),
            mean_turned,
            variance_turned,
            bias_variance: layer.bias_variance.clone(),
        })
    }

    /// For neurons `N(mean_j, variances_j)`. `None` where nothing is gained.
    pub(crate) fn plan(&self, mean: &[f64], variances: &[f64]) -> Option<Plan> {
        let neurons: Vec<Neuron> = mean.iter().zip(variances).map(|(&m, &v)| Neuron::new(m, v)).collect();
        let residual = |j: usize| self.columns[j] * neurons[j].residual;
        let mut order: Vec<usize> = (0..self.inputs).filter(|&j| neurons[j].residual > 0.0).collect();
        order.sort_by(|&i, &j| residual(j).total_cmp(&residual(i)).then(i.cmp(&j)));
        let whole: f64 = order.iter().map(|&j| residual(j)).sum();
        let mut rest = whole;
        order.truncate(MOST);
        let enough = order.iter().position(|&j| {
            rest -= residual(j);
            rest <= REST * whole
        });
        order.truncate(enough.map_or(MOST, |last| last + 1));
        if order.is_empty() {
            return None;
        }

        let noise = self.noise(&neurons);
        let wanted: Vec<f64> = order.iter().map(|&j| neurons[j].residual.sqrt() * neurons[j].scale).collect();
        let share = GIVEN / self.load(&neurons, &order, &wanted, &noise.0)?;
        let mut sharing = Vec::new();
        let (mut kept, mut coupled) = (whole, 0.0);
        for (&j, wanted) in order.iter().zip(&wanted) {
            let level = 16.0 + 4.0 * libm::log2(share * wanted / variances[j]);
            if !(level >= 0.0) {
                continue;
            }
            let level = level.min(32.0) as u32;
            if let Some(found) = smoothed(mean[j], variances[j], level) {
                sharing.push(Shared { neuron: j as u32, level });
                kept -= residual(j);
                coupled += self.columns[j] * variances[j] * found.distance * found.distance;
            }
        }
        let ratio = ((kept.max(0.0) + noise.1).sqrt() + coupled.sqrt()) / (whole + noise.1).sqrt();
        (ratio < 1.0).then_some(Plan { sharing, ratio })
    }

    /// `N̄`, and about what its fluctuation costs in all.
    fn noise(&self, neurons: &[Neuron]) -> (Vec<f64>, f64) {
        let (n, rows) = (self.inputs, self.outputs);
        let squares: Vec<f64> = neurons.iter().map(|x| x.square).collect();
        let varying: Vec<f64> = neurons.iter().map(|x| x.square_variance).collect();
        let mut noise = product(&squares, 1, n, &self.variance_turned, rows);
        noise.iter_mut().zip(&self.bias_variance).for_each(|(x, b)| *x += b);
        let variances = product(&varying, 1, n, &self.variance_squares, rows);
        let cost = variances.iter().zip(&noise).filter(|(_, mean)| **mean > 0.0).map(|(v, mean)| 0.25 * v / mean).sum();
        (noise, cost)
    }

    /// The largest eigenvalue of `P^{−½} Σ_j ν_j M_:jM_:jᵀ P^{−½}` over those that borrow `ν`; `P` is the Gaussian part of the others. `None`
    /// where `P` is singular.
    fn load(&self, neurons: &[Neuron], borrowing: &[usize], amounts: &[f64], noise: &[f64]) -> Option<f64> {
        let (n, rows, count) = (self.inputs, self.outputs, borrowing.len());
        let mut linear: Vec<f64> = neurons.iter().map(|x| x.linear).collect();
        borrowing.iter().for_each(|&j| linear[j] = 0.0);
        let mut left = self.mean.clone();
        left.chunks_exact_mut(n).for_each(|row| row.iter_mut().zip(&linear).for_each(|(x, s)| *x *= s));
        let mut factor = symmetric_product(&left, &self.mean_turned, rows, n);
        (0..rows).for_each(|i| factor[i * rows + i] += noise[i]);
        if !factorises(&mut factor, rows) {
            return None;
        }
        // L Y = M_borrowing diag(ν)^½, row by row.
        let mut solved: Vec<f64> = Vec::with_capacity(rows * count);
        for i in 0..rows {
            let mut row: Vec<f64> =
                borrowing.iter().zip(amounts).map(|(&j, amount)| self.mean[i * n + j] * amount.sqrt()).collect();
            for (known, &l) in solved.chunks_exact(count.max(1)).zip(&factor[i * rows..]) {
                row.iter_mut().zip(known).for_each(|(x, y)| *x -= l * y);
            }
            let pivot = 1.0 / factor[i * rows + i];
            solved.extend(row.iter().map(|x| x * pivot));
        }
        let gram = symmetric_product(&transposed(&solved, rows, count), &solved, count, rows);
        let mut x = vec![1.0; count];
        let mut value = 0.0;
        for _ in 0..60 {
            let image = product(&x, 1, count, &gram, count);
            value = image.iter().map(|y| y * y).sum::<f64>().sqrt();
            x = image.into_iter().map(|y| y / value).collect();
        }
        (value > 0.0 && value.is_finite()).then_some(value)
    }
}

impl Neuron {
    fn new(mean: f64, variance: f64) -> Self {
        let moments = relu_moments(mean, variance);
        let (scale, square) = (variance.sqrt(), moments.a * mean + variance * moments.f);
        let near = variance > 0.0 && mean.abs() < FAR * scale;
        let residual = square - moments.a * moments.a - moments.f * moments.f * variance;
        let (m2, bend) = (mean * mean, moments.a - mean * moments.f);
        let fourth = (m2 * m2 + 6.0 * m2 * variance + 3.0 * variance * variance) * moments.f
            + mean * (m2 + 5.0 * variance) * bend;
        Self {
            scale,
            residual: if near { residual.max(0.0) } else { 0.0 },
            linear: moments.f * moments.f * variance,
            square,
            square_variance: (fourth - square * square).max(0.0),
        }
    }
}
