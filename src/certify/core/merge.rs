//! Compression (Algorithm 3): components merged, and the mean squared distance of a component to where it goes.

use super::bures_distance::Reach;
use super::rounding::{U, add_up, larger, mul_up, plain_dot, smaller};
use super::stacked::{Stacked, factor};
use super::types::LayerWitness;
use crate::math::eigen::symmetric;

/// The clusters, and the mean squared distance of a component to its cluster, or as the coupling says. A coupling's masses are rounded
/// down where they are more than there is; what it leaves over goes where it costs most.
pub(super) fn merge(laws: &[Stacked], proposal: &LayerWitness) -> Option<(Vec<Stacked>, f64)> {
    let every: Vec<u32>;
    let labels = if proposal.labels.is_empty() {
        every = (0..laws.len() as u32).collect();
        &every
    } else {
        &proposal.labels
    };
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
    let mut cost = 0.0;
    if proposal.coupling.is_empty() {
        for (i, (law, &label)) in laws.iter().zip(labels).enumerate() {
            cost = add_up(cost, mul_up(law.weight, distance(i, label as usize)));
        }
        return Some((merged, cost));
    }
    // All masses are multiples of 2⁻⁵³, whose differences below 1 are not rounded.
    let mut rows: Vec<f64> = laws.iter().map(|law| law.weight).collect();
    let mut columns: Vec<f64> = merged.iter().map(|merged| merged.weight).collect();
    for &(i, c, mass) in &proposal.coupling {
        let (row, column) = (rows.get_mut(i as usize)?, columns.get_mut(c as usize)?);
        (mass >= 0.0).then_some(())?;
        let mass = (smaller(mass, smaller(*row, *column)) / U).floor() * U;
        *row -= mass;
        *column -= mass;
        cost = add_up(cost, mul_up(mass, distance(i as usize, c as usize)));
    }
    let left: f64 = rows.iter().sum();
    let open = |rest: &[f64]| (0..rest.len()).filter(|&k| rest[k] > 0.0).collect::<Vec<usize>>();
    let (from, to) = (open(&rows), open(&columns));
    let pairs = from.iter().flat_map(|&i| to.iter().map(move |&c| (i, c)));
    let worst = pairs.map(|(i, c)| distance(i, c)).fold(0.0, larger);
    Some((merged, add_up(cost, mul_up(left, worst))))
}

/// A cluster's Gaussian with its members' mean and covariance, up to rounding, which is nobody's loss: what is stored is the mixture
/// that the next steps and the distances are about.
fn merged(members: &[&Stacked]) -> Option<Stacked> {
    let (first, others) = members.split_first()?;
    // Multiples of 2⁻⁵³ up to 1: the sum is exact.
    let weight: f64 = members.iter().map(|member| member.weight).sum();
    let toward = |to: &mut [f64], share: f64, from: &[f64], own: &[f64]| {
        to.iter_mut().zip(from.iter().zip(own)).for_each(|(x, (a, b))| *x += share * (a - b));
    };
    let mut mean = first.mean.clone();
    others.iter().for_each(|member| toward(&mut mean, member.weight / weight, &member.mean, &first.mean));
    let mut factors = first.factors.clone();
    if others.iter().any(|member| member.factors != first.factors) {
        let (own, size) = (first.blocks(), first.size);
        let mut blocks = own.clone();
        others.iter().for_each(|member| toward(&mut blocks, member.weight / weight, &member.blocks(), &own));
        factors = blocks.chunks_exact(size * size).flat_map(|block| factor(block, size)).collect();
    }
    let column = |member: &&Stacked| {
        let root = (member.weight / weight).sqrt();
        member.mean.iter().zip(&mean).map(|(a, b)| root * (a - b)).collect::<Vec<f64>>()
    };
    let columns = members.iter().map(column).filter(|u| u.iter().any(|&x| x != 0.0)).collect();
    let columns = turned(columns, mean.len());
    Some(Stacked { weight, mean, size: first.size, factors, columns })
}

/// Orthogonal columns with nearly the same `UUᵀ`, not more than there are rows and the longest first.
fn turned(columns: Vec<Vec<f64>>, n: usize) -> Vec<Vec<f64>> {
    let r = columns.len();
    let small = r.min(n);
    let mut gram = vec![0.0; small * small];
    for p in 0..small {
        for q in 0..=p {
            let entry =
                if r <= n { plain_dot(&columns[p], &columns[q]) } else { columns.iter().map(|u| u[p] * u[q]).sum() };
            (gram[p * small + q], gram[q * small + p]) = (entry, entry);
        }
    }
    let Ok(found) = symmetric(&gram, small) else { return columns };
    let floor = 1e-15 * found.values.first().copied().unwrap_or(0.0);
    let kept = found.values.iter().zip(found.vectors.chunks_exact(small.max(1))).filter(|(value, _)| **value > floor);
    let column = |(value, vector): (&f64, &[f64])| {
        if r > n {
            return vector.iter().map(|x| value.sqrt() * x).collect();
        }
        let mut sum = vec![0.0; n];
        for (weight, u) in vector.iter().zip(&columns) {
            sum.iter_mut().zip(u).for_each(|(sum, x)| *sum += weight * x);
        }
        sum
    };
    kept.map(column).collect()
}
