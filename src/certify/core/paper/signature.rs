//! Signatures (Algorithms 2 and 5): points on a grid or a cross in place of a Gaussian, with proved distance.

use super::super::rounding::{
    Interval, U, add_up, at_least_zero, div_up, gamma, mul_up, norm_up, plain_dot, sqrt_down,
};
use super::super::split::{boundaries, cells};
use super::MOST_ATOMS;
use super::stacked::Stacked;
use crate::math::cross::Cross;
use crate::math::factors::squares;
use crate::math::principal::principal;
use crate::math::quantizer::LARGEST;

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
}

/// Algorithm 2 for one component: Lemma 4 along one direction after the other, and what is left collapses to its mean. The second
/// value is the weight times the squared distance, `tr Σ − Σ_j ‖g_j‖² E μ_j²`: Corollary 11's where directions are eigenvectors.
pub(super) fn grid(of: &Stacked, shape: &[u32]) -> Option<(Vec<Atom>, f64)> {
    let total = shape.iter().try_fold(1_usize, |total, &n| total.checked_mul(n as usize))?;
    let allowed = shape.len() <= of.mean.len() && shape.iter().all(|&n| (1..=LARGEST as u32).contains(&n));
    if !allowed || total > MOST_ATOMS {
        return None;
    }
    let mut atoms = vec![Atom { weight: of.weight, location: of.mean.clone(), off: 0.0 }];
    let trace = of.trace();
    let (mut left, mut found) = (mul_up(of.weight, trace), Vec::new());
    let wanted = shape.iter().rposition(|&points| points > 1).map_or(0, |last| last + 1);
    for (v, &points) in axes(of, wanted).iter().zip(shape).filter(|(_, points)| **points > 1) {
        let Some(direction) = Direction::new(of, v, &found, trace) else { continue };
        let (mut kept, mut next) = (Interval::ZERO, Vec::with_capacity(atoms.len() * points as usize));
        for atom in &atoms {
            for cell in cells(atom.weight, &boundaries(points)) {
                kept = kept + cell.weight * cell.centroid.square();
                let (center, radius) = cell.centroid.center();
                next.push(atom.moved(&direction, cell.weight, center, radius));
            }
        }
        left = at_least_zero((left - (direction.square() * kept).lo).next_up());
        atoms = next;
        found.push(direction);
    }
    Some((atoms, left))
}

/// Algorithm 5 for one component, its shape being axes and shells: points `m ± r_k g_i`, shell `k` having the same mass on every axis. With an
/// axis `i` drawn independently of `z = m + τ_i g_i + …` and the point chosen by `τ_i`, the squared distance given `i` is
/// `tr Σ − ‖g_i‖² E[2τ_i c − c²]`, `c` the point's `± r_k`. Returned as for a grid.
pub(super) fn cross(of: &Stacked, shape: &[u32]) -> Option<(Vec<Atom>, f64)> {
    let &[wanted, shells] = shape else { return None };
    let (wanted, shells) = (wanted as usize, shells as usize);
    let total = wanted.checked_mul(2)?.checked_mul(shells)?;
    if wanted > of.mean.len() || shells == 0 || total > MOST_ATOMS {
        return None;
    }
    let (centers, boundaries) = Cross::new(wanted, total.max(1)).ok()?.line();
    let whole = Atom { weight: of.weight, location: of.mean.clone(), off: 0.0 };
    let trace = of.trace();
    let mut left = mul_up(of.weight, trace);
    let found = axes(of, wanted).into_iter().filter_map(|v| Direction::new(of, &v, &[], trace));
    let found: Vec<Direction> = found.collect();
    if found.is_empty() {
        return Some((vec![whole], left));
    }
    let (mut atoms, mut open) = (Vec::with_capacity(total), of.weight);
    for (axis, direction) in found.iter().enumerate() {
        // Multiples of 2⁻⁵³, which together are the weight.
        let weight = (open / (found.len() - axis) as f64 / U).round() * U;
        open -= weight;
        let mut gone = Interval::ZERO;
        for (cell, &c) in cells(weight, &boundaries).into_iter().zip(&centers) {
            gone = gone + cell.weight * (2.0 * c * cell.centroid - Interval::point(c).square());
            atoms.push(whole.moved(direction, cell.weight, c, 0.0));
        }
        left = (left - (direction.square() * gone).lo).next_up();
    }
    Some((atoms, at_least_zero(left)))
}

/// Leading eigenvectors, nearly; none where they are not found.
fn axes(of: &Stacked, wanted: usize) -> Vec<Vec<f64>> {
    let blocks = squares(&of.factors, of.size);
    principal(&blocks, of.size, &of.columns, wanted).map_or(Vec::new(), |found| found.vectors)
}

impl Atom {
    /// The point at `center`, up to `radius`, along a direction from here.
    fn moved(&self, direction: &Direction, weight: f64, center: f64, radius: f64) -> Self {
        let location: Vec<f64> = self.location.iter().zip(&direction.vector).map(|(x, g)| x + center * g).collect();
        let rounded = add_up(radius, mul_up(6.0 * U, center.abs()));
        let moved = add_up(mul_up(rounded, direction.length), mul_up(center.abs(), direction.off));
        let stored = add_up(mul_up(4.0 * U, norm_up(&location)), f64::MIN_POSITIVE);
        Self { weight, location, off: add_up(self.off, add_up(moved, stored)) }
    }
}

impl Direction {
    /// `g = Σ_jv/(vᵀΣ_jv)^½` for any `v`, best an eigenvector, where `Σ_j = Σ − Σ_{i≤j} g_i g_iᵀ` for those `found`. None where nothing is known
    /// to vary.
    fn new(of: &Stacked, v: &[f64], found: &[Self], trace: f64) -> Option<Self> {
        let (mut image, size, n) = (of.times(v), norm_up(v), v.len());
        let step = gamma(n + 2 * of.size + of.columns.len() + 8 + 2 * found.len());
        let underflow = (n * (of.columns.len() + of.size + 2)) as f64 * f64::MIN_POSITIVE;
        let mut off = add_up(mul_up(step, mul_up(trace, size)), underflow);
        for known in found {
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
        if !(root.lo > 0.0) {
            return None;
        }
        let relative = add_up(div_up(unsure, root.lo), 4.0 * U);
        let vector: Vec<f64> = image.iter().map(|x| x / scale).collect();
        let length = norm_up(&vector);
        let off = add_up(div_up(off, root.lo), mul_up(mul_up(2.0, relative), length));
        Some(Self { vector, length: add_up(length, f64::MIN_POSITIVE), off })
    }

    /// `‖g‖²` of the exact one.
    fn square(&self) -> Interval {
        let square = plain_dot(&self.vector, &self.vector) * (1.0 - 4.0 * gamma(self.vector.len()));
        let square = at_least_zero((square.next_down() - f64::MIN_POSITIVE).next_down());
        let least = at_least_zero((sqrt_down(square) - self.off).next_down());
        Interval::new(least, add_up(self.length, self.off)).square()
    }
}
