//! Differences in f64, the judge of every hand-derived gradient.

use bures::reference::philox::Philox;

use crate::support::normals;
use crate::tolerances::DIFFERENCES;

/// Compares `gradient` with five-point differences of `f` at `point` along random directions. Per direction the
/// best of a sweep of steps counts: too long a step truncates, too short a one cancels. Errors are relative to the
/// norm of the gradient, or to 0.01 where it is smaller (cotangents here are standard normal).
#[track_caller]
pub(crate) fn check_gradient(
    case: &str,
    rng: &mut Philox,
    point: &[f64],
    gradient: &[f64],
    f: impl Fn(&[f64]) -> f64,
) -> f64 {
    assert_eq!(point.len(), gradient.len(), "{case}: lengths differ");
    let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt().max(0.01);
    let mut worst = 0.0;
    for _ in 0..2 {
        let direction = normals(rng, point.len());
        let want: f64 = gradient.iter().zip(&direction).map(|(g, d)| g * d).sum();
        let along = |h: f64| {
            let moved: Vec<f64> = point.iter().zip(&direction).map(|(x, d)| x + h * d).collect();
            f(&moved)
        };
        let off = [1e-2, 2e-3, 4e-4, 1e-4].map(|h| {
            let slope = (8.0 * (along(h) - along(-h)) - (along(2.0 * h) - along(-2.0 * h))) / (12.0 * h);
            (slope - want).abs() / norm
        });
        let off = off.into_iter().fold(f64::INFINITY, f64::min);
        assert!(off <= DIFFERENCES, "{case}: the gradient is off by {off:.3e}");
        worst = f64::max(worst, off);
    }
    worst
}
