//! The paper's recursion (Theorem 17, for several inputs Corollary 20): components merged, every one replaced by the points of a
//! signature, the points sent through the next layer exactly.

mod affine;
mod bures_distance;
mod compression;
mod signature;
mod stacked;

pub(super) use self::affine::Affine;
use self::compression::compress;
use self::signature::{Atom, cross, grid};
pub use self::stacked::Stacked;
use super::prepared::{Hidden, Prepared};
use super::prove::{Component, State, not_finite};
use super::rounding::{U, add_up, mul_up, norm_up, sqrt_up, sum_up};
use super::types::{LayerWitness, Method, Proof, Term, TermKind, Witness};
use crate::{Error, Result};

/// Components that a layer may make.
pub(super) const MOST_ATOMS: usize = 1 << 18;

/// Proves the paper's bound for the joint law of the outputs at these inputs, one or several, with signatures on crosses or, by another
/// method, on grids. `propose` is asked for every hidden layer's witness, given its number from 0 and the components that arrive there,
/// without columns; the witness that was used is returned with the proof. The mixture is of outputs input by input.
///
/// # Errors
/// Those of `propose`; when the inputs or a witness do not fit, there is dropout with several inputs, or a number of the proof is not finite.
pub fn prove_paper(
    prepared: &Prepared,
    inputs: &[&[f64]],
    method: Method,
    mut propose: impl FnMut(usize, &[Stacked]) -> Result<LayerWitness>,
) -> Result<(Proof, Witness)> {
    let mut state = Recursion::start(prepared, inputs)?;
    let mut witness = Witness { method, layers: Vec::new() };
    for index in 0..prepared.hidden.len() {
        let proposal = propose(index, &state.laws)?;
        state.advance(prepared, index, method, &proposal)?;
        witness.layers.push(proposal);
    }
    Ok((state.finish(prepared.hidden.len())?, witness))
}

/// Proves the paper's bound with a stored witness; a layer that it lacks has nothing merged and no signature but the mean.
///
/// # Errors
/// As for [`prove_paper`].
pub fn replay_paper(prepared: &Prepared, inputs: &[&[f64]], witness: &Witness) -> Result<Proof> {
    let stored = |index: usize, _: &[Stacked]| Ok(witness.layers.get(index).cloned().unwrap_or_default());
    Ok(prove_paper(prepared, inputs, witness.method, stored)?.0)
}

/// The mixture at a layer, and what its distance to the truth is made of.
struct Recursion {
    inputs: usize,
    laws: Vec<Stacked>,
    terms: Vec<Term>,
}

impl Recursion {
    /// The first layer, exact but for rounding.
    fn start(prepared: &Prepared, inputs: &[&[f64]]) -> Result<Self> {
        let Some(first) = prepared.affine.first().filter(|_| !inputs.is_empty()) else {
            return Err(Error::Config("there is no input to certify".to_owned()));
        };
        if let Some(wrong) = inputs.iter().find(|input| input.len() != first.inputs) {
            let (expected, got) = (format!("{} numbers", first.inputs), wrong.len().to_string());
            return Err(Error::Shape { op: "input to certify", expected, got });
        }
        let stacked = inputs.concat();
        if let Some(bad) = stacked.iter().find(|x| !x.is_finite()) {
            return Err(Error::Config(format!("{bad} in an input: no certificate")));
        }
        let (law, rounding) = first.through(1.0, &stacked);
        if !law.is_finite() {
            return Err(not_finite(1));
        }
        Ok(Self {
            inputs: inputs.len(),
            laws: vec![law],
            terms: vec![Term { layer: 1, kind: TermKind::Rounding, value: rounding }],
        })
    }

    /// One hidden layer: `Ŵ' = L_W (L_σ (Ŵ + W_R + W_Δ) + W_D)`, `L_W = ‖M‖₂ + (Σ V)^½`. With dropout and the same masks on both sides
    /// `L_σ` grows by `(E μ²)^½ = (1 − p)^{-½}`.
    fn advance(&mut self, prepared: &Prepared, index: usize, method: Method, proposal: &LayerWitness) -> Result<()> {
        let (layer, next, number) = (&prepared.hidden[index], &prepared.affine[index + 1], index + 1);
        if !(proposal.splits.is_empty() && proposal.sharing.is_empty()) || (self.inputs > 1 && layer.drop.hi != 0.0) {
            let what =
                "the paper's method has neither splits nor shared noise, and no dropout for several inputs at once";
            return Err(Error::Config(format!("layer {number}: {what}")));
        }
        let scale = add_up(sqrt_up(layer.gram_norm), sqrt_up(sum_up(&layer.column_variances)));
        let inner = mul_up(layer.activation.lipschitz(), sqrt_up(layer.keep.hi));
        let factor = mul_up(inner, scale);
        self.terms.iter_mut().for_each(|term| term.value = mul_up(factor, term.value));
        let (merged, compression) =
            compress(&self.laws, proposal).ok_or_else(|| unfit(number, "clusters or their coupling"))?;
        self.push(number, TermKind::Compression, mul_up(factor, sqrt_up(compression)));
        if proposal.shapes.len() > merged.len() {
            return Err(unfit(number, "number of shapes"));
        }
        let (mut points, mut signature) = (Vec::new(), 0.0);
        let place = if method == Method::PaperCross { cross } else { grid };
        for (c, merged) in merged.iter().enumerate() {
            let shape = proposal.shapes.get(c).map_or(&[][..], Vec::as_slice);
            let (atoms, cost) = place(merged, shape).ok_or_else(|| unfit(number, "shape of a signature"))?;
            signature = add_up(signature, cost);
            points.extend(atoms.into_iter().map(|atom| activated(layer, atom, merged.size)));
            if points.len() > MOST_ATOMS {
                return Err(unfit(number, "number of points"));
            }
        }
        self.push(number, TermKind::Signature, mul_up(factor, sqrt_up(signature)));
        let masks = masked(layer, points, proposal.masks as usize);
        let (points, dropped, moved) = masks.ok_or_else(|| unfit(number, "number of masks"))?;
        self.push(number, TermKind::Dropout, mul_up(scale, sqrt_up(dropped)));
        let (mut placing, mut storing) = (0.0, 0.0);
        self.laws.clear();
        for point in points {
            let (law, rounding) = next.through(point.weight, &point.location);
            if !law.is_finite() {
                return Err(not_finite(number));
            }
            placing = add_up(placing, mul_up(point.weight, mul_up(point.off, point.off)));
            storing = add_up(storing, mul_up(point.weight, mul_up(rounding, rounding)));
            self.laws.push(law);
        }
        let placing = add_up(mul_up(sqrt_up(layer.keep.hi), sqrt_up(placing)), sqrt_up(moved));
        self.push(number, TermKind::Rounding, add_up(mul_up(scale, placing), sqrt_up(storing)));
        Ok(())
    }

    fn push(&mut self, layer: usize, kind: TermKind, value: f64) {
        if value != 0.0 {
            self.terms.push(Term { layer, kind, value });
        }
    }

    fn finish(mut self, last: usize) -> Result<Proof> {
        let mut storing = 0.0;
        let mut components = Vec::with_capacity(self.laws.len());
        for law in std::mem::take(&mut self.laws) {
            let (gaussian, distance) = law.gaussian();
            storing = add_up(storing, mul_up(law.weight, mul_up(distance, distance)));
            components.push(Component::new(law.weight, gaussian));
        }
        self.push(last.max(1), TermKind::Rounding, sqrt_up(storing));
        State::proved(components, self.terms).finish(last)
    }
}

pub(super) fn unfit(layer: usize, what: &str) -> Error {
    Error::Config(format!("layer {layer}: the witness's {what} do not fit the components there"))
}

/// A point through the activation, now input by input; `off` is how far it may be from the exact one.
fn activated(layer: &Hidden, atom: Atom, size: usize) -> Atom {
    let location = super::matrix::transposed(&atom.location, atom.location.len() / size, size);
    let value = |&z: &f64| layer.activation.moments(z, 0.0).mean.center();
    let (location, radii): (Vec<f64>, Vec<f64>) = location.iter().map(value).unzip();
    let off = add_up(mul_up(layer.activation.lipschitz(), atom.off), norm_up(&radii));
    Atom { weight: atom.weight, location, off }
}

/// Appendix E: points times the masks `μ_j ∈ {0, 1/(1 − p)}`. The masks of the coordinates with the largest `Σ π c_j²` stay random, point by
/// point; the others are replaced by their mean 1: the squared distance is `p/(1 − p) Σ π c_j²`, summed over them. It is returned with
/// that of masses which are not quite `p` and `1 − p`.
fn masked(layer: &Hidden, mut points: Vec<Atom>, masks: usize) -> Option<(Vec<Atom>, f64, f64)> {
    let width = points.first()?.location.len();
    let room = (MOST_ATOMS / points.len()).checked_ilog2()? as usize;
    if masks > width.min(room) || (masks > 0 && layer.drop.hi == 0.0) {
        return None;
    }
    let mut squares = vec![0.0; width];
    for point in &points {
        for (sum, c) in squares.iter_mut().zip(&point.location) {
            *sum = add_up(*sum, mul_up(point.weight, mul_up(*c, *c)));
        }
    }
    let mut order: Vec<usize> = (0..width).collect();
    order.sort_by(|&i, &j| squares[j].total_cmp(&squares[i]).then(i.cmp(&j)));
    let (random, fixed) = order.split_at(masks);
    let dropped = mul_up(layer.drop.hi, fixed.iter().fold(0.0, |sum, &j| add_up(sum, squares[j])));
    let ((keep, radius), mut moved) = (layer.keep.center(), 0.0);
    for &j in random {
        let mut next = Vec::with_capacity(2 * points.len());
        for Atom { weight, location, off } in points {
            let kept = mul_up(location[j].abs(), layer.keep.hi);
            // Masses are multiples of 2⁻⁵³: what the dropped one is off by moves all the way.
            let gone = ((weight * (1.0 - 1.0 / keep) / U).round() * U).clamp(0.0, weight);
            moved = add_up(moved, mul_up(8.0 * U, mul_up(kept, kept)));
            let (mut without, mut with) = (location.clone(), location);
            let rounded = add_up(mul_up(with[j].abs(), radius), mul_up(U, kept));
            (without[j], with[j]) = (0.0, with[j] * keep);
            next.push(Atom { weight: gone, location: without, off });
            next.push(Atom { weight: weight - gone, location: with, off: add_up(off, rounded) });
        }
        next.retain(|atom: &Atom| atom.weight > 0.0);
        points = next;
    }
    Some((points, dropped, moved))
}
