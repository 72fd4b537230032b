//! A layer on fixed activations at several inputs at once: `z_d = Wa_d + b` with the same `W` and `b`, a Gaussian (Eqn 20).

use super::super::gaussian::dense_rounding;
use super::super::matrix::{factorises, symmetric_product, transposed};
use super::super::rounding::{add_up, gamma, hypot_up, mul_up, norm_up, plain_dot, sqrt_up, sum_up};
use super::super::types::Layer;
use super::stacked::{Stacked, square_up};
use crate::math::factors::factor;
use crate::{Error, Result};

/// A layer's law, as exact as it is stored.
pub(in crate::certify::core) struct Affine {
    pub(super) inputs: usize,
    outputs: usize,
    /// `M` and `V`, `[outputs, inputs]`.
    mean: Vec<f64>,
    variance: Vec<f64>,
    bias_mean: Vec<f64>,
    bias_variance: Vec<f64>,
    /// `‖M‖_F`, `‖b̄‖`, `Σ V` and the sum of the biases' variances, or more.
    mean_norm: f64,
    bias_norm: f64,
    total: f64,
    bias_total: f64,
    correlated: Option<Correlated>,
}

/// Covariances of all weights, columns of `W` one after the other, and of all biases.
struct Correlated {
    weight: Vec<f64>,
    bias: Vec<f64>,
}

impl Affine {
    /// The layer's law, and the layer with its variances alone.
    ///
    /// # Errors
    /// [`Error::Config`] for covariances that are not proved to be positive semidefinite.
    pub(in crate::certify::core) fn new(layer: &Layer, number: usize) -> Result<(Self, Layer)> {
        let (n, m) = (layer.inputs, layer.outputs);
        let (mut plain, mut correlated) = (layer.clone(), None);
        if layer.is_correlated() {
            check(&layer.variance, n * m, number, "weights")?;
            check(&layer.bias_variance, m, number, "biases")?;
            let diagonal = |matrix: &[f64], n: usize| matrix.iter().step_by(n + 1).copied().collect::<Vec<f64>>();
            plain.variance = transposed(&diagonal(&layer.variance, n * m), n, m);
            plain.bias_variance = diagonal(&layer.bias_variance, m);
            correlated = Some(Correlated { weight: layer.variance.clone(), bias: layer.bias_variance.clone() });
        }
        let affine = Self {
            inputs: n,
            outputs: m,
            mean: plain.mean.clone(),
            variance: plain.variance.clone(),
            bias_mean: plain.bias_mean.clone(),
            bias_variance: plain.bias_variance.clone(),
            mean_norm: norm_up(&plain.mean),
            bias_norm: norm_up(&plain.bias_mean),
            total: sum_up(&plain.variance),
            bias_total: sum_up(&plain.bias_variance),
            correlated,
        };
        Ok((affine, plain))
    }

    pub(in crate::certify::core) fn is_correlated(&self) -> bool {
        self.correlated.is_some()
    }

    /// The law of `Wa_d + b` for the rows `a_d` of `a`, `[inputs of the network, inputs]`, and its distance from what is returned.
    pub(super) fn through(&self, weight: f64, a: &[f64]) -> (Stacked, f64) {
        let points = a.len() / self.inputs;
        let mean: Vec<f64> =
            a.chunks_exact(self.inputs).flat_map(|a| self.rows(&self.mean, a, &self.bias_mean)).collect();
        let size = if self.is_correlated() { mean.len() } else { points };
        let blocks = match &self.correlated {
            Some(known) => self.correlated(known, a, points),
            None => self.independent(a, points),
        };
        let diagonal: Vec<f64> =
            blocks.chunks_exact(size * size).flat_map(|block| block.iter().step_by(size + 1).copied()).collect();
        let root = sqrt_up(points as f64);
        let moved = dense_rounding(a, &diagonal, (self.mean_norm, mul_up(root, self.bias_norm), self.total));
        let (mut factors, mut lost) = (Vec::with_capacity(blocks.len()), 0.0);
        // Entries of correlated blocks are sums that may cancel: `Σ |a_dj||a_el||Σ_jl| ≤ ‖a‖² tr Σ` in the Frobenius norm.
        let summed = add_up(mul_up(square_up(a), self.total), mul_up(points as f64, self.bias_total));
        for block in blocks.chunks_exact(size * size) {
            let factor = factor(block, size);
            if size > 1 || self.is_correlated() {
                let trace = sum_up(&block.iter().step_by(size + 1).copied().collect::<Vec<f64>>());
                let terms = if self.is_correlated() { summed } else { trace };
                let off = mul_up(gamma(2 * self.inputs + 8), terms);
                let off = add_up(off, defect(block, &factor, size, trace));
                lost = add_up(lost, mul_up(sqrt_up(size as f64), off));
            }
            factors.extend(factor);
        }
        // `‖√S − √S̃‖_F² ≤ ‖S − S̃‖_* ≤ √size ‖S − S̃‖_F` (Powers and Størmer).
        let rounding = hypot_up(moved, sqrt_up(lost));
        let mean = transposed(&mean, size, mean.len() / size);
        (Stacked { weight, mean, size, factors, columns: Vec::new() }, rounding)
    }

    fn rows(&self, matrix: &[f64], x: &[f64], bias: &[f64]) -> Vec<f64> {
        matrix.chunks_exact(self.inputs).zip(bias).map(|(row, b)| plain_dot(row, x) + b).collect()
    }

    /// For every neuron `i` the entries `Σ_j V_ij a_dj a_ej + B_i`: off by at most `γ_{n+3}` times the trace in the Frobenius norm.
    fn independent(&self, a: &[f64], points: usize) -> Vec<f64> {
        let row = |d: usize| &a[d * self.inputs..][..self.inputs];
        let mut blocks = vec![0.0; self.outputs * points * points];
        for d in 0..points {
            for e in 0..=d {
                let products: Vec<f64> = row(d).iter().zip(row(e)).map(|(x, y)| x * y).collect();
                let values = self.rows(&self.variance, &products, &self.bias_variance);
                for (block, value) in blocks.chunks_exact_mut(points * points).zip(values) {
                    (block[d * points + e], block[e * points + d]) = (value, value);
                }
            }
        }
        blocks
    }

    /// The entries `((d,i), (e,k))`: `Σ_jl a_dj a_el Cov(W_ij, W_kl) + Cov(b_i, b_k)`, by sums over `j`, then `l`.
    fn correlated(&self, known: &Correlated, a: &[f64], points: usize) -> Vec<f64> {
        let (n, m) = (self.inputs, self.outputs);
        let width = points * m;
        let mut matrix = vec![0.0; width * width];
        for (d, a_d) in a.chunks_exact(n).enumerate() {
            for i in 0..m {
                let mut half = vec![0.0; n * m];
                for (j, x) in a_d.iter().enumerate() {
                    let row = &known.weight[(j * m + i) * n * m..][..n * m];
                    half.iter_mut().zip(row).for_each(|(sum, c)| *sum += x * c);
                }
                let row = d * m + i;
                for column in 0..=row {
                    let (e, k) = (column / m, column % m);
                    let terms = a[e * n..][..n].iter().zip(half.iter().skip(k).step_by(m));
                    let value = terms.map(|(x, h)| x * h).sum::<f64>() + known.bias[i * m + k];
                    (matrix[row * width + column], matrix[column * width + row]) = (value, value);
                }
            }
        }
        matrix
    }
}

/// `‖S − FFᵀ‖_F` or more.
fn defect(block: &[f64], factor: &[f64], n: usize, trace: f64) -> f64 {
    let product = symmetric_product(factor, &transposed(factor, n, n), n, n);
    let rest: Vec<f64> = block.iter().zip(&product).map(|(a, b)| a - b).collect();
    let step = mul_up(gamma(n + 2), add_up(trace, square_up(factor)));
    add_up(sqrt_up(square_up(&rest)), add_up(step, (n * n) as f64 * f64::MIN_POSITIVE))
}

/// Refuses what is not proved to be a covariance: `C − δI` is factorised, whose rounding is below `δ` (Higham, Theorem 10.3). Variables that
/// do not vary are left out.
fn check(matrix: &[f64], n: usize, number: usize, what: &str) -> Result<()> {
    let refuse = |why: &str| Err(Error::Config(format!("layer {number}: the covariance of the {what} {why}")));
    if (0..n * n).any(|at| !matrix[at].is_finite() || matrix[at] != matrix[at % n * n + at / n]) {
        return refuse("is not symmetric or not finite");
    }
    let moving: Vec<usize> = (0..n).filter(|&j| matrix[j * n..][..n].iter().any(|&x| x != 0.0)).collect();
    let mut rest: Vec<f64> = moving.iter().flat_map(|&i| moving.iter().map(move |&j| matrix[i * n + j])).collect();
    let trace: f64 = moving.iter().map(|&j| matrix[j * n + j]).sum();
    let shift = 4.0 * gamma(n + 4) * trace + f64::MIN_POSITIVE;
    (0..moving.len()).for_each(|j| rest[j * moving.len() + j] -= shift);
    if !(trace >= 0.0) || !factorises(&mut rest, moving.len(), moving.len()) {
        return refuse(&format!(
            "is not proved to be positive semidefinite: every eigenvalue must be above {shift:.1e}; add a little to its diagonal"
        ));
    }
    Ok(())
}
