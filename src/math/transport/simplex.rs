//! The network simplex method on a complete bipartite graph with dense costs.
//!
//! A basis is a spanning tree ([`Tree`]). An arc `(i, j)` with reduced cost `c_ij − p_i + p_j < 0` enters, the mass of its cycle is moved,
//! and another arc leaves. Arcs are searched by blocks of rows, and the most negative of a block is taken.

use super::tree::Tree;
use crate::{Error, Result};

/// Reduced costs above this part of the largest cost, below 0, are rounding.
const NEGLIGIBLE: f64 = 1e-14;

/// Pivots for each row and column after which something is wrong; thousands are not unusual for hard costs, tens are typical.
const PIVOTS: usize = 100_000;

pub(super) struct Solution {
    pub(super) flows: Vec<(usize, usize, f64)>,
    pub(super) rows: Vec<f64>,
    pub(super) columns: Vec<f64>,
}

/// All masses are positive and the two totals are equal.
pub(super) fn solve(supply: &[f64], demand: &[f64], cost: &[f64]) -> Result<Solution> {
    let (least, most) = cost.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &c| (a.min(c), b.max(c)));
    let span = most - least;
    // Through the root a unit of mass costs more than any arc, so that at the optimum none goes there.
    let toll = most.abs().max(least.abs()) + span;
    let toll = if toll > 0.0 { toll } else { 1.0 };
    let mut search = Search { tree: Tree::star(supply, demand, toll), cost, columns: demand.len(), next_row: 0 };
    let tolerance = NEGLIGIBLE * toll;
    let mut pivots = PIVOTS.saturating_mul(supply.len() + demand.len());
    loop {
        let mut moved = false;
        while let Some((i, j, reduced)) = search.entering(tolerance) {
            moved = true;
            search.tree.pivot(i as u32, (supply.len() + j) as u32, reduced);
            pivots = pivots.saturating_sub(1);
            if pivots == 0 {
                return Err(Error::numeric("transport", "the simplex method does not end"));
            }
        }
        search.settle(supply, demand, toll);
        // Potentials without the rounding of all the updates may show that one more arc can enter.
        if !moved {
            return Ok(search.solution(supply.len()));
        }
    }
}

struct Search<'a> {
    tree: Tree,
    cost: &'a [f64],
    columns: usize,
    next_row: usize,
}

impl Search<'_> {
    /// The arc with the most negative reduced cost of the first block, from where the last search ended, that has one below `−tolerance`.
    fn entering(&mut self, tolerance: f64) -> Option<(usize, usize, f64)> {
        let rows = self.cost.len() / self.columns;
        let block = ((self.cost.len() as f64).sqrt() / self.columns as f64).ceil() as usize;
        let mut best = (0, 0, -tolerance);
        for visited in 1..=rows {
            let i = self.next_row;
            self.next_row = if i + 1 == rows { 0 } else { i + 1 };
            let costs = &self.cost[i * self.columns..][..self.columns];
            let potentials = &self.tree.potential[rows..][..self.columns];
            let floor = best.2 + self.tree.potential[i];
            let least = least_sum(costs, potentials);
            if least < floor
                && let Some(j) = costs.iter().zip(potentials).position(|(c, p)| c + p == least)
            {
                best = (i, j, least - self.tree.potential[i]);
            }
            if visited % block == 0 && best.2 < -tolerance {
                return Some(best);
            }
        }
        (best.2 < -tolerance).then_some(best)
    }

    /// Masses and potentials anew from the tree alone, so that the rounding of the pivots is gone.
    fn settle(&mut self, supply: &[f64], demand: &[f64], toll: f64) {
        let order = self.tree.downward();
        let root = self.tree.root();
        for &node in &order {
            let parent = self.tree.parent(node);
            let (node, above) = (node as usize, self.tree.potential[parent as usize]);
            let arc = if parent == root { toll } else { self.arc(node, parent as usize, supply.len()) };
            self.tree.potential[node] = if node < supply.len() { above + arc } else { above - arc };
        }
        // What a subtree has too much goes up; what it lacks comes down.
        let mut excess: Vec<f64> = supply.iter().copied().chain(demand.iter().map(|mass| -mass)).collect();
        excess.push(0.0);
        for &node in order.iter().rev() {
            let surplus = excess[node as usize];
            excess[self.tree.parent(node) as usize] += surplus;
            let flow = if (node as usize) < supply.len() { surplus } else { -surplus };
            self.tree.flow[node as usize] = flow.max(0.0);
        }
    }

    fn arc(&self, node: usize, parent: usize, rows: usize) -> f64 {
        let (i, j) = if node < rows { (node, parent - rows) } else { (parent, node - rows) };
        self.cost[i * self.columns + j]
    }

    fn solution(self, rows: usize) -> Solution {
        let root = self.tree.root();
        let flow = |node: u32| (self.tree.flow[node as usize], self.tree.parent(node));
        let arc = |node: u32, parent: u32| {
            let (i, j) = if (node as usize) < rows { (node, parent) } else { (parent, node) };
            (i as usize, j as usize - rows)
        };
        let flows = (0..root).filter_map(|node| {
            let (mass, parent) = flow(node);
            let (i, j) = (parent != root).then(|| arc(node, parent))?;
            (mass > 0.0).then_some((i, j, mass))
        });
        let prices = &self.tree.potential;
        Solution {
            flows: flows.collect(),
            rows: prices[..rows].to_vec(),
            columns: prices[rows..root as usize].iter().map(|price| -price).collect(),
        }
    }
}

/// `min_j c_j + p_j`, eight at a time.
fn least_sum(costs: &[f64], potentials: &[f64]) -> f64 {
    let mut lanes = [f64::INFINITY; 8];
    let (heads, rest) = (costs.chunks_exact(8), costs.chunks_exact(8).remainder());
    for (c, p) in heads.zip(potentials.chunks_exact(8)) {
        for (lane, (c, p)) in lanes.iter_mut().zip(c.iter().zip(p)) {
            let sum = c + p;
            *lane = if sum < *lane { sum } else { *lane };
        }
    }
    let tail = rest.iter().zip(&potentials[costs.len() - rest.len()..]).map(|(c, p)| c + p);
    lanes.into_iter().chain(tail).fold(f64::INFINITY, f64::min)
}
