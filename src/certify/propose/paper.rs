//! Proposals for the paper's method: clusters of components by M-means, points of signatures by the exact allocation (Eqn 31).
//! Nothing here is trusted.

use crate::certify::core::{Arriving, LayerWitness, Prepared, Proof, Witness, prove_paper};
use crate::math::allocation::{allocate, most_cut};
use crate::math::clusters::cluster;
use crate::math::leading::leading;
use crate::{Error, Result};

/// Eigenvalues below this part of the largest are rounding, not directions.
const DEGENERATE: f64 = 1e-12;

/// How coarse the mixture may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaperSettings {
    /// At most so many points for every component's signature (`N`).
    pub points: usize,
    /// At most so many components after compression (`M`).
    pub components: usize,
}

/// Algorithms 1 to 3 for one deterministic input: proposes layer by layer, proves, and returns the proof with its witness.
///
/// # Errors
/// Those of [`prove_paper`]; [`Error::Config`] for 0 points or components.
pub fn certify_paper(prepared: &Prepared, input: &[f64], settings: PaperSettings) -> Result<(Proof, Witness)> {
    prove_paper(prepared, input, |_, arriving| propose(arriving, settings))
}

/// Clusters and shapes for the components that arrive at a layer.
///
/// # Errors
/// [`Error::Config`] for 0 points or components; [`Error::Numeric`] for numbers that are not finite.
pub fn propose(arriving: &[Arriving<'_>], settings: PaperSettings) -> Result<LayerWitness> {
    let width = arriving.first().map_or(0, |component| component.mean.len());
    // Points that a dead layer maps to one place are one point: nothing is lost between them, and M-means need not look.
    let mut distinct: Vec<&Arriving<'_>> = Vec::new();
    let mut weights: Vec<f64> = Vec::new();
    let mut places = Vec::with_capacity(arriving.len());
    for component in arriving {
        let place = distinct.iter().position(|known| known.mean == component.mean).unwrap_or(distinct.len());
        if place == distinct.len() {
            distinct.push(component);
            weights.push(0.0);
        }
        weights[place] += component.weight;
        places.push(place);
    }
    let means: Vec<f64> = distinct.iter().flat_map(|component| component.mean.iter().copied()).collect();
    let found = cluster(&means, width, &weights, settings.components)?.labels;
    let labels: Vec<u32> = places.into_iter().map(|place| found[place]).collect();
    let shapes = shapes(arriving, &labels, settings.points)?;
    Ok(LayerWitness { labels, shapes, ..LayerWitness::default() })
}

/// The shape of every cluster's signature: points along its leading eigenvectors, the largest eigenvalue's first.
///
/// # Errors
/// [`Error::Shape`] when there is not one label for each component; [`Error::Config`] for 0 points; [`Error::Numeric`] for numbers
/// that are not finite.
pub fn shapes(arriving: &[Arriving<'_>], labels: &[u32], points: usize) -> Result<Vec<Vec<u32>>> {
    if labels.len() != arriving.len() {
        let (expected, got) = (format!("{} labels", arriving.len()), labels.len().to_string());
        return Err(Error::Shape { op: "shapes of signatures", expected, got });
    }
    let clusters = labels.iter().max().map_or(0, |&last| last + 1);
    (0..clusters)
        .map(|label| {
            let members = arriving.iter().zip(labels).filter(|(_, own)| **own == label).map(|(component, _)| component);
            let mut values = eigenvalues(&members.collect::<Vec<_>>(), most_cut(points))?;
            let floor = DEGENERATE * values.first().copied().unwrap_or(0.0);
            values.iter_mut().filter(|value| **value <= floor).for_each(|value| *value = 0.0);
            let mut shape = allocate(&values, points)?;
            shape.truncate(shape.iter().rposition(|&n| n > 1).map_or(0, |last| last + 1));
            Ok(shape)
        })
        .collect()
}

/// The `count` largest eigenvalues of a cluster's covariance, descending.
fn eigenvalues(members: &[&Arriving<'_>], count: usize) -> Result<Vec<f64>> {
    let Some(first) = members.first() else { return Ok(Vec::new()) };
    let n = first.mean.len();
    let weight: f64 = members.iter().map(|member| member.weight).sum();
    let mut mean = first.mean.to_vec();
    let mut variances = first.variances.to_vec();
    for member in members {
        let share = member.weight / weight;
        for j in 0..n {
            mean[j] += share * (member.mean[j] - first.mean[j]);
            variances[j] += share * (member.variances[j] - first.variances[j]);
        }
    }
    let apart = |member: &&Arriving<'_>| {
        let squares: f64 = member.mean.iter().zip(&mean).map(|(x, m)| (x - m) * (x - m)).sum();
        squares * member.weight / weight
    };
    if members.iter().map(apart).sum::<f64>() <= DEGENERATE * variances.iter().sum::<f64>() {
        variances.sort_by(|a, b| b.total_cmp(a));
        variances.truncate(count);
        return Ok(variances);
    }
    let mut covariance = vec![0.0; n * n];
    for member in members {
        let share = member.weight / weight;
        let from: Vec<f64> = member.mean.iter().zip(&mean).map(|(x, m)| x - m).collect();
        for (row, along) in covariance.chunks_exact_mut(n).zip(&from) {
            row.iter_mut().zip(&from).for_each(|(sum, x)| *sum += share * along * x);
        }
    }
    variances.iter().enumerate().for_each(|(j, v)| covariance[j * n + j] += v);
    let found = leading(&covariance, n, count.min(n))?.values;
    Ok(found.into_iter().map(|value| value.max(0.0)).collect())
}
