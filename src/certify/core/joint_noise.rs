//! The weights' noise at several inputs: `S_i(g) = g diag(V_i) gᵀ + B_i 11ᵀ` in place of a fixed matrix for every output `i`.

use super::joint_law::Stacked;
use super::matrix::{product, transposed};
use super::prepared::Hidden;
use super::rounding::{
    add_up, at_least_zero, cover, div_up, gamma, larger, mul_up, norm_up, plain_dot, smaller, sqrt_up, sum_up,
};
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
    /// `S̃_i = E S_i(g) + Σ_j V_ij K_j` for `g` with the given means `[inputs, points]` and the covariance of `z`, and positive
    /// semidefinite `K_j`, `[inputs, points, points]`.
    pub(super) fn new(layer: &Hidden, z: &Stacked, means: &[f64], bent: &[f64]) -> Result<Self> {
        let (n, points, rows) = (z.width, z.points, layer.outputs);
        let area = points * points;
        let mut whole = bent.to_vec();
        for (k, row) in whole.chunks_exact_mut(points).enumerate() {
            let others = means[k - k % points..].iter().zip(z.own(k));
            row.iter_mut().zip(others).for_each(|(x, (m, c))| *x += means[k] * m + c);
        }
        let mut noise =
            Self { stored: product(&layer.variance, rows, n, &whole, area), off: 0.0, floor: f64::INFINITY, cost: 0.0 };
        let biases = product(&layer.variance, rows, n, bent, area);
        for (i, (matrix, bias)) in noise.stored.chunks_exact_mut(area).zip(biases.chunks_exact(area)).enumerate() {
            matrix.iter_mut().for_each(|x| *x += layer.bias_variance[i]);
            let trace = matrix.iter().step_by(points + 1).fold(0.0, |sum, &x| add_up(sum, x));
            let off = add_up(mul_up(gamma(n + 2 * z.roundings + 32), trace), UNDERFLOW);
            let fixed = Fixed::new(matrix, points, add_up(mul_up(gamma(2 * area + 16 * points), trace), LEAST))?;
            let weights = &layer.variance[i * n..][..n];
            let distance = |power: f64| fixed.distance(z, means, weights, power, (bias, off));
            let share = add_up(0.25, mul_up(6.75, sqrt_up(distance(1.0))));
            let cost = mul_up(distance(0.5), if share < 1.0 { share } else { 1.0 });
            let most = add_up(add_up(mul_up(1.0 + 1e-9, trace), sum_up(&fixed.values)), UNDERFLOW);
            noise.cost = add_up(noise.cost, if cost < most { cost } else { most });
            noise.off = add_up(noise.off, mul_up(fixed.off, fixed.off));
            noise.floor = fixed.values.iter().copied().fold(noise.floor, smaller);
        }
        Ok(noise)
    }
}

/// More than all products that underflow can lose, for numbers that are not above 10¹⁰; and a variance far above that.
const UNDERFLOW: f64 = 1e-290;
const LEAST: f64 = 1e-200;

/// `T = Σ_p λ_p q_p q_pᵀ`, where `q` is the orthonormal basis nearest to estimates `u` of the eigenvectors of `S̃`.
struct Fixed {
    /// `λ`.
    values: Vec<f64>,
    /// `u`, rows.
    vectors: Vec<f64>,
    /// `‖u − q‖_F` or more.
    tilt: f64,
    /// `‖S̃ − T‖_F` or more.
    off: f64,
}

impl Fixed {
    fn new(matrix: &[f64], points: usize, least: f64) -> Result<Self> {
        let Eigen { mut values, vectors, .. } = symmetric(matrix, points)?;
        values.iter_mut().for_each(|value| *value = larger(*value, least));
        let (step, length) = (gamma(2 * points + 16), norm_up(&vectors));
        let mut gram = product(&vectors, points, points, &transposed(&vectors, points, points), points);
        gram.iter_mut().step_by(points + 1).for_each(|x| *x -= 1.0);
        let tilt = add_up(norm_up(&gram), mul_up(step, mul_up(length, length)));
        let mut residual = product(&vectors, points, points, matrix, points);
        for (k, x) in residual.iter_mut().enumerate() {
            *x -= values[k / points] * vectors[k];
        }
        let blur = mul_up(add_up(norm_up(matrix), norm_up(&values)), add_up(tilt, mul_up(step, length)));
        Ok(Self { tilt, off: add_up(norm_up(&residual), blur), values, vectors })
    }

    /// At least `E‖T^{−p/2} (S(g) − T) T^{−p/2}‖_F²`, given `S̃ = E S + K` up to `off`. By Wick's formula for the Gaussian `g = μ + x`,
    /// `C_jk = E x_jx_kᵀ` over the points, `A = T^{−p}`, `τ_jk = tr AC_jk`, `ν_j = Aμ_j`:
    /// `Σ_jk V_jV_k (τ_jk² + tr AC_jkAC_jk + 2 ν_jᵀμ_k τ_jk + 2 ν_kᵀC_jkν_j) + ‖A^½(E S − T)A^½‖_F²`; the second term is at most the first.
    fn distance(&self, z: &Stacked, means: &[f64], weights: &[f64], power: f64, (bias, off): (&[f64], f64)) -> f64 {
        let (n, points) = (z.width, z.points);
        let inverses: Vec<f64> =
            self.values.iter().map(|v| if power == 1.0 { 1.0 / v } else { 1.0 / v.sqrt() }).collect();
        let scaled: Vec<f64> = (0..points * points).map(|k| inverses[k / points] * self.vectors[k]).collect();
        let a = product(&transposed(&self.vectors, points, points), points, points, &scaled, points);
        let unit = add_up(1.0, self.tilt);
        let (steepest, most) = (inverses.iter().copied().fold(0.0, larger), sum_up(&inverses));
        let blur = mul_up(gamma(3 * points + 2 * z.roundings + 32), mul_up(mul_up(2.0, most), mul_up(unit, unit)));
        let turned = product(means, n, points, &a, points);
        let at = |values: &'_ [f64], j: usize| values[j * points..][..points].to_vec();
        let spread = |j: usize| sqrt_up((0..points).fold(0.0, |sum, d| add_up(sum, z.variance(j * points + d))));
        let sizes: Vec<[f64; 3]> =
            (0..n).map(|j| [spread(j), norm_up(&at(means, j)), norm_up(&at(&turned, j))]).collect();
        let (mut value, mut size, mut error) = (0.0, 0.0, 0.0);
        for j in 0..n {
            let nu = at(&turned, j);
            let (first, row) = z.row(j * points);
            let mut sums = vec![[0.0; 2]; row.len() / points];
            for d in 0..points {
                for (l, (sum, c)) in sums.iter_mut().zip(z.row(j * points + d).1.chunks_exact(points)).enumerate() {
                    sum[0] += plain_dot(c, &a[d * points..][..points]);
                    sum[1] += turned[first + l * points + d] * plain_dot(c, &nu);
                }
            }
            for (l, [trace, cross]) in sums.into_iter().enumerate() {
                let k = first / points + l;
                let along = plain_dot(&nu, &means[k * points..][..points]);
                let weight = 2.0 * weights[j] * weights[k];
                value += weight * (trace * trace + along * trace + cross);
                size += weight * (trace * trace + (along * trace).abs() + cross.abs());
                // ‖C_jk‖_F ≤ c_jc_k, so τ, ν and νᵀμ are off by at most blur times c_jc_k, ‖μ_j‖ and ‖μ_j‖‖μ_k‖.
                let ([c, m, v], [o, p, w]) = (sizes[j], sizes[k]);
                let (off_trace, off_along) = (blur * c * o, blur * m * p);
                let off_cross =
                    c * o * (blur * (m * w + p * v + blur * m * p) + gamma(4 * points + 64 + 2 * z.roundings) * v * w);
                let sum =
                    trace.abs() * (2.0 * off_trace + off_along) + off_trace * (off_trace + along.abs() + off_along);
                error += weight * (sum + off_cross);
            }
        }
        let rounding = mul_up(gamma(n * n + 32), size);
        let varying = add_up(at_least_zero(value), cover(error + rounding, 2 * n * n + 64, n * n));
        let tied = add_up(at_least_zero(plain_dot(&a, bias)), mul_up(blur, norm_up(bias)));
        let steep = mul_up(steepest, mul_up(unit, unit));
        let moved = add_up(tied, mul_up(steep, add_up(mul_up(2.0, off), self.off)));
        // u = (1 + E) q in this metric, with ‖E‖ ≤ tilt (λ_max/λ_min)^½; (1 − x)⁻⁴ ≤ 1 + 5x for small x.
        let ends = self.values.iter().fold((f64::INFINITY, 0.0), |(low, high), &v| (smaller(low, v), larger(high, v)));
        let skew = mul_up(self.tilt, sqrt_up(div_up(ends.1, ends.0)));
        let grow = if skew < 0.05 { add_up(1.0, mul_up(5.0, skew)) } else { f64::INFINITY };
        mul_up(grow, add_up(varying, mul_up(moved, moved)))
    }
}
