//! Newton's method for the optimal quantizers.
//!
//! The squared error of `n` points is stationary where every point is the mean of its cell, `F_i = c_iπ_i − (φ(l_i) − φ(u_i)) = 0`.
//! Its Hessian is tridiagonal: `∂F_i/∂c_{i+1} = −¼(c_{i+1} − c_i)φ(u_i) =: −b_i` and `∂F_i/∂c_i = π_i − b_{i−1} − b_i`, which is half of
//! Eqn 30's. The density of `N(0,1)` is log-concave, so there is one solution, and it is symmetric: only its positive
//! half is unknown.

use crate::math::normal::{self, Cell};

/// Sweeps of Lloyd's method (every point to the mean of its cell) before Newton's: the start has its outermost points too far
/// out, where Newton's step overshoots, and sweeps mend just those.
const SWEEPS: usize = 10;

/// More than it takes from there (6 or 7).
const STEPS: usize = 30;

/// Below this, steps square from one to the next; when they do not even halve, rounding is all that is left.
const QUADRATIC: f64 = 1e-8;

/// The positive points of the optimal `n`-point quantizer, ascending (`⌊n/2⌋` of them).
pub fn positive_half(n: usize) -> Vec<f64> {
    let mut points = start(n);
    for _ in 0..SWEEPS {
        points = cells(&points, n).iter().map(|cell| cell.mean).collect();
    }
    let mut last = f64::INFINITY;
    for _ in 0..STEPS {
        let step = newton_step(&points, n);
        let size = step.iter().fold(0.0, |largest, step| f64::max(largest, step.abs()));
        if last < QUADRATIC && size > 0.5 * last {
            break;
        }
        points = ascending(&points, &step);
        last = size;
    }
    points
}

/// For many points their optimal density is that of `N(0, 3)` (Panter and Dite).
fn start(n: usize) -> Vec<f64> {
    let half = n / 2;
    let level = |i: usize| (2 * (n - half + i) + 1) as f64 / (2 * n) as f64;
    (0..half).map(|i| 3f64.sqrt() * normal::quantile(level(i))).collect()
}

/// The cells of the positive points; the innermost one ends at 0, or halfway to the point at 0 when `n` is odd.
fn cells(points: &[f64], n: usize) -> Vec<Cell> {
    let innermost = if n.is_multiple_of(2) { 0.0 } else { points.first().map_or(0.0, |&c| 0.5 * c) };
    let upper = |i: usize| points.get(i + 1).map_or(f64::INFINITY, |&next| 0.5 * (points[i] + next));
    let mut lower = innermost;
    (0..points.len()).map(|i| Cell::new(std::mem::replace(&mut lower, upper(i)), lower)).collect()
}

/// Solves the tridiagonal system by Thomas' elimination, each row divided by its cell's mass.
fn newton_step(points: &[f64], n: usize) -> Vec<f64> {
    let cells = cells(points, n);
    let coupling = |low: f64, high: f64| 0.25 * (high - low) * normal::density(0.5 * (low + high));
    // Across 0 the neighbour is the point at 0, which stays, or the mirror image, which moves the other way: the cell's end stays.
    let mut below = if n.is_multiple_of(2) { 0.0 } else { points.first().map_or(0.0, |&first| coupling(0.0, first)) };
    let mut ratios = Vec::with_capacity(points.len());
    let mut step: Vec<f64> = Vec::with_capacity(points.len());
    for (i, (&c, cell)) in points.iter().zip(&cells).enumerate() {
        let above = points.get(i + 1).map_or(0.0, |&next| coupling(c, next));
        let (left, right) = (below / cell.mass, above / cell.mass);
        let (ratio, known) = if i == 0 { (0.0, 0.0) } else { (ratios[i - 1], step[i - 1]) };
        let pivot = 1.0 - left - right - left * ratio;
        ratios.push(right / pivot);
        step.push((cell.mean - c + left * known) / pivot);
        below = above;
    }
    for i in (0..step.len().saturating_sub(1)).rev() {
        step[i] += ratios[i] * step[i + 1];
    }
    step
}

/// The points moved by the largest of `step, step/2, …` that leaves them in order.
fn ascending(points: &[f64], step: &[f64]) -> Vec<f64> {
    let mut scale = 1.0;
    loop {
        let moved: Vec<f64> = points.iter().zip(step).map(|(c, step)| c + scale * step).collect();
        let in_order = moved.windows(2).all(|pair| pair[0] < pair[1]) && moved.first().is_none_or(|&first| first > 0.0);
        if in_order || scale < f64::EPSILON {
            return moved;
        }
        scale *= 0.5;
    }
}
