//! Compression of a mixture by merging components (Algorithm 3): a cluster becomes the Gaussian with its moments,
//!
//! `π = Σ π_i`, `m = Σ π_i m_i/π`, `S = Σ π_i (S_i + (m_i − m)(m_i − m)ᵀ)/π`,
//!
//! which keeps the mixture's mean and covariance.

use super::mixture::Components;
use crate::{Error, Result};

/// A compressed mixture.
#[derive(Clone, Debug, PartialEq)]
pub struct Compressed {
    /// `[clusters]`.
    pub weights: Vec<f64>,
    /// `[clusters, width]`.
    pub means: Vec<f64>,
    /// `[clusters, width, width]`.
    pub covariances: Vec<f64>,
}

/// Merges the components with equal labels; cluster `k` of the result is that of label `k`. A cluster of weight 0 takes the moments of
/// its first component.
///
/// # Errors
/// [`Error::Shape`] when there is not one label for each component or a label between is not used.
pub fn merge(mixture: Components<'_>, labels: &[u32]) -> Result<Compressed> {
    let (width, size) = (mixture.width(), mixture.width() * mixture.width());
    let clusters = labels.iter().map(|&label| label as usize + 1).max().unwrap_or(0);
    let mut first = vec![None; clusters];
    for (c, &label) in labels.iter().enumerate().rev() {
        first[label as usize] = Some(c);
    }
    let first: Option<Vec<usize>> = first.into_iter().collect();
    let (Some(first), true) = (first, labels.len() == mixture.weights().len()) else {
        let expected = format!("a label for each of {} components, none left out", mixture.weights().len());
        return Err(Error::Shape {
            op: "compression",
            expected,
            got: format!("{} labels up to {clusters}", labels.len()),
        });
    };
    let mut weights = vec![0.0; clusters];
    for (&label, weight) in labels.iter().zip(mixture.weights()) {
        weights[label as usize] += weight;
    }
    let share = |c: usize, label: usize| match weights[label] {
        0.0 => f64::from(u8::from(first[label] == c)),
        total => mixture.weights()[c] / total,
    };
    let mut means = vec![0.0; clusters * width];
    for (c, &label) in labels.iter().enumerate() {
        let (label, mean) = (label as usize, mixture.mean(c));
        let share = share(c, label);
        means[label * width..][..width].iter_mut().zip(mean).for_each(|(sum, x)| *sum += share * x);
    }
    let mut covariances = vec![0.0; clusters * size];
    for (c, &label) in labels.iter().enumerate() {
        let label = label as usize;
        let share = share(c, label);
        let apart: Vec<f64> = mixture.mean(c).iter().zip(&means[label * width..]).map(|(x, m)| x - m).collect();
        let (into, from) = (&mut covariances[label * size..][..size], mixture.covariance(c));
        for ((sum, row), x) in into.chunks_exact_mut(width).zip(from.chunks_exact(width)).zip(&apart) {
            sum.iter_mut().zip(row.iter().zip(&apart)).for_each(|(sum, (s, y))| *sum += share * (s + x * y));
        }
    }
    Ok(Compressed { weights, means, covariances })
}
