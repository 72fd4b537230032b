//! The paper's recursion (Theorem 17): components merged, every one replaced by the points of a signature, the points sent
//! through the next layer exactly.

use super::bures_distance::{Merged, factorise, pair};
use super::gaussian::{Covariance, Gaussian};
use super::prepared::{Hidden, Prepared};
use super::principal::principal;
use super::prove::{Component, State, dense_rounding, not_finite};
use super::rounding::{
    Interval, U, add_up, at_least_zero, div_up, gamma, mul_up, norm_up, plain_dot, sqrt_down, sqrt_up, sum_up,
};
use super::split::{MOST_POINTS, boundaries, cells};
use super::types::{LayerWitness, Method, Proof, TermKind, Witness};
use crate::{Error, Result};

/// Components that a layer may make.
const MOST_ATOMS: usize = 1 << 18;

/// A component that arrives at a layer, with its mean and the diagonal of its covariance.
#[derive(Clone, Copy, Debug)]
pub struct Arriving<'a> {
    /// A multiple of 2⁻⁵³.
    pub weight: f64,
    /// `[width]`.
    pub mean: &'a [f64],
    /// `[width]`.
    pub variances: &'a [f64],
}

/// Proves the paper's bound for one deterministic input. `propose` is asked for every hidden layer's witness, given its number from
/// 0 and the components that arrive there; the witness that was used is returned with the proof.
///
/// # Errors
/// Those of `propose`; when the input or a witness does not fit, the network has dropout, or a number of the proof is not finite.
pub fn prove_paper(
    prepared: &Prepared,
    input: &[f64],
    mut propose: impl FnMut(usize, &[Arriving<'_>]) -> Result<LayerWitness>,
) -> Result<(Proof, Witness)> {
    let mut state = State::start(&prepared.first, input)?;
    let mut witness = Witness { method: Method::PaperGrid, layers: Vec::new() };
    for (index, layer) in prepared.hidden.iter().enumerate() {
        let arriving: Vec<Arriving<'_>> = state.components.iter().map(arriving).collect();
        let proposal = propose(index, &arriving)?;
        state.advance_paper(layer, &proposal, index + 1)?;
        witness.layers.push(proposal);
    }
    Ok((state.finish(prepared.hidden.len())?, witness))
}

fn arriving(component: &Component) -> Arriving<'_> {
    Arriving { weight: component.weight, mean: &component.law.mean, variances: variances(&component.law) }
}

/// The variances of a component, which this method keeps diagonal.
fn variances(law: &Gaussian) -> &[f64] {
    let (Covariance::Diagonal(values) | Covariance::Full(values)) = &law.covariance;
    values
}

impl State {
    /// One hidden layer: `Ŵ' = L_W L_σ (Ŵ + W_R + W_Δ)`, `L_W = ‖M‖₂ + (Σ V)^½`.
    fn advance_paper(&mut self, layer: &Hidden, proposal: &LayerWitness, number: usize) -> Result<()> {
        if !(proposal.splits.is_empty() && proposal.sharing.is_empty()) || layer.drop.hi != 0.0 {
            return Err(Error::Config(format!(
                "layer {number}: the paper's method has neither splits nor shared noise nor dropout; --method tight has them"
            )));
        }
        let scale = add_up(sqrt_up(layer.gram_norm), sqrt_up(sum_up(&layer.column_variances)));
        let factor = mul_up(layer.activation.lipschitz(), scale);
        self.terms.iter_mut().for_each(|term| term.value = mul_up(factor, term.value));
        let (merged, compression) = self.merge(proposal).ok_or_else(|| unfit(number, "clusters or their coupling"))?;
        self.push(number, TermKind::Compression, mul_up(factor, sqrt_up(compression)));

        let (mut signature, mut placing, mut storing) = (0.0, 0.0, 0.0);
        self.components.clear();
        if proposal.shapes.len() > merged.len() {
            return Err(unfit(number, "number of shapes"));
        }
        for (c, merged) in merged.iter().enumerate() {
            let shape = proposal.shapes.get(c).map_or(&[][..], Vec::as_slice);
            let (atoms, cost) = atoms(merged, shape).ok_or_else(|| unfit(number, "shape of a signature"))?;
            signature = add_up(signature, cost);
            if self.components.len() + atoms.len() > MOST_ATOMS {
                return Err(unfit(number, "number of points"));
            }
            for atom in atoms {
                let (law, padded, rounding) = through(layer, &atom);
                if !law.is_finite() {
                    return Err(not_finite(number));
                }
                let placed = add_up(mul_up(layer.activation.lipschitz(), atom.off), padded);
                placing = add_up(placing, mul_up(atom.weight, mul_up(placed, placed)));
                storing = add_up(storing, mul_up(atom.weight, mul_up(rounding, rounding)));
                self.components.push(Component::new(atom.weight, law));
            }
        }
        self.push(number, TermKind::Signature, mul_up(factor, sqrt_up(signature)));
        self.push(number, TermKind::Rounding, add_up(mul_up(scale, sqrt_up(placing)), sqrt_up(storing)));
        Ok(())
    }

    /// Algorithm 3: the clusters, and the mean squared distance of a component to its cluster, or as the coupling says.
    fn merge(&self, proposal: &LayerWitness) -> Option<(Vec<Merged>, f64)> {
        let every: Vec<u32>;
        let labels = if proposal.labels.is_empty() {
            every = (0..self.components.len() as u32).collect();
            &every
        } else {
            &proposal.labels
        };
        let clusters = labels.iter().max().map_or(0, |&last| last as usize + 1);
        if labels.len() != self.components.len() || clusters > labels.len() {
            return None;
        }
        let mut members = vec![Vec::new(); clusters];
        self.components.iter().zip(labels).for_each(|(component, &label)| members[label as usize].push(component));
        let merged: Vec<Merged> = members.iter().map(|members| merged(members)).collect::<Option<_>>()?;
        let distance = |i: usize, c: usize| {
            let alone = members[c].len() == 1 && labels[i] as usize == c;
            let law = &self.components[i].law;
            if alone { 0.0 } else { merged[c].distance_squared(law, variances(law)) }
        };
        let mut cost = 0.0;
        if proposal.coupling.is_empty() {
            for (i, (component, &label)) in self.components.iter().zip(labels).enumerate() {
                cost = add_up(cost, mul_up(component.weight, distance(i, label as usize)));
            }
            return Some((merged, cost));
        }
        // Marginals must agree exactly: all masses are multiples of 2⁻⁵³, whose differences below 1 are not rounded.
        let mut rows: Vec<f64> = self.components.iter().map(|component| component.weight).collect();
        let mut columns: Vec<f64> = merged.iter().map(|merged| merged.weight).collect();
        for &(i, c, mass) in &proposal.coupling {
            let (row, column) = (rows.get_mut(i as usize)?, columns.get_mut(c as usize)?);
            let fits = mass >= 0.0 && mass <= *row && mass <= *column && (mass / U).fract() == 0.0;
            fits.then_some(())?;
            *row -= mass;
            *column -= mass;
            cost = add_up(cost, mul_up(mass, distance(i as usize, c as usize)));
        }
        rows.iter().chain(&columns).all(|&rest| rest == 0.0).then_some((merged, cost))
    }
}

pub(super) fn unfit(layer: usize, what: &str) -> Error {
    Error::Config(format!("layer {layer}: the witness's {what} do not fit the components there"))
}

/// A cluster's Gaussian with its members' mean and covariance, up to rounding, which is nobody's loss: what is stored is the mixture
/// that the next steps and the distances are about.
fn merged(members: &[&Component]) -> Option<Merged> {
    let (first, others) = members.split_first()?;
    // Multiples of 2⁻⁵³ up to 1: the sum is exact.
    let weight: f64 = members.iter().map(|member| member.weight).sum();
    let (mut mean, mut variance) = (first.law.mean.clone(), variances(&first.law).to_vec());
    for member in others {
        let share = member.weight / weight;
        let toward = |to: &mut [f64], from: &[f64], own: &[f64]| {
            to.iter_mut().zip(from.iter().zip(own)).for_each(|(x, (a, b))| *x += share * (a - b));
        };
        toward(&mut mean, &member.law.mean, &first.law.mean);
        toward(&mut variance, variances(&member.law), variances(&first.law));
    }
    variance.iter_mut().for_each(|v| *v = at_least_zero(*v));
    let column = |member: &&Component| {
        let root = (member.weight / weight).sqrt();
        member.law.mean.iter().zip(&mean).map(|(a, b)| root * (a - b)).collect::<Vec<f64>>()
    };
    let columns: Vec<Vec<f64>> = members.iter().map(column).filter(|u| u.iter().any(|&x| x != 0.0)).collect();
    let columns = if columns.len() > mean.len() { narrowed(&columns, mean.len()) } else { columns };
    Some(Merged { weight, mean, variances: variance, columns })
}

/// As many columns as rows with nearly the same `UUᵀ`: its factors, a little shifted away from singular.
fn narrowed(columns: &[Vec<f64>], n: usize) -> Vec<Vec<f64>> {
    let mut gram: Vec<f64> = Vec::new();
    for p in 0..n {
        gram.extend((0..=p).map(|q| columns.iter().map(|u| u[p] * u[q]).sum::<f64>()));
    }
    let trace: f64 = (0..n).map(|p| gram[pair(p, p)]).sum();
    (0..n).for_each(|p| gram[pair(p, p)] += 1e-14 * trace);
    factorise(&mut gram, n);
    let column = |k: usize| {
        let root = at_least_zero(gram[pair(k, k)]).sqrt();
        (0..n).map(|p| if p > k { gram[pair(p, k)] * root } else { root * f64::from(u8::from(p == k)) }).collect()
    };
    (0..n).map(column).collect()
}

/// A point of a signature as stored, and how far it may be from the exact one.
struct Atom {
    weight: f64,
    location: Vec<f64>,
    off: f64,
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
fn atoms(of: &Merged, shape: &[u32]) -> Option<(Vec<Atom>, f64)> {
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
fn directions(of: &Merged, shape: &[u32], trace: f64) -> Vec<Direction> {
    let n = of.mean.len();
    let underflow = (n * (of.columns.len() + 2)) as f64 * f64::MIN_POSITIVE;
    let mut found: Vec<Direction> = Vec::new();
    let wanted = shape.iter().rposition(|&points| points > 1).map_or(0, |last| last + 1);
    for (v, &points) in principal(of, wanted).iter().zip(shape).filter(|(_, points)| **points > 1) {
        let (mut image, size) = (of.times(v), norm_up(v));
        let step = gamma(n + of.columns.len() + 8 + 2 * found.len());
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

/// A point through the activation and the layer: `N(Ma + b̄, diag(V a² + B))`, by how much `a` may be off, and the rounding.
fn through(layer: &Hidden, atom: &Atom) -> (Gaussian, f64, f64) {
    let value = |&z: &f64| layer.activation.moments(z, 0.0).mean.center();
    let (a, radii): (Vec<f64>, Vec<f64>) = atom.location.iter().map(value).unzip();
    let squares: Vec<f64> = a.iter().map(|x| x * x).collect();
    let n = layer.inputs;
    let rows = |matrix: &[f64], x: &[f64], bias: &[f64]| -> Vec<f64> {
        matrix.chunks_exact(n).zip(bias).map(|(row, b)| plain_dot(row, x) + b).collect()
    };
    let mean = rows(&layer.mean, &a, &layer.bias_mean);
    let variance = rows(&layer.variance, &squares, &layer.bias_variance);
    let total = sum_up(&layer.column_variances);
    let rounding = dense_rounding(&a, &variance, (layer.mean_norm, layer.bias_norm, total));
    (Gaussian { mean, covariance: Covariance::Diagonal(variance), floor: 0.0 }, norm_up(&radii), rounding)
}
