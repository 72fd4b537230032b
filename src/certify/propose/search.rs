//! Adaptive splitting: neurons are cut (Lemma 4) one after the other, always the one whose cut lowers the proven bound
//! most for the components it takes.

use super::moments::{Candidate, candidates};
use super::plain;
use crate::Result;
use crate::certify::core::{LayerWitness, Network, Prepared, Proof, Split, Witness, prove};
use crate::certify::record::Stop;

/// Neurons that are tried in each round, over all layers.
const TRIED: usize = 4;

/// Points that a cut may have.
const POINTS: [usize; 16] = [2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256, 512, 1000];

/// A neuron that is cut in every component of its layer, and into how many points.
#[derive(Clone, Copy, Debug)]
struct Cut {
    layer: usize,
    coordinate: usize,
    points: usize,
}

/// The best witness found with at most `most` components, its proof, and why the search ended: the relative bound is at
/// most `epsilon`, the components are spent, or no cut helps.
pub(crate) fn split(
    prepared: &Prepared,
    network: &Network,
    row: &[f64],
    epsilon: f64,
    most: usize,
) -> Result<(Witness, Proof, Stop)> {
    let mut witness = plain(network);
    let mut proof = prove(prepared, row, &witness)?;
    let mut cuts: Vec<Cut> = Vec::new();
    let mut ranked = candidates(network, row);
    ranked.sort_by(|a, b| b.residual.total_cmp(&a.residual));
    while proof.relative_bound > epsilon {
        let mut best: Option<(f64, Vec<Cut>, Witness, Proof)> = None;
        for candidate in promising(&ranked, &cuts, most) {
            for next in moves(&cuts, candidate, most) {
                let attempt = witness_of(network, &next);
                let Ok(found) = prove(prepared, row, &attempt) else { continue };
                let growth = (components(&next) as f64 / components(&cuts) as f64).ln();
                let gain = (proof.relative_bound / found.relative_bound).ln() / growth;
                if gain > 0.0 && best.as_ref().is_none_or(|(most, ..)| gain > *most) {
                    best = Some((gain, next, attempt, found));
                }
            }
        }
        let Some((_, next, attempt, found)) = best else {
            let spent = components(&cuts) * POINTS[0] > most;
            return Ok((witness, proof, if spent { Stop::Components } else { Stop::Stuck }));
        };
        (cuts, witness, proof) = (next, attempt, found);
    }
    Ok((witness, proof, Stop::Epsilon))
}

fn components(cuts: &[Cut]) -> usize {
    cuts.iter().map(|cut| cut.points).product()
}

/// The neurons to try: those cut already, which may be cut finer, and of the others those that may pay at all. A cut of
/// `n` points costs at least `√D(n)` of its cost, with `D(n)` near `√3 π / 2 n²`, and removes at most what its layer's own
/// error loses with it.
fn promising<'a>(ranked: &'a [Candidate], cuts: &[Cut], most: usize) -> Vec<&'a Candidate> {
    let room = most / components(cuts);
    let finest = 1.65 / room.clamp(1, 1000) as f64;
    let is_cut = |c: &Candidate| cuts.iter().any(|cut| (cut.layer, cut.coordinate) == (c.layer, c.coordinate));
    let pays = |c: &Candidate| {
        let others = (c.layer_residual - c.residual).max(0.0).sqrt();
        c.layer_residual.sqrt() - others > finest * c.cost.sqrt()
    };
    let fresh = ranked.iter().filter(|c| !is_cut(c) && pays(c)).take(TRIED);
    ranked.iter().filter(|c| is_cut(c)).chain(fresh).collect()
}

/// What becomes of `cuts` when the neuron is cut, or cut finer, within `most` components.
fn moves(cuts: &[Cut], candidate: &Candidate, most: usize) -> Vec<Vec<Cut>> {
    let at = cuts.iter().position(|cut| (cut.layer, cut.coordinate) == (candidate.layer, candidate.coordinate));
    let now = at.map_or(1, |at| cuts[at].points);
    let room = most / (components(cuts) / now);
    let with = |points: usize| {
        let mut next = cuts.to_vec();
        match at {
            Some(at) => next[at].points = points,
            None => next.push(Cut { layer: candidate.layer, coordinate: candidate.coordinate, points }),
        }
        next
    };
    POINTS.into_iter().filter(|&points| points > now && points <= room).map(with).collect()
}

/// Every component of a layer is cut alike, one neuron after the other.
fn witness_of(network: &Network, cuts: &[Cut]) -> Witness {
    let mut witness = plain(network);
    let mut count = 1;
    for (layer, LayerWitness { splits, .. }) in witness.layers.iter_mut().enumerate() {
        for cut in cuts.iter().filter(|cut| cut.layer == layer) {
            for component in 0..count {
                let (component, coordinate) = (component as u32, cut.coordinate as u32);
                splits.push(Split { component, coordinate, points: cut.points as u32 });
            }
            count *= cut.points;
        }
    }
    witness
}
