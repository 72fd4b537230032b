//! Adaptive splitting: the neurons that are farthest from linear are cut (Lemma 4), ever finer, until the proven bound is as
//! small as asked for.

use super::moments::{Candidate, Moments, candidates};
use crate::certify::core::{
    Arriving, LayerWitness, MOST_POINTS, Network, Prepared, Proof, Shared, Split, Witness, prove_tight,
};
use crate::certify::record::Stop;
use crate::math::clusters::cluster;
use crate::{Error, Result};

/// Points that the prover takes for one cut.
const FINEST: usize = MOST_POINTS as usize;

/// Components may be left whole while together they lose less than this part of what the cut itself leaves over.
const SPARED: f64 = 0.25;

/// How many times finer the first layer is cut where its components are merged after it.
const FINER: usize = 4;

/// A neuron that is cut in the components of its layer where that pays, and into how many points.
#[derive(Clone, Copy, Debug)]
struct Cut<'a> {
    neuron: &'a Candidate,
    points: usize,
}

/// What is tried: cuts, and how many components may arrive at a layer, where they are merged.
struct Attempt<'a> {
    cuts: Vec<Cut<'a>>,
    merged: Option<usize>,
}

/// The witness of the smallest mixture found whose relative bound is at most `epsilon`; where there is none within `most`
/// components, the one with the smallest bound. With its proof, and why the search ended. It begins with `start`.
pub(crate) fn split(
    prepared: &Prepared,
    network: &Network,
    row: &[f64],
    start: (Witness, Proof),
    epsilon: f64,
    most: usize,
) -> Result<(Witness, Proof, Stop)> {
    let sharing = start.0.layers.first().map(|layer| layer.sharing.clone()).unwrap_or_default();
    let mut best = start;
    let mut stop = Stop::Stuck;
    let mut ranked = candidates(network, row);
    ranked.retain(|neuron| neuron.residual > 0.0 && neuron.cost > 0.0);
    ranked.sort_by(|a, b| b.residual.total_cmp(&a.residual));
    let mut budget = 2;
    while best.1.relative_bound > epsilon && budget <= most {
        let attempts: Vec<Attempt> =
            promising(&ranked, budget).into_iter().flat_map(|cuts| attempts(cuts, network, most)).collect();
        // Where a neuron is cut, the noise may no longer hold what the others borrow.
        let borrowing = attempts.iter().filter(|_| !sharing.is_empty()).map(|attempt| (attempt, sharing.as_slice()));
        for (attempt, sharing) in attempts.iter().map(|attempt| (attempt, &[][..])).chain(borrowing) {
            let propose = |layer: usize, arriving: &[Arriving<'_>]| {
                let proposal = attempt.at(network, sharing, layer, arriving)?;
                let made = proposal.splits.iter().map(|split| split.points as usize - 1).sum::<usize>();
                let fits = made + arriving.len() <= most;
                fits.then_some(proposal).ok_or_else(|| Error::Config("more components than allowed".to_owned()))
            };
            let Ok((found, witness)) = prove_tight(prepared, row, propose) else { continue };
            if found.relative_bound < best.1.relative_bound {
                best = (witness, found);
                stop = Stop::Components;
            }
        }
        // The last budget is all of it.
        budget = if budget < most { (2 * budget).min(most) } else { most + 1 };
    }
    let stop = if best.1.relative_bound <= epsilon { Stop::Epsilon } else { stop };
    Ok((best.0, best.1, stop))
}

/// The cuts as they are; and finer ones in the first layer, whose components are merged to as many as before.
fn attempts<'a>(cuts: Vec<Cut<'a>>, network: &Network, most: usize) -> Vec<Attempt<'a>> {
    let first: Vec<Cut> = cuts.iter().filter(|cut| cut.neuron.layer == 0).copied().collect();
    let count = components(&first);
    let plain = Attempt { cuts: cuts.clone(), merged: None };
    if count < 2 || network.layers.len() < 3 || count * FINER > most {
        return vec![plain];
    }
    let mut finer = cuts;
    if let Some(cut) = finer.iter_mut().filter(|cut| cut.neuron.layer == 0).max_by_key(|cut| cut.points) {
        cut.points = (cut.points * FINER).min(FINEST);
    }
    vec![plain, Attempt { cuts: finer, merged: Some(count) }]
}

impl Attempt<'_> {
    /// What is proposed for a layer, given what arrives there. Noise is not shared by neurons that are cut.
    fn at(
        &self,
        network: &Network,
        sharing: &[Shared],
        layer: usize,
        arriving: &[Arriving<'_>],
    ) -> Result<LayerWitness> {
        let cuts: Vec<&Cut> = self.cuts.iter().filter(|cut| cut.neuron.layer == layer).collect();
        let mut proposal = LayerWitness::default();
        if layer == 0 {
            let whole = |shared: &&Shared| cuts.iter().all(|cut| cut.neuron.coordinate != shared.neuron as usize);
            proposal.sharing = sharing.iter().filter(whole).copied().collect();
        }
        match self.merged.filter(|&count| layer > 0 && count < arriving.len()) {
            Some(count) => {
                let means: Vec<f64> = arriving.iter().flat_map(|c| c.mean.iter().copied()).collect();
                let weights: Vec<f64> = arriving.iter().map(|c| c.weight).collect();
                let width = network.layers.get(layer).map_or(0, |layer| layer.outputs);
                let found = cluster(&means, width, &weights, count)?.labels;
                let clusters = found.iter().max().map_or(0, |&last| last as usize + 1);
                // Any member tells where a cluster is: where a cut pays is a guess.
                let nearest = |label: usize| found.iter().position(|&own| own as usize == label);
                let merged: Vec<Arriving> = (0..clusters).filter_map(nearest).map(|c| arriving[c]).collect();
                proposal.splits = splits(&cuts, network, layer, &merged);
                proposal.labels = found;
            }
            None => proposal.splits = splits(&cuts, network, layer, arriving),
        }
        Ok(proposal)
    }
}

/// The cuts of the components in which they pay, one neuron after the other.
fn splits(cuts: &[&Cut<'_>], network: &Network, layer: usize, arriving: &[Arriving<'_>]) -> Vec<Split> {
    let activation = network.layers.get(layer).map_or("", |layer| layer.activation.as_str());
    let mut from: Vec<(&Arriving, f64)> = arriving.iter().map(|component| (component, component.weight)).collect();
    let mut splits = Vec::new();
    for cut in cuts {
        let j = cut.neuron.coordinate;
        // What is not linear, and what makes the weights' noise vary.
        let gains = |(component, weight): &(&Arriving, f64)| {
            let moments = Moments::of(activation, component.mean[j], component.variances[j].max(0.0).sqrt());
            [weight * moments.residual, weight * moments.square_variance]
        };
        let gains: Vec<[f64; 2]> = from.iter().map(gains).collect();
        for component in worth_cutting(&gains, SPARED * distortion(cut.points)) {
            let (points, place) = (cut.points, from[component]);
            splits.push(Split { component: component as u32, coordinate: j as u32, points: points as u32 });
            let part = (place.0, place.1 / points as f64);
            from[component] = part;
            from.extend((1..points).map(|_| part));
        }
    }
    splits
}

/// All components but those whose gains together are at most `spared` of the whole, of either kind; in order.
fn worth_cutting(gains: &[[f64; 2]], spared: f64) -> Vec<usize> {
    let mut worth = vec![false; gains.len()];
    for kind in 0..2 {
        let mut order: Vec<usize> = (0..gains.len()).collect();
        order.sort_by(|&a, &b| gains[a][kind].total_cmp(&gains[b][kind]));
        let most = spared * gains.iter().map(|gain| gain[kind]).sum::<f64>();
        let mut left = 0.0;
        for component in order {
            left += gains[component][kind];
            worth[component] |= left > most;
        }
    }
    (0..gains.len()).filter(|&component| worth[component]).collect()
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
