//! Lemma 4: a Gaussian cut along one coordinate into the cells of a quantizer.
//!
//! With `g = Σe_j/√Σ_jj`, `z = m + gτ + N(0, Σ − ggᵀ)`, `τ ~ N(0,1)`. `τ` is replaced by the centroid `μ_i` of its cell: the squared
//! distance is `‖g‖² (1 − Σ p_i μ_i²)`. Cells are given by masses `p_i` that are exact in `f64`; then
//! `p_i μ_i = φ(q_{i−1}) − φ(q_i)` at the quantiles `q_i` of the cumulated masses.

use std::borrow::Cow;

use super::gaussian::{Covariance, Gaussian, store_covariance};
use super::normal::quantile_density;
use super::rounding::{Interval, U, add_up, cover, hypot_up, larger, mul_up, norm_up, plain_dot, sqrt_up};
use super::types;
use crate::Error;
use crate::math::normal::{distribution, quantile};
use crate::math::quantizer::Quantizer;

/// Parts a split may have: with more, rounding is what is left.
pub(in crate::certify) const MOST_POINTS: u32 = 1 << 17;

/// All masses are multiples of this.
const UNIT: f64 = U;

/// A cell's Gaussian.
pub(super) struct Part {
    pub(super) weight: f64,
    pub(super) law: Gaussian,
    /// Its distance to the exact part.
    pub(super) rounding: f64,
}

/// What a split makes.
pub(super) struct Parts {
    pub(super) parts: Vec<Part>,
    /// The squared distance, given the component.
    pub(super) cost: f64,
}

/// Splits a component of this weight; `None` where it does not vary or the number of points is not allowed.
pub(super) fn split(law: &Gaussian, weight: f64, wanted: &types::Split) -> Option<Parts> {
    let j = wanted.coordinate as usize;
    if !(2..=MOST_POINTS).contains(&wanted.points) || j >= law.width() || !(law.variance(j) > 0.0) {
        return None;
    }
    let cells = cells(weight, &boundaries(wanted.points));
    let scale = law.variance(j).sqrt();
    let (direction, covariance, floor, off_scale) = remainder(law, j, scale);
    // The direction is rounded, too.
    let length = mul_up(norm_up(&direction), 1.0 + 4.0 * f64::EPSILON);
    let kept = cells.iter().fold(Interval::ZERO, |sum, cell| sum + cell.share * cell.centroid.square());
    let size = sqrt_up(cover(plain_dot(&law.mean, &law.mean), law.width() + 1, law.width()));
    let part = |cell: &Cell| {
        let (center, radius) = cell.centroid.center();
        let mean = law.mean.iter().zip(&direction).map(|(m, g)| m + center * g).collect();
        let moved = mul_up(add_up(radius, mul_up(6.0 * U, center.abs())), length);
        let off = add_up(add_up(moved, mul_up(2.0 * U, size)), f64::MIN_POSITIVE);
        let law = Gaussian { mean, covariance: covariance.clone(), floor };
        Part { weight: cell.weight, law, rounding: hypot_up(off, off_scale) }
    };
    let cost = mul_up(mul_up(length, length), larger((Interval::ONE - kept).hi, 0.0));
    Some(Parts { parts: cells.iter().map(part).collect(), cost })
}

/// `g`, and the covariance `Σ − ggᵀ` as stored with its floor and distance. A Schur complement's least eigenvalue is not below
/// the whole matrix's; a rounded entry is off by at most `8u s_i s_k`.
fn remainder(law: &Gaussian, j: usize, scale: f64) -> (Vec<f64>, Covariance, f64, f64) {
    let n = law.width();
    match &law.covariance {
        Covariance::Diagonal(variances) => {
            let (mut direction, mut rest) = (vec![0.0; n], variances.clone());
            direction[j] = scale;
            rest[j] = 0.0;
            (direction, Covariance::Diagonal(rest), 0.0, 0.0)
        }
        Covariance::Full(matrix) => {
            let direction: Vec<f64> = matrix[j * n..][..n].iter().map(|x| x / scale).collect();
            let mut rest = matrix.clone();
            for i in 0..n {
                for k in 0..n {
                    let gone = i == j || k == j;
                    rest[i * n + k] = if gone { 0.0 } else { rest[i * n + k] - direction[i] * direction[k] };
                }
            }
            let trace = (0..n).fold(0.0, |sum, i| add_up(sum, law.variance(i)));
            let off = add_up(mul_up(8.0 * U, trace), (n * n) as f64 * f64::MIN_POSITIVE);
            let fixed = |i: usize| i == j || law.variance(i) == 0.0;
            let (distance, floor) = store_covariance(&mut rest, n, off, law.floor, fixed);
            (direction, Covariance::Full(rest), floor, distance)
        }
    }
}

pub(super) struct Cell {
    pub(super) weight: f64,
    /// `p`, the share of the component's weight.
    share: Interval,
    pub(super) centroid: Interval,
}

/// Cells of exact weights, as near to the wanted boundaries as multiples of the unit allow; those that vanish are left out.
pub(super) fn cells(weight: f64, boundaries: &[f64]) -> Vec<Cell> {
    let units = weight / UNIT;
    let whole = Interval::point(weight);
    let mut cells = Vec::with_capacity(boundaries.len() + 1);
    let (mut done, mut left) = (0.0, Interval::ZERO);
    for &boundary in boundaries.iter().chain([&f64::INFINITY]) {
        let reached = if boundary.is_finite() {
            // The nearest multiple of the unit, not below what is done.
            ((units * distribution(boundary)).round() * UNIT).clamp(done, weight)
        } else {
            weight
        };
        if reached == done {
            continue;
        }
        let right = if reached == weight {
            Interval::ZERO
        } else {
            quantile_density(boundary, Interval::point(reached) / whole)
        };
        // Differences of multiples of the unit below 1 are exact.
        let mass = reached - done;
        let share = Interval::point(mass) / whole;
        cells.push(Cell { weight: mass, share, centroid: (left - right) / share });
        (done, left) = (reached, right);
    }
    cells
}

/// Midpoints between the locations of an optimal quantizer; for more points than are stored, quantiles of N(0,3), which cells of optimal
/// quantizers tend to (Zador). Any boundaries make a valid split.
pub(super) fn boundaries(points: u32) -> Cow<'static, [f64]> {
    let limit = || (1..points).map(|k| 3_f64.sqrt() * quantile(f64::from(k) / f64::from(points))).collect();
    Quantizer::optimal(points as usize).map_or_else(|_| limit(), |stored| stored.boundaries().into())
}

/// The error for a split that cannot be.
pub(super) fn no_such(layer: usize, split: &types::Split) -> Error {
    let types::Split { component, coordinate, points } = split;
    Error::Config(format!(
        "layer {layer}: no split of component {component} along coordinate {coordinate} into {points}: it must vary there, and 2 \
         to {MOST_POINTS} parts are allowed"
    ))
}
