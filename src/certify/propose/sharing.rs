//! Which neurons of the first hidden layer borrow noise (Lemma 5), and how much: as much as the layer's own noise can hold, for the
//! neurons that are farthest from linear.

use crate::certify::core::matrix::{factorises, product, symmetric_product, transposed, upper_product};
use crate::certify::core::smoothed::smoothed;
use crate::certify::core::{Network, Shared};
use crate::math::normal::{density, distribution};

/// Neurons that do not borrow may keep this part of the layer's squared error.
const REST: f64 = 3e-4;

/// More neurons never borrow: the work grows with them.
const MOST: usize = 32;

/// Beyond this many deviations a rectifier is linear enough.
const FAR: f64 = 3.9;

/// How much of the noise is given away: the rest is for rounding, and because the power iteration ends below the eigenvalue.
const GIVEN: f64 = 0.97;

/// The layer after the first hidden neurons, ready for all inputs.
pub(crate) struct Pool {
    inputs: usize,
    outputs: usize,
    /// `M`, `[outputs, inputs]`, and its transpose: single precision tells well enough what the noise can hold.
    mean: Vec<f32>,
    mean_turned: Vec<f32>,
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
            mean: layer.mean.iter().map(|&x| x as f32).collect(),
            mean_turned: mean_turned.iter().map(|&x| x as f32).collect(),
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
            if level.is_nan() || level < 0.0 {
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
        // Subnormal numbers are slow.
        let mut linear: Vec<f32> =
            neurons.iter().map(|x| if x.linear > 1e-25 { x.linear as f32 } else { 0.0 }).collect();
        borrowing.iter().for_each(|&j| linear[j] = 0.0);
        let mut left = self.mean.clone();
        left.chunks_exact_mut(n).for_each(|row| row.iter_mut().zip(&linear).for_each(|(x, s)| *x *= s));
        let pool = upper_product(&left, &self.mean_turned, rows, n);
        // RᵀR = P, and in the columns after it R⁻ᵀ M_borrowing diag(ν)^½.
        let amounts: Vec<f32> = amounts.iter().map(|x| x.sqrt() as f32).collect();
        let mut factor = Vec::with_capacity(rows * (rows + count));
        for (i, row) in pool.chunks_exact(rows).enumerate() {
            factor.extend_from_slice(row);
            factor[i * (rows + count) + i] += noise[i] as f32;
            factor.extend(borrowing.iter().zip(&amounts).map(|(&j, x)| self.mean[i * n + j] * x));
        }
        if !factorises(&mut factor, rows, rows + count) {
            return None;
        }
        let solved: Vec<f32> = factor.chunks_exact(rows + count).flat_map(|row| row[rows..].iter().copied()).collect();
        let gram = symmetric_product(&transposed(&solved, rows, count), &solved, count, rows);
        let value = f64::from(largest(&gram, count)?);
        (value > 0.0).then_some(value)
    }
}

/// The largest eigenvalue of a positive semidefinite matrix, from below: a vector through its 64th power, which is squared six times.
fn largest(gram: &[f32], n: usize) -> Option<f32> {
    let mut power = gram.to_vec();
    for _ in 0..6 {
        let trace: f32 = power.iter().step_by(n + 1).sum();
        power.iter_mut().for_each(|x| *x /= trace);
        power = symmetric_product(&power, &power, n, n);
    }
    let start = product(&vec![1.0; n], 1, n, &power, n);
    let image = product(&start, 1, n, gram, n);
    let length = |x: &[f32]| x.iter().map(|x| x * x).sum::<f32>().sqrt();
    Some(length(&image) / length(&start)).filter(|value| value.is_finite())
}

impl Neuron {
    fn new(mean: f64, variance: f64) -> Self {
        let (scale, m2) = (variance.sqrt(), mean * mean);
        let near = variance > 0.0 && mean.abs() < FAR * scale;
        let t = if variance > 0.0 { mean / scale } else { f64::INFINITY.copysign(mean) };
        let (slope, bend) = (distribution(t), scale * density(t));
        let average = mean * slope + bend;
        let square = average * mean + variance * slope;
        let residual = square - average * average - slope * slope * variance;
        let fourth =
            (m2 * m2 + 6.0 * m2 * variance + 3.0 * variance * variance) * slope + mean * (m2 + 5.0 * variance) * bend;
        Self {
            scale,
            residual: if near { residual.max(0.0) } else { 0.0 },
            linear: slope * slope * variance,
            square: square.max(0.0),
            square_variance: (fourth - square * square).max(0.0),
        }
    }
}
