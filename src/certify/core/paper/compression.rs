//! Compression (Algorithm 3): components merged, and the mean squared distance of a component to where it goes.

use super::super::rounding::{U, add_up, larger, mul_up, smaller};
use super::super::types::LayerWitness;
use super::bures_distance::Reach;
use super::stacked::Stacked;
use crate::math::factors;

/// The clusters, and the mean squared distance of a component to its cluster, or as the coupling says. A coupling's masses are cut down
/// to what there is; what it leaves over goes where it costs most.
pub(super) fn compress(laws: &[Stacked], proposal: &LayerWitness) -> Option<(Vec<Stacked>, f64)> {
    let every: Vec<u32> = (0..laws.len() as u32).collect();
    let labels = if proposal.labels.is_empty() { &every } else { &proposal.labels };
    let clusters = labels.iter().max().map_or(0, |&last| last as usize + 1);
    if labels.len() != laws.len() || clusters > labels.len() {
        return None;
    }
    let mut members = vec![Vec::new(); clusters];
    laws.iter().zip(labels).for_each(|(law, &label)| members[label as usize].push(law));
    let merged: Vec<Stacked> = members.iter().map(|members| merged(members)).collect::<Option<_>>()?;
    let reach: Vec<Reach<'_>> = merged.iter().map(Reach::new).collect();
    let distance = |i: usize, c: usize| {
        let alone = members[c].len() == 1 && labels[i] as usize == c;
        if alone { 0.0 } else { reach[c].distance_squared(&laws[i]) }
    };
    let own = laws.iter().zip(labels).enumerate().map(|(i, (law, &label))| (i as u32, label, law.weight));
    let own: Vec<(u32, u32, f64)> = own.collect();
    let coupling = if proposal.coupling.is_empty() { &own } else { &proposal.coupling };
    // All masses are multiples of 2⁻⁵³, whose differences below 1 are not rounded.
    let mut rows: Vec<f64> = laws.iter().map(|law| law.weight).collect();
    let mut columns: Vec<f64> = merged.iter().map(|merged| merged.weight).collect();
    let mut cost = 0.0;
    for &(i, c, mass) in coupling {
        let (row, column) = (rows.get_mut(i as usize)?, columns.get_mut(c as usize)?);
        (mass >= 0.0).then_some(())?;
        let mass = (smaller(mass, smaller(*row, *column)) / U).floor() * U;
        *row -= mass;
        *column -= mass;
        cost = add_up(cost, mul_up(mass, distance(i as usize, c as usize)));
    }
    let open = |rest: &[f64]| (0..rest.len()).filter(|&k| rest[k] > 0.0).collect::<Vec<usize>>();
    let (from, to) = (open(&rows), open(&columns));
    let pairs = from.iter().flat_map(|&i| to.iter().map(move |&c| (i, c)));
    let worst = pairs.map(|(i, c)| distance(i, c)).fold(0.0, larger);
    Some((merged, add_up(cost, mul_up(rows.iter().sum(), worst))))
}

/// A cluster's Gaussian with its members' mean and covariance, up to rounding, which is nobody's loss: what is stored is the mixture
/// that the next steps and the distances are about.
fn merged(members: &[&Stacked]) -> Option<Stacked> {
    let size = members.first()?.size;
    let parts: Vec<_> = members.iter().map(|m| (m.weight, &m.mean[..], &m.factors[..])).collect();
    let factors::Merged { mean, factors, columns } = factors::merged(&parts, size)?;
    // Multiples of 2⁻⁵³ up to 1: the sum is exact.
    let weight = members.iter().map(|member| member.weight).sum();
    Some(Stacked { weight, mean, size, factors, columns })
}
