//! The law of a layer's neurons at several inputs under one random network, neuron by neuron: index `neuron · points + point`.

use super::super::gaussian::{Covariance, Gaussian, store_covariance};
use super::super::matrix::product;
use super::super::prepared::First;
use super::super::prove::State;
use super::super::rounding::{gamma, hypot_up, mul_up, sum_up};
use crate::{Error, Result};

/// `N(mean, covariance)`, where means and variances are exactly the numbers here, and a covariance is off by at most `γ_roundings`
/// times the two standard deviations.
pub(super) struct JointLaw {
    pub(super) points: usize,
    pub(super) width: usize,
    /// `[width, points]`.
    pub(super) mean: Vec<f64>,
    /// `[width, points, width, points]`, or `[width, points, points]` where neurons are independent of one another.
    pub(super) covariance: Vec<f64>,
    pub(super) roundings: usize,
}

impl JointLaw {
    /// The first layer: neuron `i` is `N(X M_i + b̄_i 1, X diag(V_i) Xᵀ + B_i 11ᵀ)`, independent of the others. Also the distance that
    /// rounding makes: rows and columns of the exact covariance are scaled until the variances are those stored.
    pub(super) fn first(layer: &First, inputs: &[&[f64]]) -> Result<(Self, f64)> {
        let (points, n, width) = (inputs.len(), layer.inputs, layer.outputs);
        let (mut mean, mut covariance) = (vec![0.0; width * points], vec![0.0; width * points * points]);
        let mut distance = 0.0;
        for (d, input) in inputs.iter().enumerate() {
            let alone = State::start(layer, input)?;
            distance = alone.terms.iter().fold(distance, |sum, term| hypot_up(sum, term.value));
            let pairs: Vec<f64> = inputs[..d].iter().flat_map(|x| x.iter().zip(*input).map(|(x, y)| x * y)).collect();
            let shared = product(&pairs, d, n, &layer.variance, width);
            for j in 0..width {
                let block = &mut covariance[j * points * points..];
                for e in 0..d {
                    block[d * points + e] = shared[e * width + j] + layer.bias_variance[j];
                    block[e * points + d] = block[d * points + e];
                }
                for law in alone.components.iter().map(|component| &component.law) {
                    mean[j * points + d] = law.mean[j];
                    block[d * points + d] = law.variance(j);
                }
            }
        }
        Ok((Self { points, width, mean, covariance, roundings: 2 * n + 16 }, distance))
    }

    /// Length of a row of the covariance.
    fn stride(&self) -> usize {
        self.covariance.len() / self.mean.len()
    }

    pub(super) fn independent(&self) -> bool {
        self.stride() == self.points
    }

    /// The row of index `k`, and the index of its first entry.
    pub(super) fn row(&self, k: usize) -> (usize, &[f64]) {
        let first = if self.independent() { k - k % self.points } else { 0 };
        (first, &self.covariance[k * self.stride()..][..self.stride()])
    }

    /// The covariances of a neuron at one point (index `k`) with itself at all points.
    pub(super) fn own(&self, k: usize) -> &[f64] {
        let (first, row) = self.row(k);
        &row[k - k % self.points - first..][..self.points]
    }

    pub(super) fn variance(&self, k: usize) -> f64 {
        self.own(k)[k % self.points]
    }

    /// Refuses numbers for which the roundings of the next layer are not covered: NaN, and beyond 10³⁰.
    pub(super) fn within(self, layer: usize) -> Result<Self> {
        let covered = self.mean.iter().chain(&self.covariance).all(|x| x.abs() < 1e30);
        let what = || format!("layer {layer}: a number is not finite, or beyond 10³⁰: no certificate");
        covered.then_some(self).ok_or_else(|| Error::Config(what()))
    }

    /// The law at one point.
    pub(super) fn at(&self, d: usize) -> Gaussian {
        let (points, each) = (self.points, (d..self.mean.len()).step_by(self.points));
        let mean = each.clone().map(|k| self.mean[k]).collect();
        let covariance = if self.independent() {
            Covariance::Diagonal(each.map(|k| self.variance(k)).collect())
        } else {
            Covariance::Full(each.flat_map(|k| self.row(k).1.iter().skip(d).step_by(points)).copied().collect())
        };
        Gaussian { mean, covariance, floor: 0.0 }
    }

    /// The law of `f∘z`, mean apart; `f` as `mean`.
    pub(super) fn scale(&mut self, f: &[f64]) {
        let (stride, points) = (self.stride(), self.points);
        for (k, row) in self.covariance.chunks_exact_mut(stride).enumerate() {
            let first = if stride == points { k - k % points } else { 0 };
            row.iter_mut().zip(&f[first..]).for_each(|(c, g)| *c *= f[k] * g);
        }
    }

    /// As one Gaussian, point by point, with a covariance that is stored in full, and its distance to this law.
    pub(super) fn gaussian(&self) -> (Gaussian, f64) {
        let (points, size) = (self.points, self.mean.len());
        let place = |k: usize| k % points * self.width + k / points;
        let (mut mean, mut matrix) = (vec![0.0; size], vec![0.0; size * size]);
        for k in 0..size {
            let (first, row) = self.row(k);
            mean[place(k)] = self.mean[k];
            row.iter().enumerate().for_each(|(l, &c)| matrix[place(k) * size + place(first + l)] = c);
        }
        let variances: Vec<f64> = matrix.iter().step_by(size + 1).copied().collect();
        let off = if self.roundings == 0 { 0.0 } else { mul_up(gamma(self.roundings), sum_up(&variances)) };
        let (distance, floor) = store_covariance(&mut matrix, size, off, 0.0, |k| variances[k] == 0.0);
        (Gaussian { mean, covariance: Covariance::Full(matrix), floor }, distance)
    }
}
