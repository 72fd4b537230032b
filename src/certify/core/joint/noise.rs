//! The weights' noise at several inputs: `S_i(g) = g diag(V_i) gᵀ + B_i 11ᵀ` in place of a fixed matrix for every output `i`.

use super::super::matrix::{product, transposed};
use super::super::prepared::Hidden;
use super::super::rounding::{
    Interval, add_up, at_least_zero, div_up, gamma, larger, mul_up, norm_up, plain_dot, smaller, sqrt_up, sum_up,
};
use super::law::JointLaw;
use crate::Result;
use crate::math::eigen::{Eigen, symmetric};

/// For every output `i` a Gaussian `N(0, T_i)` over the points, independent of all else, stands for the noise.
pub(super) struct JointNoise {
    /// `S̃_i`, `[outputs, points, points]`: near `T_i`.
    pub(super) stored: Vec<f64>,
    /// `Σ_i ‖S̃_i − T_i‖_F²` or more.
    pub(super) off: f64,
    /// The least eigenvalue of all `T_i` or less; above 0.
    pub(super) floor: f64,
    /// `Σ_i E W2²(N(0, S_i(g)), N(0, T_i))` or more.
    pub(super) cost: f64,
}

impl JointNoise {
    /// `S̃_i = E S_i(g) + Σ_j V_ij K_j` for `g` with `means`, the covariance of `z`, and positive semidefinite `K_j`: `bent`,
    /// `[inputs, points, points]`.
    pub(super) fn new(layer: &Hidden, z: &JointLaw, means: &[f64], bent: &[f64]) -> Result<Self> {
        let (n, points, rows) = (z.width, z.points, layer.outputs);
        let mut whole = bent.to_vec();
        for (k, row) in whole.chunks_exact_mut(points).enumerate() {
            let others = means[k - k % points..].iter().zip(z.own(k));
            row.iter_mut().zip(others).for_each(|(x, (m, c))| *x += means[k] * m + c);
        }
        let mut stored = product(&layer.variance, rows, n, &whole, points * points);
        let biases = product(&layer.variance, rows, n, bent, points * points);
        let (mut off, mut floor, mut cost) = (0.0, f64::INFINITY, 0.0);
        let each = stored.chunks_exact_mut(points * points).zip(biases.chunks_exact(points * points));
        for (i, (matrix, bias)) in each.enumerate() {
            matrix.iter_mut().for_each(|x| *x += layer.bias_variance[i]);
            let fixed = Fixed::new(matrix, points, n + 2 * z.roundings + 32)?;
            let metric = |power: fn(f64) -> f64| fixed.distance(z, means, &layer.variance[i * n..][..n], bias, power);
            let share = add_up(0.25, mul_up(6.75, sqrt_up(metric(|value| 1.0 / value))));
            let own = mul_up(metric(|value| 1.0 / value.sqrt()), if share < 1.0 { share } else { 1.0 });
            cost = add_up(cost, if own < fixed.most { own } else { fixed.most });
            off = add_up(off, mul_up(fixed.off, fixed.off));
            floor = smaller(floor, fixed.least);
        }
        Ok(Self { stored, off, floor, cost })
    }
}

/// More than what underflow can lose of a covariance of noise whose variances are not above 10³⁰; and a variance far above that.
const UNDERFLOW: f64 = 1e-100;
const LEAST: f64 = 1e-80;

/// `T = Σ_p λ_p q_p q_pᵀ`, where `q` is the orthonormal basis nearest to estimates `u` of the eigenvectors of `S̃ = E S + K`.
struct Fixed {
    /// `λ`.
    values: Vec<f64>,
    /// `u`, rows.
    vectors: Vec<f64>,
    /// `‖u − q‖_F (λ_max/λ_min)^½` or more.
    skew: f64,
    /// The least `λ`.
    least: f64,
    /// `‖S̃ − T‖_F` and the rounding of `S̃` and of `K`, or more.
    off: f64,
    /// `2 tr T ≥ E tr S + tr T` or more.
    most: f64,
}

impl Fixed {
    /// The entries of `S̃` went through so many roundings.
    fn new(matrix: &[f64], points: usize, roundings: usize) -> Result<Self> {
        let square = |a: &[f64], b: &[f64]| product(a, points, points, b, points);
        let step = gamma(2 * points + 16);
        let trace = sum_up(&matrix.iter().step_by(points + 1).copied().collect::<Vec<f64>>());
        let Eigen { mut values, vectors, .. } = symmetric(matrix, points)?;
        let floor = add_up(mul_up(step, mul_up(points as f64, trace)), LEAST);
        values.iter_mut().for_each(|value| *value = larger(*value, floor));
        let least = values.iter().copied().fold(f64::INFINITY, smaller);
        let mut gram = square(&vectors, &transposed(&vectors, points, points));
        gram.iter_mut().step_by(points + 1).for_each(|x| *x -= 1.0);
        let tilt = add_up(norm_up(&gram), mul_up(step, 1.1 * points as f64));
        let mut residual = square(&vectors, matrix);
        residual.iter_mut().enumerate().for_each(|(k, x)| *x -= values[k / points] * vectors[k]);
        let blur = mul_up(mul_up(2.2, add_up(tilt, step)), add_up(trace, sum_up(&values)));
        let rounding = add_up(mul_up(gamma(roundings), trace), UNDERFLOW);
        let off = add_up(add_up(norm_up(&residual), blur), mul_up(2.0, rounding));
        let most = add_up(mul_up(1.0 + 1e-9, trace), add_up(sum_up(&values), UNDERFLOW));
        let skew = mul_up(tilt, sqrt_up(div_up(values.iter().copied().fold(0.0, larger), least)));
        Ok(Self { values, vectors, skew, least, off, most })
    }

    /// At least `E‖A^½ (S(g) − T) A^½‖_F²`, where `A` has the eigenvalues `power(λ)` along `q`. By Wick's formula for the Gaussian
    /// `g = μ + x`, `C_jk = E x_jx_kᵀ` over the points, `τ_jk = tr AC_jk`, `ν_j = Aμ_j`, it is `‖A^½(E S − T)A^½‖_F² + Σ_jk V_jV_k
    /// (τ_jk² + tr AC_jkAC_jk + 2 ν_jᵀμ_k τ_jk + 2 ν_kᵀC_jkν_j)`; the sum of the second terms is at most that of the first.
    fn distance(&self, z: &JointLaw, means: &[f64], weights: &[f64], bias: &[f64], power: fn(f64) -> f64) -> f64 {
        let (n, points) = (z.width, z.points);
        let powers: Vec<f64> = self.values.iter().map(|&v| power(v)).collect();
        let scaled: Vec<f64> = self.vectors.iter().enumerate().map(|(k, u)| powers[k / points] * u).collect();
        let a = product(&transposed(&self.vectors, points, points), points, points, &scaled, points);
        let turned = product(means, n, points, &a, points);
        // A and a product with it are off by at most blur in every norm used here, C by as much in parts of c_jc_k ≥ ‖C_jk‖_F.
        let step = gamma(4 * points + 2 * z.roundings + 64);
        let blur = mul_up(step, mul_up(2.5, sum_up(&powers)));
        let at = |values: &[f64], j: usize| norm_up(&values[j * points..][..points]);
        let spread = |j: usize| sqrt_up(sum_up(&(0..points).map(|d| z.variance(j * points + d)).collect::<Vec<f64>>()));
        let sizes: Vec<[f64; 3]> = (0..n).map(|j| [spread(j), at(means, j), at(&turned, j)]).collect();
        let around = |x: f64, off: f64| Interval::new(x - off, x + off).widened(step);
        let mut varying = Interval::ZERO;
        for (j, nu) in turned.chunks_exact(points).enumerate() {
            let (first, row) = z.row(j * points);
            let mut sums = vec![[0.0; 2]; row.len() / points];
            for d in 0..points {
                for (l, (sum, c)) in sums.iter_mut().zip(z.row(j * points + d).1.chunks_exact(points)).enumerate() {
                    sum[0] += plain_dot(c, &a[d * points..][..points]);
                    sum[1] += turned[first + l * points + d] * plain_dot(c, nu);
                }
            }
            for (k, [trace, cross]) in (first / points..).zip(sums) {
                let ([c, m, v], [o, p, w]) = (sizes[j], sizes[k]);
                let trace = around(trace, blur * c * o);
                let along = around(plain_dot(nu, &means[k * points..][..points]), blur * m * p);
                let cross = around(cross, c * o * (step * v * w + blur * (m * w + p * v + blur * m * p)));
                let weight = Interval::point(2.0 * weights[j]) * Interval::point(weights[k]);
                varying = varying + weight * (trace.square() + along * trace + cross);
            }
        }
        let tied = add_up(at_least_zero(plain_dot(&a, bias)), mul_up(blur, norm_up(bias)));
        let moved = add_up(tied, mul_up(mul_up(1.2, power(self.least)), self.off));
        // u = (1 + E) q in this metric, ‖E‖ ≤ skew; (1 − x)⁻⁴ ≤ 1 + 5x for small x.
        let grow = if self.skew < 0.04 { add_up(1.0, mul_up(5.0, self.skew)) } else { f64::INFINITY };
        let varying = add_up(at_least_zero(varying.hi), UNDERFLOW);
        mul_up(grow, add_up(varying, mul_up(moved, moved)))
    }
}
