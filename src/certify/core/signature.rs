//! Signatures (Algorithm 2): points on a grid in place of a Gaussian, with proved distance.

use super::paper::MOST_ATOMS;
use super::rounding::{Interval, U, add_up, at_least_zero, div_up, gamma, mul_up, norm_up, plain_dot, sqrt_down};
use super::split::{MOST_POINTS, boundaries, cells};
use super::stacked::Stacked;
use crate::math::factors::squares;
use crate::math::principal::principal;

/// A point as stored, and how far it may be from the exact one.
pub(super) struct Atom {
    pub(super) weight: f64,
    pub(super) location: Vec<f64>,
    pub(super) off: f64,
}

/// `g` as stored, its length or more, and how far it may be from the exact one.
struct Direction {
    vector: Vec<f64>,
    length: f64,
    off: f64,
    points: u32,
}

/// Algorithm 2 for one component: Lemma 4 along one direction after the other, and what is left collapses to its mean. The second
/// value is the weight times the squared distance, `tr Σ − Σ_j ‖g_j‖² E μ_j²`: Corollary 11's where directions are eigenvectors.
pub(super) fn atoms(of: &Stacked, shape: &[u32]) -> Option<(Vec<Atom>, f64)> {
    let total = shape.iter().try_fold(1_usize, |total, &n| total.checked_mul(n as usize))?;
    let allowed = shape.len() <= of.mean.len() && shape.iter().all(|n| (1..=MOST_POINTS).contains(n));
    if !allowed || total > MOST_ATOMS {
        return None;
    }
    let mut atoms = vec![Atom { weight: of.weight, location: of.mean.clone(), off: 0.0 }];
    let trace = of.trace();
    let mut left = mul_up(of.weight, trace);
    for direction in directions(of, shape, trace) {
        let square = plain_dot(&direction.vector, &direction.vector) * (1.0 - 4.0 * gamma(of.mean.len()));
        let square = at_least_zero((square.next_down() - f64::MIN_POSITIVE).next_down());
        let least = at_least_zero((sqrt_down(square) - direction.off).next_down());
        let mut kept = 0.0;
        let mut next = Vec::with_capacity(atoms.len() * direction.points as usize);
        for atom in &atoms {
            for cell in cells(atom.weight, boundaries(direction.points)) {
                kept = at_least_zero((kept + (Interval::point(cell.weight) * cell.centroid.square()).lo).next_down());
                let (center, radius) = cell.centroid.center();
                let location: Vec<f64> =
                    atom.location.iter().zip(&direction.vector).map(|(x, g)| x + center * g).collect();
                let rounded = add_up(radius, mul_up(6.0 * U, center.abs()));
                let moved = add_up(mul_up(rounded, direction.length), mul_up(center.abs(), direction.off));
                let stored = add_up(mul_up(4.0 * U, norm_up(&location)), f64::MIN_POSITIVE);
                let off = add_up(atom.off, add_up(moved, stored));
                next.push(Atom { weight: cell.weight, location, off });
            }
        }
        atoms = next;
        let gone = Interval::point(least).square() * Interval::point(kept);
        left = at_least_zero((left - gone.lo).next_up());
    }
    Some((atoms, left))
}

/// `g_j = Σ_{j−1}v_j/(v_jᵀΣ_{j−1}v_j)^½`, `Σ_j = Σ_{j−1} − g_j g_jᵀ`, for any `v_j`; best are leading eigenvectors.
fn directions(of: &Stacked, shape: &[u32], trace: f64) -> Vec<Direction> {
    let n = of.mean.len();
    let underflow = (n * (of.columns.len() + of.size + 2)) as f64 * f64::MIN_POSITIVE;
    let mut found: Vec<Direction> = Vec::new();
    let wanted = shape.iter().rposition(|&points| points > 1).map_or(0, |last| last + 1);
    // Where none are found nothing is cut.
    let vectors = principal(&squares(&of.factors, of.size), of.size, &of.columns, wanted)
        .map_or(Vec::new(), |found| found.vectors);
    for (v, &points) in vectors.iter().zip(shape).filter(|(_, points)| **points > 1) {
        let (mut image, size) = (of.times(v), norm_up(v));
        let step = gamma(n + 2 * of.size + of.columns.len() + 8 + 2 * found.len());
        let mut off = add_up(mul_up(step, mul_up(trace, size)), underflow);
        for known in &found {
            let along = plain_dot(&known.vector, v);
            image.iter_mut().zip(&known.vector).for_each(|(x, g)| *x -= along * g);
            let (length, radius) = (add_up(known.length, known.off), known.off);
            let inexact = add_up(mul_up(3.0, radius), mul_up(step, length));
            off = add_up(off, mul_up(mul_up(inexact, length), size));
        }
        let length = norm_up(&image);
        let radius = mul_up(size, add_up(off, mul_up(step, length)));
        let root = (Interval::point(plain_dot(v, &image)) + Interval::new(-radius, radius)).sqrt();
        let (scale, unsure) = root.center();
        // A direction in which nothing is known to vary is not cut.
        if !(root.lo > 0.0) {
            continue;
        }
        let relative = add_up(div_up(unsure, root.lo), 4.0 * U);
        let vector: Vec<f64> = image.iter().map(|x| x / scale).collect();
        let length = norm_up(&vector);
        let off = add_up(div_up(off, root.lo), mul_up(mul_up(2.0, relative), length));
        found.push(Direction { vector, length: add_up(length, f64::MIN_POSITIVE), off, points });
    }
    found
}
