//! What samples say of the distance. It is no part of the proof.

use std::ops::RangeInclusive;

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use rayon::slice::ParallelSlice;
use serde::{Deserialize, Serialize};

use super::core::matrix::{product, transposed};
use super::core::{Mixture, Network};
use super::sample::{self, Stream};
use crate::Result;
use crate::math::leading::leading;
use crate::math::{gaussian_w2, transport};

/// Numbers of samples that make sense: fewer say nothing, more take exact transport too long.
pub(super) const RANGE: RangeInclusive<usize> = 10..=5000;

/// Probability with which [`Empirical::lower`] holds, and the resamplings that find it.
const CONFIDENCE: f64 = 0.95;
const RESAMPLINGS: usize = 200;

/// Dimensions in which moments are compared, at most: for more outputs, the axes along which the mixture varies most.
const MOST_AXES: usize = 32;

/// Distances measured between samples of the network's true output law and of the mixture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Empirical {
    /// Samples of each law.
    pub samples: usize,
    /// W2 between the two samples, by exact transport. Its expectation is above the true distance.
    pub distance: f64,
    /// W2 between two samples of the true law: what `distance` would be about if the laws were equal.
    pub floor: f64,
    /// A lower limit of the true distance from the first two moments (Gelbrich), at `confidence`; of more than 32 outputs, along the 32 axes
    /// on which the mixture varies most.
    pub lower: f64,
    /// Probability with which `lower` holds.
    pub confidence: f64,
}

/// Measures with `n` samples of each law, of the outputs at all `rows` under the same weights; also returns the samples `[n, D]` of the true
/// law. Equal seeds and input numbers give equal samples.
///
/// # Errors
/// As for [`sample::outputs`]; what the transport and the matrix roots report.
pub fn measure(
    network: &Network,
    rows: &[&[f64]],
    mixture: &Mixture,
    n: usize,
    [seed, input]: [u64; 2],
) -> Result<(Empirical, Vec<f64>)> {
    let stream = |which: u64| Stream { seed, number: input << 2 | which };
    let (width, mut law) = (mixture.width, sample::outputs(network, rows, 2 * n, stream(0))?);
    let drawn = sample::mixture(mixture, n, stream(1));
    let (first, second) = law.split_at(n * width);
    let (distance, floor) = (distance(first, &drawn, width)?, self::distance(first, second, width)?);
    let lower = lower_limit(&law, mixture, stream(2))?;
    law.truncate(n * width);
    Ok((Empirical { samples: n, distance, floor, lower, confidence: CONFIDENCE }, law))
}

/// W2 between two samples of equal size.
fn distance(a: &[f64], b: &[f64], width: usize) -> Result<f64> {
    let squared = |p: &[f64], q: &[f64]| p.iter().zip(q).map(|(p, q)| (p - q) * (p - q)).sum::<f64>();
    let rows = a.par_chunks_exact(width);
    let cost: Vec<f64> = rows.flat_map_iter(|p| b.chunks_exact(width).map(move |q| squared(p, q))).collect();
    let n = a.len() / width;
    let masses = vec![1.0 / n as f64; n];
    Ok(transport::solve(&masses, &masses, &cost)?.cost.max(0.0).sqrt())
}

/// Two laws are at least as far apart as the Gaussians with their means and covariances (Gelbrich), a metric G. With the
/// sample's moments in place of the true ones, `G(true, mixture) ≥ G(sample, mixture) − G(sample, true)`; the last is taken
/// from resamplings, which lie about the sample as the sample does about the truth.
fn lower_limit(law: &[f64], mixture: &Mixture, stream: Stream) -> Result<f64> {
    let moments = Moments::of_mixture(mixture);
    if mixture.width <= MOST_AXES {
        return limit(law, &moments, stream);
    }
    // A projection brings no two laws farther apart.
    let axes = leading(&moments.covariance, mixture.width, MOST_AXES)?.vectors;
    let turned = transposed(&axes, MOST_AXES, mixture.width);
    let project = |rows: &[f64]| product(rows, rows.len() / mixture.width, mixture.width, &turned, MOST_AXES);
    let half = transposed(&project(&moments.covariance), mixture.width, MOST_AXES);
    let projected = Moments { mean: project(&moments.mean), covariance: project(&half) };
    limit(&project(law), &projected, stream)
}

/// [`lower_limit`] of samples `[n, width]` of the one law and the moments of the other.
fn limit(law: &[f64], other: &Moments, stream: Stream) -> Result<f64> {
    let width = other.mean.len();
    let n = law.len() / width;
    let gelbrich = |a: &Moments, b: &Moments| -> Result<f64> {
        Ok(gaussian_w2::full(&a.mean, &a.covariance, &b.mean, &b.covariance)?.max(0.0).sqrt())
    };
    let sample = Moments::of(law.chunks_exact(width), width);
    let resampling = |part: usize| {
        let mut random = stream.part(part);
        let picks: Vec<usize> = (0..n).map(|_| random.below(n as u32) as usize).collect();
        let again = Moments::of(picks.iter().map(|&i| &law[i * width..(i + 1) * width]), width);
        gelbrich(&again, &sample)
    };
    let mut moved = (0..RESAMPLINGS).into_par_iter().map(resampling).collect::<Result<Vec<f64>>>()?;
    moved.sort_unstable_by(f64::total_cmp);
    let at = ((RESAMPLINGS as f64 * CONFIDENCE).ceil() as usize).min(RESAMPLINGS - 1);
    Ok((gelbrich(&sample, other)? - moved[at]).max(0.0))
}

/// Mean `[D]` and covariance `[D, D]`.
struct Moments {
    mean: Vec<f64>,
    covariance: Vec<f64>,
}

impl Moments {
    /// Of points.
    fn of<'a>(points: impl ExactSizeIterator<Item = &'a [f64]> + Clone, width: usize) -> Self {
        let (share, mut mean) = (1.0 / points.len() as f64, vec![0.0; width]);
        for point in points.clone() {
            mean.iter_mut().zip(point).for_each(|(m, x)| *m += share * x);
        }
        let mut covariance = vec![0.0; width * width];
        points.for_each(|point| add_square(&mut covariance, point, &mean, share));
        Self { mean, covariance }
    }

    /// Of a mixture.
    fn of_mixture(mixture: &Mixture) -> Self {
        let width = mixture.width;
        let (mut mean, mut covariance) = (vec![0.0; width], vec![0.0; width * width]);
        let means = || mixture.weights.iter().zip(mixture.means.chunks_exact(width));
        for (weight, center) in means() {
            mean.iter_mut().zip(center).for_each(|(m, c)| *m += weight * c);
        }
        means().for_each(|(&weight, center)| add_square(&mut covariance, center, &mean, weight));
        for (weight, own) in mixture.weights.iter().zip(mixture.covariances.chunks_exact(width * width)) {
            covariance.iter_mut().zip(own).for_each(|(c, o)| *c += weight * o);
        }
        Self { mean, covariance }
    }
}

/// Adds `weight (x − m)(x − m)ᵀ`.
fn add_square(matrix: &mut [f64], x: &[f64], m: &[f64], weight: f64) {
    let off: Vec<f64> = x.iter().zip(m).map(|(x, m)| x - m).collect();
    for (row, a) in matrix.chunks_exact_mut(off.len()).zip(&off) {
        row.iter_mut().zip(&off).for_each(|(entry, b)| *entry += weight * a * b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certify::core::Layer;

    /// One layer is exactly Gaussian: samples of both laws are of one law, and the limit is 0.
    #[test]
    fn equal_laws_are_at_the_floor() {
        let layer = Layer {
            inputs: 2,
            outputs: 2,
            mean: vec![1.0, -0.5, 0.25, 2.0],
            variance: vec![0.1, 0.2, 0.3, 0.4],
            bias_mean: vec![0.0, 1.0],
            bias_variance: vec![0.01, 0.0],
            activation: "none".to_owned(),
            dropout: 0.0,
        };
        let network = Network { layers: vec![layer] };
        // M x + b and V x² + B at x = (1, 2).
        let mixture =
            Mixture { width: 2, weights: vec![1.0], means: vec![0.0, 5.25], covariances: vec![0.91, 0.0, 0.0, 1.9] };
        let (e, samples) = measure(&network, &[&[1.0, 2.0]], &mixture, 400, [7, 3]).expect("samples");
        assert_eq!(samples.len(), 800);
        assert!(e.lower == 0.0 && (0.5..2.0).contains(&(e.distance / e.floor)), "{e:?}");
        let again = measure(&network, &[&[1.0, 2.0]], &mixture, 400, [7, 3]).expect("samples");
        assert!(again == (e, samples), "equal seeds give equal samples");
        // Shifted by 3 along one axis, both laws are exactly 3 apart.
        let shifted = Mixture { means: vec![3.0, 5.25], ..mixture };
        let (e, _) = measure(&network, &[&[1.0, 2.0]], &shifted, 400, [7, 3]).expect("samples");
        assert!((e.distance - 3.0).abs() < 0.3 && e.lower < 3.0 && e.lower > 2.6, "{e:?}");
    }
}
