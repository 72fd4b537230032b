//! Proposals for the paper's method: clusters of components by M-means, points of signatures by the exact allocation (Eqn 31), masks as far
//! as the points allow. Nothing here is trusted.

use crate::certify::core::{LayerWitness, Method, Prepared, Proof, Stacked, Witness, prove_paper};
use crate::math::allocation::{allocate, most_cut};
use crate::math::clusters::cluster;
use crate::math::factors::{merged, squares};
use crate::math::principal::principal;
use crate::{Error, Result};

/// Axes of a cross.
pub const MOST_AXES: usize = 256;

/// Eigenvalues below this part of the largest are rounding, not directions.
const DEGENERATE: f64 = 1e-12;

/// How coarse the mixture may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaperSettings {
    /// At most so many points for every component's signature (`N`).
    pub points: usize,
    /// At most so many components after compression (`M`).
    pub components: usize,
    /// Points on crosses (Algorithm 5) in place of grids: two or more on every axis, even where that is more than `points`.
    pub cross: bool,
}

/// Algorithms 1 to 3 for one deterministic input, or for the joint law at several: proposes layer by layer, proves, and returns the proof
/// with its witness.
///
/// # Errors
/// Those of [`prove_paper`]; [`Error::Config`] for 0 points or components.
pub fn certify_paper(prepared: &Prepared, inputs: &[&[f64]], settings: PaperSettings) -> Result<(Proof, Witness)> {
    let method = if settings.cross { Method::PaperCross } else { Method::PaperGrid };
    prove_paper(prepared, inputs, method, |index, arriving| {
        let mut witness = propose(arriving, settings)?;
        // A cross has no room for masks beside its points.
        if prepared.drops(index) && !settings.cross {
            witness.masks = masks(&witness.shapes, settings.points);
        }
        Ok(witness)
    })
}

/// Clusters and shapes for the components that arrive at a layer.
///
/// # Errors
/// [`Error::Config`] for 0 points or components; [`Error::Numeric`] for numbers that are not finite.
pub fn propose(arriving: &[Stacked], settings: PaperSettings) -> Result<LayerWitness> {
    let width = arriving.first().map_or(0, |component| component.mean.len());
    // Points that a dead layer maps to one place are one point: nothing is lost between them, and M-means need not look.
    let mut distinct: Vec<&Stacked> = Vec::new();
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
    let shapes = match settings.cross {
        true => crosses(arriving, &labels, settings.points)?,
        false => shapes(arriving, &labels, settings.points)?,
    };
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
pub fn shapes(arriving: &[Stacked], labels: &[u32], points: usize) -> Result<Vec<Vec<u32>>> {
    if labels.len() != arriving.len() {
        let (expected, got) = (format!("{} labels", arriving.len()), labels.len().to_string());
        return Err(Error::Shape { op: "shapes of signatures", expected, got });
    }
    let shape = |values: Vec<f64>| {
        let mut shape = allocate(&values, points)?;
        shape.truncate(shape.iter().rposition(|&n| n > 1).map_or(0, |last| last + 1));
        Ok(shape)
    };
    spectra(arriving, labels, most_cut(points))?.into_iter().map(shape).collect()
}

/// Axes and shells of every cluster's cross (Algorithm 4): all axes along which it varies, and as many shells as the points allow.
fn crosses(arriving: &[Stacked], labels: &[u32], points: usize) -> Result<Vec<Vec<u32>>> {
    let shape = |values: Vec<f64>| {
        let axes = values.iter().filter(|value| **value > 0.0).count();
        vec![axes as u32, (points / (2 * axes.max(1))).clamp(1, 1000) as u32]
    };
    Ok(spectra(arriving, labels, MOST_AXES)?.into_iter().map(shape).collect())
}

/// The `count` largest eigenvalues of every cluster's covariance; those that are rounding are 0.
fn spectra(arriving: &[Stacked], labels: &[u32], count: usize) -> Result<Vec<Vec<f64>>> {
    let clusters = labels.iter().max().map_or(0, |&last| last + 1);
    let spectrum = |label: u32| {
        let members = arriving.iter().zip(labels).filter(|(_, own)| **own == label).map(|(component, _)| component);
        let mut values = eigenvalues(&members.collect::<Vec<_>>(), count)?;
        let floor = DEGENERATE * values.first().copied().unwrap_or(0.0);
        values.iter_mut().filter(|value| **value <= floor).for_each(|value| *value = 0.0);
        Ok(values)
    };
    (0..clusters).map(spectrum).collect()
}

/// The `count` largest eigenvalues of a cluster's covariance, descending.
fn eigenvalues(members: &[&Stacked], count: usize) -> Result<Vec<f64>> {
    let parts: Vec<_> = members.iter().map(|m| (m.weight, &m.mean[..], &m.factors[..])).collect();
    let Some(size) = members.first().map(|member| member.size) else { return Ok(Vec::new()) };
    let Some(mut found) = merged(&parts, size) else { return Ok(Vec::new()) };
    let within: f64 = found.factors.iter().map(|f| f * f).sum();
    let between: f64 = found.columns.iter().flatten().map(|x| x * x).sum();
    if between <= DEGENERATE * within {
        found.columns.clear();
    }
    Ok(principal(&squares(&found.factors, size), size, &found.columns, count)?.values)
}
