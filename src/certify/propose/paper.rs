//! Proposals for the paper's method: clusters of components by M-means, points of signatures by the exact allocation (Eqn 31), masks as far
//! as the points allow. Nothing here is trusted.

use crate::certify::core::{Arriving, LayerWitness, Prepared, Proof, Witness, prove_paper};
use crate::math::allocation::{allocate, most_cut};
use crate::math::clusters::cluster;
use crate::math::principal::principal;
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

/// Algorithms 1 to 3 for one deterministic input, or for the joint law at several: proposes layer by layer, proves, and returns the proof
/// with its witness.
///
/// # Errors
/// Those of [`prove_paper`]; [`Error::Config`] for 0 points or components.
pub fn certify_paper(prepared: &Prepared, inputs: &[&[f64]], settings: PaperSettings) -> Result<(Proof, Witness)> {
    prove_paper(prepared, inputs, |index, arriving| {
        let mut witness = propose(arriving, settings)?;
        if prepared.drops(index) {
            witness.masks = masks(&witness.shapes, settings.points);
        }
        Ok(witness)
    })
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

/// Masks that may stay random: `⌊log₂ N/n⌋` for `n` points where there may be `N` (Appendix E).
fn masks(shapes: &[Vec<u32>], points: usize) -> u32 {
    let used: usize = shapes.iter().map(|shape| shape.iter().map(|&n| n as usize).product::<usize>()).sum();
    (points.saturating_mul(shapes.len()) / used.max(1)).checked_ilog2().unwrap_or(0)
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
    let weight: f64 = members.iter().map(|member| member.weight).sum();
    let own = blocks(first);
    let (mut mean, mut within) = (first.mean.to_vec(), own.clone());
    for member in &members[1..] {
        let share = member.weight / weight;
        mean.iter_mut().zip(member.mean.iter().zip(first.mean)).for_each(|(x, (a, b))| *x += share * (a - b));
        if member.factors != first.factors {
            within.iter_mut().zip(blocks(member).iter().zip(&own)).for_each(|(x, (a, b))| *x += share * (a - b));
        }
    }
    let column = |member: &&Arriving<'_>| {
        let root = (member.weight / weight).sqrt();
        member.mean.iter().zip(&mean).map(|(x, m)| root * (x - m)).collect::<Vec<f64>>()
    };
    let mut columns: Vec<Vec<f64>> = members.iter().map(column).collect();
    let trace: f64 = first.factors.iter().map(|f| f * f).sum();
    let between: f64 = columns.iter().flatten().map(|x| x * x).sum();
    if between <= DEGENERATE * trace {
        columns.clear();
    }
    Ok(principal(&within, first.size, &columns, count)?.values)
}

/// `FFᵀ` of every block.
fn blocks(component: &Arriving<'_>) -> Vec<f64> {
    let size = component.size;
    if size == 1 {
        return component.factors.iter().map(|f| f * f).collect();
    }
    let mut blocks = Vec::with_capacity(component.factors.len());
    for factor in component.factors.chunks_exact(size * size) {
        for row in factor.chunks_exact(size) {
            blocks
                .extend(factor.chunks_exact(size).map(|other| row.iter().zip(other).map(|(x, y)| x * y).sum::<f64>()));
        }
    }
    blocks
}
