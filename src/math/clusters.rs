//! M-means: weighted points in `M` clusters of small spread `Σ_i w_i ‖x_i − centre‖²`. No random numbers, so the same bits every run.
//!
//! Lloyd's method from several starts; a start takes one point and adds, again and again, the one with the largest `w ‖x − nearest centre‖²`.
//! Ties go to the lowest index everywhere.

use crate::{Error, Result};

/// Starts that are tried; the best result is kept.
const STARTS: usize = 8;

/// Lloyd's method converges in far fewer sweeps; moving points into empty clusters could in theory go on for ever.
const SWEEPS: usize = 200;

/// A clustering.
#[derive(Clone, Debug, PartialEq)]
pub struct Clusters {
    /// `[points]`: the cluster of every point, numbered from 0 without gaps in order of first appearance.
    pub labels: Vec<u32>,
    /// `Σ_i w_i ‖x_i − centre‖²`.
    pub spread: f64,
}

/// At most `clusters` clusters of `points [n, width]` with `weights [n]`. There are fewer where there are fewer distinct points.
///
/// # Errors
/// [`Error::Shape`] when the lengths do not fit; [`Error::Config`] for 0 clusters; [`Error::Numeric`] for a coordinate or weight that is not
/// finite or a negative weight.
pub fn cluster(points: &[f64], width: usize, weights: &[f64], clusters: usize) -> Result<Clusters> {
    let count = weights.len();
    if width.checked_mul(count) != Some(points.len()) {
        let expected = format!("{count} points of {width}");
        return Err(Error::Shape { op: "clustering", expected, got: format!("{} numbers", points.len()) });
    }
    if clusters == 0 {
        return Err(Error::Config("a clustering needs at least one cluster".to_owned()));
    }
    let bad = points.iter().any(|x| !x.is_finite()) || weights.iter().any(|w| !(w.is_finite() && *w >= 0.0));
    if bad {
        return Err(Error::numeric("clustering", "a coordinate or weight is not finite, or a weight is negative"));
    }
    if count <= clusters || width == 0 {
        let labels = if width == 0 { vec![0; count] } else { (0..count as u32).collect() };
        return Ok(Clusters { labels, spread: 0.0 });
    }
    let task = Task { points, width, weights, clusters };
    let starts = STARTS.min(count);
    let mut best = task.lloyd(task.nearest_to_mean());
    for start in 0..starts {
        let found = task.lloyd(start * count / starts);
        if found.spread < best.spread {
            best = found;
        }
    }
    renumber(&mut best.labels);
    Ok(best)
}

struct Task<'a> {
    points: &'a [f64],
    width: usize,
    weights: &'a [f64],
    clusters: usize,
}

impl Task<'_> {
    fn point(&self, i: usize) -> &[f64] {
        &self.points[i * self.width..][..self.width]
    }

    fn nearest_to_mean(&self) -> usize {
        let mean = self.means(&vec![0; self.weights.len()], 1);
        let distances = (0..self.weights.len()).map(|i| distance(self.point(i), &mean));
        distances.enumerate().fold((0, f64::INFINITY), |best, (i, d)| if d < best.1 { (i, d) } else { best }).0
    }

    /// Centres `[clusters, width]`, the first at `start`.
    fn seed(&self, start: usize) -> Vec<f64> {
        let mut centres = self.point(start).to_vec();
        let mut away: Vec<f64> = (0..self.weights.len()).map(|i| distance(self.point(i), &centres)).collect();
        while centres.len() < self.clusters * self.width {
            let next = self.heaviest(&away);
            centres.extend_from_slice(self.point(next));
            for (i, away) in away.iter_mut().enumerate() {
                *away = away.min(distance(self.point(i), self.point(next)));
            }
        }
        centres
    }

    /// The point with the largest weight times squared distance.
    fn heaviest(&self, away: &[f64]) -> usize {
        let costs = self.weights.iter().zip(away).map(|(weight, away)| weight * away);
        costs.enumerate().fold((0, -1.0), |best, (i, cost)| if cost > best.1 { (i, cost) } else { best }).0
    }

    fn lloyd(&self, start: usize) -> Clusters {
        let mut centres = self.seed(start);
        let mut labels = Vec::new();
        let mut spread = f64::INFINITY;
        for _ in 0..SWEEPS {
            let (mut next, mut away) = self.assign(&centres);
            self.refill(&mut next, &mut away);
            if next == labels {
                break;
            }
            labels = next;
            centres = self.means(&labels, self.clusters);
            spread = (0..labels.len())
                .map(|i| self.weights[i] * distance(self.point(i), self.centre(&centres, labels[i])))
                .sum();
        }
        Clusters { labels, spread }
    }

    fn centre<'a>(&self, centres: &'a [f64], label: u32) -> &'a [f64] {
        &centres[label as usize * self.width..][..self.width]
    }

    /// Every point's nearest centre and the squared distance to it.
    fn assign(&self, centres: &[f64]) -> (Vec<u32>, Vec<f64>) {
        let nearest = |i: usize| {
            let distances = centres.chunks_exact(self.width).map(|centre| distance(self.point(i), centre));
            let best = (0u32, f64::INFINITY);
            distances.zip(0u32..).fold(best, |best, (d, label)| if d < best.1 { (label, d) } else { best })
        };
        (0..self.weights.len()).map(nearest).unzip()
    }

    /// Gives every empty cluster the point that costs most where it is, unless nothing costs anything.
    fn refill(&self, labels: &mut [u32], away: &mut [f64]) {
        let mut sizes = vec![0usize; self.clusters];
        labels.iter().for_each(|&label| sizes[label as usize] += 1);
        for empty in 0..self.clusters {
            if sizes[empty] > 0 {
                continue;
            }
            let moved = self.heaviest(away);
            if self.weights[moved] * away[moved] > 0.0 && sizes[labels[moved] as usize] > 1 {
                sizes[labels[moved] as usize] -= 1;
                sizes[empty] = 1;
                labels[moved] = empty as u32;
            }
            away[moved] = 0.0;
        }
    }

    /// Weighted means `[clusters, width]`; of plain points where all weights are 0. Centres of empty clusters are infinitely far.
    fn means(&self, labels: &[u32], clusters: usize) -> Vec<f64> {
        let (mut totals, mut sizes) = (vec![0.0; clusters], vec![0.0; clusters]);
        for (&label, weight) in labels.iter().zip(self.weights) {
            totals[label as usize] += weight;
            sizes[label as usize] += 1.0;
        }
        let mut means: Vec<f64> =
            sizes.iter().flat_map(|&n| vec![if n > 0.0 { 0.0 } else { f64::INFINITY }; self.width]).collect();
        for (i, &label) in labels.iter().enumerate() {
            let label = label as usize;
            let share = if totals[label] > 0.0 { self.weights[i] / totals[label] } else { 1.0 / sizes[label] };
            let mean = &mut means[label * self.width..][..self.width];
            mean.iter_mut().zip(self.point(i)).for_each(|(sum, x)| *sum += share * x);
        }
        means
    }
}

/// Numbers from 0 without gaps, in order of first appearance.
fn renumber(labels: &mut [u32]) {
    let mut names: Vec<u32> = Vec::new();
    for label in labels {
        let at = names.iter().position(|name| name == label).unwrap_or_else(|| {
            names.push(*label);
            names.len() - 1
        });
        *label = at as u32;
    }
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum()
}
