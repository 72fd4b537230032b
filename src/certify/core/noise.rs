//! The random scale of the weights' noise: `N_i(z) = Σ_j V_ij (a_j μ_j)² + B_i` in place of its mean `N̄_i`.

use super::prepared::Hidden;
use super::rounding::{
    Interval, add_up, at_least_zero, cover, div_up, dot_up, gamma, mul_up, plain_dot, smaller, sqrt_up,
};

/// What is known of one output's `N`.
pub(super) struct Noise {
    /// `N̄`.
    pub(super) mean: Interval,
    /// `Var N` or more.
    pub(super) variance: f64,
    /// `E (N − N̄)⁴` or more; infinity where not known.
    pub(super) fourth: f64,
    /// `Var √N` or more, by Poincaré; infinity where not known.
    pub(super) root_variance: f64,
}

impl Noise {
    /// `N̄_i` from enclosures of `E (a_j μ_j)²`.
    pub(super) fn means(layer: &Hidden, squares: &[Interval]) -> Vec<Interval> {
        let low: Vec<f64> = squares.iter().map(|x| at_least_zero(x.lo)).collect();
        let high: Vec<f64> = squares.iter().map(|x| x.hi).collect();
        let n = layer.inputs;
        let slack = (1.0 - 2.0 * gamma(n + 2)).next_down();
        let rows = layer.variance.chunks_exact(n).zip(&layer.bias_variance);
        rows.map(|(row, &bias)| {
            let least = (plain_dot(row, &low) * slack).next_down();
            Interval::point(bias) + Interval::new(at_least_zero(least), dot_up(row, &high))
        })
        .collect()
    }

    /// `E (√N − √N̄)²`: the least of `Var N/N̄`, `2N̄ − 2√(N̄(N̄ − ω))`, `2N̄` and the fourth-order bound, see the page.
    pub(super) fn cost(&self) -> f64 {
        let mean = self.mean;
        if mean.hi == 0.0 {
            return 0.0;
        }
        let mut cost = mul_up(2.0, mean.hi);
        if self.root_variance < mean.lo {
            // 2ω/(1 + √(1 − ω/N̄)), free of cancellation and growing with ω/N̄.
            let part = div_up(self.root_variance, mean.lo);
            let root = at_least_zero((1.0 - part).next_down()).sqrt().next_down();
            cost = smaller(cost, div_up(mul_up(2.0, self.root_variance), (1.0 + root).next_down()));
        }
        if mean.lo > 0.0 && self.variance.is_finite() {
            cost = smaller(cost, div_up(self.variance, mean.lo));
            if self.fourth.is_finite() {
                cost = smaller(cost, self.fourth_order());
            }
        }
        cost
    }

    /// `(√(1+y) − 1)² ≤ y²/4 − y³/8 + 5y⁴/8` for `y = (N − N̄)/N̄ ≥ −1`, and `|E y³| ≤ √(E y² E y⁴)`.
    fn fourth_order(&self) -> f64 {
        let low = self.mean.lo;
        if !(low > 1e-70 && low < 1e70) {
            return f64::INFINITY;
        }
        let second = div_up(self.variance, (low * low).next_down());
        let fourth = div_up(self.fourth, (low * low * low * low * (1.0 - 4.0 * f64::EPSILON)).next_down());
        let third = sqrt_up(mul_up(second, fourth));
        let sum = add_up(add_up(0.25 * second, (0.125 * third).next_up()), (0.625 * fourth).next_up());
        mul_up(self.mean.hi, sum)
    }

    /// `‖√N − √N̄‖₄⁴ ≤ E (N − N̄)⁴/N̄²`.
    pub(super) fn root_fourth(&self) -> f64 {
        if self.mean.hi == 0.0 {
            return 0.0;
        }
        if self.mean.lo > 0.0 { div_up(self.fourth, (self.mean.lo * self.mean.lo).next_down()) } else { f64::INFINITY }
    }
}

/// `Σ_j w_ij x_j` by rows, upper bounds for numbers that are not negative.
pub(super) fn rows_up(weights: &[f64], x: &[f64]) -> Vec<f64> {
    let n = x.len();
    weights.chunks_exact(n).map(|row| cover(plain_dot(row, x), n + 1, n)).collect()
}
