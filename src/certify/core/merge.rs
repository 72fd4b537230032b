//! Components of the tight method merged. The cluster's Gaussian may be any; its distance to every member is proved.

use super::gaussian::{Covariance, Gaussian};
use super::matrix::defect;
use super::prove::Component;
use super::rounding::{
    add_up, div_up, down, gamma, hypot_up, mul_up, norm_up, smaller, sqrt_down, sqrt_up, sum_up, up,
};
use crate::math::compression::merge;
use crate::math::mixture::Components;

/// The clusters, and the mean squared distance of a component to its own. `None` where labels do not fit.
pub(super) fn merged(components: &[Component], labels: &[u32]) -> Option<(Vec<Component>, f64)> {
    let width = components.first()?.law.width();
    let fits = labels.len() == components.len() && labels.iter().all(|&label| (label as usize) < labels.len());
    fits.then_some(())?;
    let weights: Vec<f64> = components.iter().map(|c| c.weight).collect();
    let means: Vec<f64> = components.iter().flat_map(|c| c.law.mean.iter().copied()).collect();
    let covariances: Vec<f64> = components.iter().flat_map(|c| c.law.matrix()).collect();
    let found = merge(Components::new(width, &weights, &means, &covariances).ok()?, labels).ok()?;
    let shapes = found.means.chunks_exact(width).zip(found.covariances.chunks_exact(width * width));
    let mut clusters = Vec::with_capacity(found.weights.len());
    for (label, (mean, covariance)) in (0_u32..).zip(shapes) {
        let members = || components.iter().zip(labels).filter(|(_, own)| **own == label).map(|(c, _)| c);
        // Multiples of 2⁻⁵³ up to 1: the sum is exact.
        let weight = members().map(|c| c.weight).sum();
        let least = members().map(|c| c.law.floor).fold(f64::INFINITY, smaller);
        let law = match members().count() {
            1 => members().next()?.law.clone(),
            _ => stored(mean.to_vec(), covariance.to_vec(), least)?,
        };
        clusters.push(Component::new(weight, law));
    }
    let cost = components.iter().zip(labels).try_fold(0.0, |sum, (component, &label)| {
        let cluster = clusters.get(label as usize)?;
        Some(add_up(sum, mul_up(component.weight, distance_squared(&component.law, &cluster.law))))
    })?;
    Some((clusters, cost))
}

/// A Gaussian whose covariance is proved to be at least half of what all members' are, and positive semidefinite.
fn stored(mean: Vec<f64>, mut covariance: Vec<f64>, least: f64) -> Option<Gaussian> {
    let n = mean.len();
    let trace = sum_up(&(0..n).map(|j| covariance[j * n + j]).collect::<Vec<f64>>());
    let (ridge, floor) = (mul_up(4.0 * gamma(n + 8), trace), 0.5 * least);
    for j in 0..n {
        covariance[j * n + j] += ridge;
        (0..j).for_each(|k| covariance[j * n + k] = covariance[k * n + j]);
    }
    let mut rest = covariance.clone();
    (0..n).for_each(|j| rest[j * n + j] -= floor + 0.5 * ridge);
    // The diagonal of what is factorised is rounded.
    let defect = add_up(defect(&mut rest, n)?, mul_up(gamma(4), add_up(trace, ridge)));
    (defect <= down(0.5 * ridge)).then_some(Gaussian { mean, covariance: Covariance::Full(covariance), floor })
}

/// `W2² ≤ ‖Δm‖² + ‖√A − √B‖_F²`, `‖√A − √B‖_F ≤ ‖A − B‖_F/(√λ_min(A) + √λ_min(B))` and at most `(√n ‖A − B‖_F)^½`, as in
/// [`store_covariance`](super::gaussian::store_covariance).
fn distance_squared(a: &Gaussian, b: &Gaussian) -> f64 {
    let gaps = |a: &[f64], b: &[f64]| {
        let gaps: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
        if gaps.iter().all(|&x| x == 0.0) { 0.0 } else { up(norm_up(&gaps) * (1.0 + 4.0 * f64::EPSILON)) }
    };
    let apart = gaps(&a.matrix(), &b.matrix());
    let rough = sqrt_up(mul_up(sqrt_up(a.width() as f64), apart));
    let floors = down(sqrt_down(a.floor) + sqrt_down(b.floor));
    let shape = if floors > 0.0 { smaller(rough, div_up(apart, floors)) } else { rough };
    let distance = hypot_up(gaps(&a.mean, &b.mean), shape);
    mul_up(distance, distance)
}
