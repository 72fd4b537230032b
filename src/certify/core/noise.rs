//! The random scale of the weights' noise: `N_i(z) = Σ_j V_ij (a_j μ_j)² + B_i` in place of its mean `N̄_i`.

use super::matrix::product;
use super::prepared::Hidden;
use super::rounding::{
    Interval, add_up, at_least_zero, cover, div_up, down, fourth_root, gamma, mul_up, smaller, sqrt_down, sqrt_up, up,
};

/// What is known of one output's `N`.
pub(super) struct Noise {
    /// `N̄`.
    pub(super) mean: Interval,
    /// `E (√N − √N̄)²` or more.
    pub(super) cost: f64,
    /// `‖√N − √N̄‖₄` or more; infinity where not known.
    pub(super) root_fourth: f64,
}

impl Noise {
    /// From `N̄`, and upper bounds of `Var N`, of `E (N − N̄)⁴` and of `Var √N` (Poincaré): infinity where not known.
    pub(super) fn new(mean: Interval, variance: f64, fourth: f64, root_variance: f64) -> Self {
        let root_fourth = match () {
            () if mean.hi == 0.0 => 0.0,
            // ‖√N − √N̄‖₄⁴ ≤ E (N − N̄)⁴/N̄².
            () if mean.lo > 0.0 => fourth_root(div_up(fourth, down(mean.lo * mean.lo))),
            () => f64::INFINITY,
        };
        Self { mean, cost: cost(mean, variance, fourth, root_variance), root_fourth }
    }

    /// `N̄_i` from enclosures of `E (a_j μ_j)²`.
    pub(super) fn means(layer: &Hidden, squares: &[Interval]) -> Vec<Interval> {
        let (n, rows) = (layer.inputs, layer.outputs);
        let ends = squares.iter().map(|x| at_least_zero(x.lo)).chain(squares.iter().map(|x| x.hi));
        let sums = product(&ends.collect::<Vec<f64>>(), 2, n, &layer.variance_turned, rows);
        let slack = down(1.0 - 2.0 * gamma(n + 2));
        let (low, high) = sums.split_at(rows);
        let end = |(&low, &high): (&f64, &f64)| Interval::new(at_least_zero(down(low * slack)), cover(high, n + 1, n));
        low.iter().zip(high).map(end).zip(&layer.bias_variance).map(|(x, &bias)| Interval::point(bias) + x).collect()
    }
}

/// The least of `Var N/N̄`, `2N̄ − 2√(N̄(N̄ − ω))`, `2N̄` and the fourth-order bound, see the page.
fn cost(mean: Interval, variance: f64, fourth: f64, root_variance: f64) -> f64 {
    if mean.hi == 0.0 {
        return 0.0;
    }
    let mut cost = mul_up(2.0, mean.hi);
    if root_variance < mean.lo {
        // 2ω/(1 + √(1 − ω/N̄)), free of cancellation and growing with ω/N̄.
        let root = sqrt_down(at_least_zero(down(1.0 - div_up(root_variance, mean.lo))));
        cost = smaller(cost, div_up(mul_up(2.0, root_variance), down(1.0 + root)));
    }
    if mean.lo > 0.0 && variance.is_finite() {
        cost = smaller(cost, div_up(variance, mean.lo));
        if fourth.is_finite() && (1e-70..1e70).contains(&mean.lo) {
            // (√(1+y) − 1)² ≤ y²/4 − y³/8 + 5y⁴/8 for y = (N − N̄)/N̄ ≥ −1, and |E y³| ≤ √(E y² E y⁴).
            let square = down(mean.lo * mean.lo);
            let (second, last) = (div_up(variance, square), div_up(fourth, down(square * square)));
            let third = sqrt_up(mul_up(second, last));
            let sum = add_up(add_up(0.25 * second, up(0.125 * third)), up(0.625 * last));
            cost = smaller(cost, mul_up(mean.hi, sum));
        }
    }
    cost
}
