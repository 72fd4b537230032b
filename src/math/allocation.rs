//! How many points each eigenvector of a covariance gets (Eqn 31): `argmin Σ_j λ_j D(n_j)` over integers with `Π n_j ≤ N`.
//!
//! The optimal `n_j` does not grow with falling `λ_j` (swapping two that do cannot raise the sum), so at most the `⌊log₂N⌋` largest weights
//! get more than one point. Over these the search is exact: depth first, cut off where the Lagrangian bound
//! `Σ_j min_n[λ_j D(n) + κ ln n] − κ ln(budget left)`, valid for every `κ ≥ 0`, shows that nothing better follows.

use std::sync::OnceLock;

use super::quantizer::{LARGEST, Quantizer};
use crate::{Error, Result};

/// More factors of 2 than any budget has.
const DEPTH: usize = usize::BITS as usize;

/// Steps of the search for the multiplier κ. Its value only decides how much is cut off.
const MULTIPLIER_STEPS: usize = 24;

/// `n` and `D(n)` of the points along one direction, for the search.
struct Table {
    distortion: Vec<f64>,
    logarithm: Vec<f64>,
}

/// The table up to `budget` points or some more: most callers want ten, and a thousand take a while to compute.
fn table(budget: usize) -> Result<&'static Table> {
    const FEW: usize = 64;
    static TABLES: [OnceLock<Option<Table>>; 2] = [OnceLock::new(), OnceLock::new()];
    let (slot, size) = if budget <= FEW { (&TABLES[0], FEW) } else { (&TABLES[1], LARGEST) };
    let build = || {
        let distortion = (1..=size).map(|n| Some(Quantizer::optimal(n).ok()?.distortion())).collect::<Option<_>>()?;
        Some(Table { distortion, logarithm: (1..=size).map(|n| libm::log(n as f64)).collect() })
    };
    slot.get_or_init(build).as_ref().ok_or_else(|| Error::numeric("allocation", "the table of quantizers is damaged"))
}

/// `⌊log₂ budget⌋`: how many directions can get more than one point.
pub fn most_cut(budget: usize) -> usize {
    budget.max(1).ilog2() as usize
}

/// Points `n_j` for weights `λ_j ≥ 0`, of any order, with `Π n_j ≤ budget` and `n_j ≤ 1000`. A weight of 0 gets 1.
///
/// # Errors
/// [`Error::Config`] for a budget of 0, [`Error::Numeric`] for a weight that is negative or not finite.
pub fn allocate(weights: &[f64], budget: usize) -> Result<Vec<u32>> {
    if let Some(at) = weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
        return Err(Error::numeric("allocation", format!("weight {at} is {}", weights[at])));
    }
    let mut order: Vec<usize> = (0..weights.len()).filter(|&j| weights[j] > 0.0).collect();
    order.sort_by(|&a, &b| weights[b].total_cmp(&weights[a]).then(a.cmp(&b)));
    order.truncate(most_cut(budget));
    let sorted: Vec<f64> = order.iter().map(|&j| weights[j]).collect();
    let mut points = vec![1; weights.len()];
    let mut found = vec![1; sorted.len()];
    allocate_sorted(&sorted, budget, &mut found)?;
    order.iter().zip(found).for_each(|(&j, n)| points[j] = n);
    Ok(points)
}

/// [`allocate`] for at most `⌊log₂ budget⌋` positive finite weights in descending order, without allocating memory.
///
/// # Errors
/// [`Error::Config`] for a budget of 0, [`Error::Shape`] when `points` is not as long as `weights` or there are too many.
pub fn allocate_sorted(weights: &[f64], budget: usize, points: &mut [u32]) -> Result<()> {
    if budget == 0 {
        return Err(Error::Config("a signature needs at least one point".to_owned()));
    }
    if weights.len() != points.len() || weights.len() > most_cut(budget) {
        let expected = format!("at most {} weights and as many places", most_cut(budget));
        let got = format!("{} and {}", weights.len(), points.len());
        return Err(Error::Shape { op: "allocation", expected, got });
    }
    if !weights.is_empty() {
        Search::new(table(budget)?, weights, budget).run(points);
    }
    Ok(())
}

struct Search<'a> {
    table: &'a Table,
    weights: &'a [f64],
    budget: usize,
    multiplier: f64,
    /// `Σ_{i ≥ j} min_n[λ_i D(n) + κ ln n]`.
    floor: [f64; DEPTH + 1],
    current: [u32; DEPTH],
    best: [u32; DEPTH],
    least: f64,
}

impl<'a> Search<'a> {
    fn new(table: &'a Table, weights: &'a [f64], budget: usize) -> Self {
        let mut search = Self {
            table,
            weights,
            budget,
            multiplier: 0.0,
            floor: [0.0; DEPTH + 1],
            current: [1; DEPTH],
            best: [1; DEPTH],
            least: weights.iter().sum(),
        };
        search.multiplier = search.find_multiplier();
        for j in (0..weights.len()).rev() {
            search.floor[j] = search.floor[j + 1] + search.relaxed(weights[j], search.multiplier).1;
        }
        search
    }

    fn run(mut self, points: &mut [u32]) {
        self.descend(0, self.budget, LARGEST, 0.0);
        points.copy_from_slice(&self.best[..points.len()]);
    }

    /// The `n` that is best for one weight when a factor of e costs `multiplier`, and its cost.
    fn relaxed(&self, weight: f64, multiplier: f64) -> (usize, f64) {
        let costs = self.table.distortion.iter().zip(&self.table.logarithm).take(self.budget);
        let costs = costs.map(|(distortion, logarithm)| weight * distortion + multiplier * logarithm);
        let (at, cost) = costs
            .enumerate()
            .fold((0, f64::INFINITY), |best, (at, cost)| if cost < best.1 { (at, cost) } else { best });
        (at + 1, cost)
    }

    /// The multiplier at which the relaxed choice just fits into the budget, by bisection of its logarithm between the largest and a
    /// value at which every direction gets all it can.
    fn find_multiplier(&self) -> f64 {
        let (mut low, mut high) = (self.weights[self.weights.len() - 1] * 1e-7, self.weights[0]);
        for _ in 0..MULTIPLIER_STEPS {
            let middle = (low * high).sqrt();
            let product = self.weights.iter().map(|&weight| self.relaxed(weight, middle).0 as f64).product::<f64>();
            if product > self.budget as f64 { low = middle } else { high = middle }
        }
        high
    }

    /// Extends `current[..j]`, whose cost is `spent`, in all ways that may be better than the best so far. The next direction gets at
    /// most `cap` points, `left` is what the budget leaves for it and those after.
    fn descend(&mut self, j: usize, left: usize, cap: usize, spent: f64) {
        let Some((&weight, rest)) = self.weights.get(j..).and_then(<[f64]>::split_first) else { return };
        let most = left.min(cap);
        if rest.is_empty() || most < 2 {
            self.current[j] = most as u32;
            self.current[j + 1..].fill(1);
            let cost = spent + weight * self.table.distortion[most - 1] + rest.iter().sum::<f64>();
            if cost < self.least {
                self.least = cost;
                self.best = self.current;
            }
            return;
        }
        for n in (1..=most).rev() {
            let after = spent + weight * self.table.distortion[n - 1];
            let bound = after + self.floor[j + 1] - self.multiplier * (self.log(left) - self.table.logarithm[n - 1]);
            // A bound rounded up would cut off the optimum; the slack is far above the rounding of these sums.
            if bound * (1.0 - 1e-13) < self.least {
                self.current[j] = n as u32;
                self.descend(j + 1, left / n, n, after);
            }
        }
    }

    fn log(&self, n: usize) -> f64 {
        self.table.logarithm.get(n - 1).copied().unwrap_or_else(|| libm::log(n as f64))
    }
}
