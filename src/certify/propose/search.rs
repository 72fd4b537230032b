//! Adaptive splitting: the neurons that are farthest from linear are cut (Lemma 4), ever finer, until the proven bound is as
//! small as asked for.

use super::moments::{Candidate, candidates};
use super::plain;
use crate::Result;
use crate::certify::core::{Network, Prepared, Proof, Split, Witness, prove};
use crate::certify::record::Stop;

/// Points that the prover takes for one cut.
const FINEST: usize = 1000;

/// A neuron that is cut in every component of its layer, and into how many points.
#[derive(Clone, Copy, Debug)]
struct Cut<'a> {
    neuron: &'a Candidate,
    points: usize,
}

/// The witness of the smallest mixture found whose relative bound is at most `epsilon`; where there is none within `most`
/// components, the one with the smallest bound. With its proof, and why the search ended.
pub(crate) fn split(
    prepared: &Prepared,
    network: &Network,
    row: &[f64],
    start: (Witness, Proof),
    epsilon: f64,
    most: usize,
) -> Result<(Witness, Proof, Stop)> {
    let mut best = start;
    let mut stop = Stop::Stuck;
    let mut ranked = candidates(network, row);
    ranked.retain(|neuron| neuron.residual > 0.0 && neuron.cost > 0.0);
    ranked.sort_by(|a, b| b.residual.total_cmp(&a.residual));
    let mut budget = 2;
    while best.1.relative_bound > epsilon && budget <= most {
        for cuts in promising(&ranked, budget) {
            let attempt = witness_of(network, &cuts);
            let Ok(found) = prove(prepared, row, &attempt) else { continue };
            if found.relative_bound < best.1.relative_bound {
                best = (attempt, found);
                stop = Stop::Components;
            }
        }
        // The last budget is all of it.
        budget = if budget < most { (2 * budget).min(most) } else { most + 1 };
    }
    let stop = if best.1.relative_bound <= epsilon { Stop::Epsilon } else { stop };
    Ok((best.0, best.1, stop))
}

/// The cuts of the first one, two, three … neurons that may pay within `budget` components: the number that promises most,
/// and its neighbours. None where no number promises anything, as in wide networks, whose error many neurons share.
fn promising<'a>(ranked: &'a [Candidate], budget: usize) -> Vec<Vec<Cut<'a>>> {
    let most = ranked.len().min(budget.ilog2() as usize);
    let choices: Vec<Vec<Cut>> = (1..=most).map(|count| allocate(&ranked[..count], budget)).collect();
    let gains: Vec<f64> = choices.iter().map(|cuts| promise(cuts)).collect();
    let Some(best) = (0..gains.len()).max_by(|&a, &b| gains[a].total_cmp(&gains[b])).filter(|&at| gains[at] > 0.0)
    else {
        return Vec::new();
    };
    let near = |at: usize| at.abs_diff(best) <= 1;
    choices.into_iter().enumerate().filter(|(at, _)| near(*at)).map(|(_, cuts)| cuts).collect()
}

/// What the layers' own errors lose by the cuts, less what the cuts cost. Errors are not carried to the output here.
fn promise(cuts: &[Cut]) -> f64 {
    let mut layers: Vec<usize> = cuts.iter().map(|cut| cut.neuron.layer).collect();
    layers.sort_unstable();
    layers.dedup();
    let gain = |&layer: &usize| {
        let here = || cuts.iter().filter(move |cut| cut.neuron.layer == layer);
        let whole = here().next().map_or(0.0, |cut| cut.neuron.layer_residual);
        let rest = (whole - here().map(|cut| cut.neuron.residual).sum::<f64>()).max(0.0);
        let cost: f64 = here().map(|cut| distortion(cut.points) * cut.neuron.cost).sum();
        whole.sqrt() - rest.sqrt() - cost.sqrt()
    };
    layers.iter().map(gain).sum()
}

/// The squared error of an optimal quantizer of N(0,1), to a few per cent.
fn distortion(points: usize) -> f64 {
    2.72 / (points as f64 + 0.86).powi(2)
}

/// Two points for each neuron, then one more where it saves most for the components it takes, as long as the budget lasts.
fn allocate<'a>(neurons: &'a [Candidate], budget: usize) -> Vec<Cut<'a>> {
    let mut cuts: Vec<Cut> = neurons.iter().map(|neuron| Cut { neuron, points: 2 }).collect();
    loop {
        let whole = components(&cuts);
        let saving = |cut: &Cut| {
            let saved = (distortion(cut.points) - distortion(cut.points + 1)) * cut.neuron.cost;
            saved / (1.0 + 1.0 / cut.points as f64).ln()
        };
        let fits = |cut: &Cut| cut.points < FINEST && whole / cut.points * (cut.points + 1) <= budget;
        let next = cuts.iter_mut().filter(|cut| fits(cut)).max_by(|a, b| saving(a).total_cmp(&saving(b)));
        match next {
            Some(cut) => cut.points += 1,
            None => return cuts,
        }
    }
}

fn components(cuts: &[Cut]) -> usize {
    cuts.iter().map(|cut| cut.points).product()
}

/// Every component of a layer is cut alike, one neuron after the other.
fn witness_of(network: &Network, cuts: &[Cut]) -> Witness {
    let mut witness = plain(network);
    let mut count = 1;
    for (layer, hidden) in witness.layers.iter_mut().enumerate() {
        for cut in cuts.iter().filter(|cut| cut.neuron.layer == layer) {
            let (coordinate, points) = (cut.neuron.coordinate as u32, cut.points as u32);
            hidden.splits.extend((0..count).map(|component| Split { component, coordinate, points }));
            count *= points;
        }
    }
    witness
}
