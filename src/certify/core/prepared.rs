//! What depends on the network alone.

use super::activation::{Activation, named};
use super::matrix::{largest_eigenvalue, symmetric_product, transposed};
use super::normal::quantile_density;
use super::paper::Affine;
use super::rounding::{Interval, add_up, cover, dot_up, gamma, larger, mul_up, norm_up, sqrt_up, sum_up};
use super::types::{Layer, Network};
use crate::math::normal::quantile;
use crate::{Error, Result};

/// A network made ready for proofs: made once, used for every input. Where weights are correlated, `first` and `hidden` know their variances
/// only.
pub struct Prepared {
    pub(super) first: First,
    pub(super) hidden: Vec<Hidden>,
    /// Every layer on fixed activations, as the paper's method uses it.
    pub(super) affine: Vec<Affine>,
}

/// The first layer, which maps a fixed input exactly.
pub(super) struct First {
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    /// `Mᵀ`, `[inputs, outputs]`.
    pub(super) mean: Vec<f64>,
    /// `Vᵀ`.
    pub(super) variance: Vec<f64>,
    pub(super) bias_mean: Vec<f64>,
    pub(super) bias_variance: Vec<f64>,
    /// `‖M‖_F`, `‖b̄‖` and `Σ V` or more.
    pub(super) mean_norm: f64,
    pub(super) bias_norm: f64,
    pub(super) total_variance: f64,
}

/// A later layer together with the activation and dropout before it. Bounds are upper bounds.
pub(super) struct Hidden {
    pub(super) activation: &'static dyn Activation,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    /// `M` and `V`, `[outputs, inputs]`.
    pub(super) mean: Vec<f64>,
    pub(super) variance: Vec<f64>,
    /// `Mᵀ` and `Vᵀ`, `[inputs, outputs]`, as all that follow.
    pub(super) mean_turned: Vec<f64>,
    pub(super) variance_turned: Vec<f64>,
    /// Upper bounds of `|M_ij|²`, `|M_ij|³`, `M_ij⁴`.
    pub(super) mean_powers: [Vec<f64>; 3],
    /// Upper bounds of `V_ij²`, `V_ij⁴`.
    pub(super) variance_powers: [Vec<f64>; 2],
    pub(super) bias_mean: Vec<f64>,
    pub(super) bias_variance: Vec<f64>,
    pub(super) mean_norm: f64,
    pub(super) bias_norm: f64,
    /// `|MᵀM|`, `[inputs, inputs]`.
    pub(super) gram: Vec<f64>,
    /// `‖M_:j‖²`.
    pub(super) columns: Vec<f64>,
    /// `λ_max(MᵀM)`.
    pub(super) gram_norm: f64,
    /// `D_j = Σ_i V_ij`.
    pub(super) column_variances: Vec<f64>,
    /// `1/(1 − p)` and `p/(1 − p)` of the dropout.
    pub(super) keep: Interval,
    pub(super) drop: Interval,
    /// `E[ξ μ]` of a mask and the normal variable that stands for it; 0 without dropout.
    pub(super) mask_slope: Interval,
    /// Lemma 1: what a distance before the activation is at most after the layer, in parts.
    pub(super) carry: f64,
}

impl Prepared {
    /// # Errors
    /// When shapes do not fit, a number is not finite, a variance is negative, or an activation is not known.
    pub fn new(network: &Network) -> Result<Self> {
        network.checked()?;
        let laws = network.layers.iter().enumerate().map(|(index, layer)| Affine::new(layer, index + 1));
        let (affine, layers): (Vec<Affine>, Vec<Layer>) = laws.collect::<Result<Vec<_>>>()?.into_iter().unzip();
        let [first, rest @ ..] = layers.as_slice() else {
            return Err(Error::Config("a network without layers has nothing to certify".to_owned()));
        };
        let mut hidden = Vec::with_capacity(rest.len());
        for (before, layer) in layers.iter().zip(rest) {
            hidden.push(Hidden::new(layer, named(&before.activation)?, before.dropout));
        }
        Ok(Self { first: First::new(first), hidden, affine })
    }

    /// Width of an input.
    pub fn inputs(&self) -> usize {
        self.first.inputs
    }

    /// Width of the output.
    pub fn outputs(&self) -> usize {
        self.hidden.last().map_or(self.first.outputs, |layer| layer.outputs)
    }

    /// Whether dropout follows the activation before the hidden layer of this number, from 0.
    pub fn drops(&self, layer: usize) -> bool {
        self.hidden.get(layer).is_some_and(|layer| layer.drop.hi > 0.0)
    }

    /// Layers with an activation before them: as many entries does a witness have.
    pub fn hidden_layers(&self) -> usize {
        self.hidden.len()
    }
}

impl First {
    fn new(layer: &Layer) -> Self {
        Self {
            inputs: layer.inputs,
            outputs: layer.outputs,
            mean: transposed(&layer.mean, layer.outputs, layer.inputs),
            variance: transposed(&layer.variance, layer.outputs, layer.inputs),
            bias_mean: layer.bias_mean.clone(),
            bias_variance: layer.bias_variance.clone(),
            mean_norm: norm_up(&layer.mean),
            bias_norm: norm_up(&layer.bias_mean),
            total_variance: sum_up(&layer.variance),
        }
    }
}

impl Hidden {
    fn new(layer: &Layer, activation: &'static dyn Activation, dropout: f64) -> Self {
        let (n, rows) = (layer.inputs, layer.outputs);
        let mean_turned = transposed(&layer.mean, rows, n);
        let variance_turned = transposed(&layer.variance, rows, n);
        let columns: Vec<f64> = mean_turned.chunks_exact(rows).map(|column| dot_up(column, column)).collect();
        let column_variances: Vec<f64> = variance_turned.chunks_exact(rows).map(sum_up).collect();
        // The computed MᵀM, symmetric like the exact one, is off by γ ‖M_:i‖ ‖M_:j‖ at most.
        let symmetric = symmetric_product(&mean_turned, &layer.mean, n, rows);
        let rounding = gamma(rows);
        let off = add_up(mul_up(rounding, sum_up(&columns)), (n * rows) as f64 * f64::MIN_POSITIVE);
        let lengths: Vec<f64> = columns.iter().map(|&x| sqrt_up(x)).collect();
        let underflow = rows as f64 * f64::MIN_POSITIVE;
        let bound = |k: usize| add_up(mul_up(rounding, mul_up(lengths[k / n], lengths[k % n])), underflow);
        let gram: Vec<f64> = (0..n * n).map(|k| add_up(symmetric[k].abs(), bound(k))).collect();
        let p = Interval::point(dropout);
        let keep = if dropout == 0.0 { Interval::ONE } else { Interval::ONE / (Interval::ONE - p) };
        let drop = p * keep;
        let mut shared = symmetric.clone();
        let mut added = 0.0;
        for j in 0..n {
            let own = add_up(column_variances[j], mul_up(drop.hi, add_up(columns[j], column_variances[j])));
            shared[j * n + j] += own;
            added = larger(added, shared[j * n + j].abs());
        }
        let off_shared = add_up(off, mul_up(added, f64::EPSILON));
        let squares = |values: &[f64]| values.iter().map(|&x| mul_up(x, x)).collect::<Vec<f64>>();
        let (mean_squares, variance_squares) = (squares(&mean_turned), squares(&variance_turned));
        let cubes = mean_squares.iter().zip(&mean_turned).map(|(&s, m)| mul_up(s, m.abs())).collect();
        let (mean_fourths, variance_fourths) = (squares(&mean_squares), squares(&variance_squares));
        Self {
            activation,
            inputs: n,
            outputs: rows,
            mean_powers: [mean_squares, cubes, mean_fourths],
            variance_powers: [variance_squares, variance_fourths],
            mean_turned,
            variance_turned,
            mean: layer.mean.clone(),
            variance: layer.variance.clone(),
            bias_mean: layer.bias_mean.clone(),
            bias_variance: layer.bias_variance.clone(),
            mean_norm: sqrt_up(cover(columns.iter().sum(), n, 0)),
            bias_norm: norm_up(&layer.bias_mean),
            gram,
            gram_norm: largest_eigenvalue(&symmetric, n, off),
            columns,
            column_variances,
            keep,
            drop,
            mask_slope: mask_slope(dropout, keep),
            carry: mul_up(activation.lipschitz(), sqrt_up(largest_eigenvalue(&shared, n, off_shared))),
        }
    }
}

/// `E[ξ μ]` for the mask `μ ∈ {0, 1/(1−p)}` coupled with `ξ ~ N(0,1)` so that it drops where `ξ < q`, `Φ(q) = p`: `φ(q)/(1 − p)`.
fn mask_slope(p: f64, keep: Interval) -> Interval {
    if p < 1e-290 { Interval::ZERO } else { quantile_density(quantile(p), Interval::point(p)) * keep }
}
