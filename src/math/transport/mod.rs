//! Exact discrete optimal transport: `min Σ_ij ω_ij c_ij` over `ω ≥ 0` with given row and column sums, by the network simplex method.

mod simplex;
mod tree;

use crate::{Error, Result};

/// How far row and column totals may differ, relative to them.
const TOTALS: f64 = 1e-9;

/// How far the plan's sums may be from the masses, relative to the total.
const MARGINALS: f64 = 1e-12;

/// An optimal coupling.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// `(row, column, mass)` of positive mass, by row, then column; fewer than rows + columns.
    pub flows: Vec<(u32, u32, f64)>,
    /// `Σ ω_ij c_ij`.
    pub cost: f64,
    /// A number for every row and every column with `rows_i + columns_j ≤ c_ij` up to rounding; `Σ supply_i rows_i + Σ demand_j columns_j`
    /// equals the cost, which proves that no coupling is cheaper. Rows and columns without mass have none (`None`).
    pub prices: (Vec<Option<f64>>, Vec<Option<f64>>),
}

/// The optimal coupling of `supply [n]` and `demand [m]` for `cost [n, m]`. Totals that differ by rounding are made equal by scaling
/// `demand`.
///
/// # Errors
/// [`Error::Shape`] when the lengths do not fit; [`Error::Numeric`] for a negative mass, a cost or mass that is not finite, totals that
/// differ or are 0, and when the plan's sums are not the masses.
pub fn solve(supply: &[f64], demand: &[f64], cost: &[f64]) -> Result<Plan> {
    check(supply, demand, cost)?;
    let (left, right) = (supply.iter().sum::<f64>(), demand.iter().sum::<f64>());
    if !(left > 0.0 && (left - right).abs() <= TOTALS * left) {
        return Err(Error::numeric("transport", format!("the masses of the two sides are {left} and {right}")));
    }
    let rows: Vec<usize> = (0..supply.len()).filter(|&i| supply[i] > 0.0).collect();
    let columns: Vec<usize> = (0..demand.len()).filter(|&j| demand[j] > 0.0).collect();
    let sources: Vec<f64> = rows.iter().map(|&i| supply[i]).collect();
    let sinks: Vec<f64> = columns.iter().map(|&j| demand[j] * (left / right)).collect();
    let dense = rows.len() == supply.len() && columns.len() == demand.len();
    let kept: Vec<f64> = if dense {
        Vec::new()
    } else {
        rows.iter().flat_map(|&i| columns.iter().map(move |&j| cost[i * demand.len() + j])).collect()
    };
    let solution = simplex::solve(&sources, &sinks, if dense { cost } else { &kept })?;
    let mut flows: Vec<(u32, u32, f64)> =
        solution.flows.iter().map(|&(i, j, mass)| (rows[i] as u32, columns[j] as u32, mass)).collect();
    flows.sort_unstable_by_key(|&(i, j, _)| (i, j));
    let total = flows.iter().map(|&(i, j, mass)| mass * cost[i as usize * demand.len() + j as usize]).sum();
    let mut prices = (vec![None; supply.len()], vec![None; demand.len()]);
    rows.iter().zip(solution.rows).for_each(|(&i, price)| prices.0[i] = Some(price));
    columns.iter().zip(solution.columns).for_each(|(&j, price)| prices.1[j] = Some(price));
    check_sums(supply, demand, &flows, left / right)?;
    Ok(Plan { flows, cost: total, prices })
}

fn check(supply: &[f64], demand: &[f64], cost: &[f64]) -> Result<()> {
    if supply.len().checked_mul(demand.len()) != Some(cost.len()) {
        let expected = format!("{} × {} costs", supply.len(), demand.len());
        return Err(Error::Shape { op: "transport", expected, got: cost.len().to_string() });
    }
    if let Some(mass) = supply.iter().chain(demand).find(|mass| !(mass.is_finite() && **mass >= 0.0)) {
        return Err(Error::numeric("transport", format!("a mass is {mass}")));
    }
    match cost.iter().position(|cost| !cost.is_finite()) {
        Some(at) => {
            let (i, j) = (at / demand.len(), at % demand.len());
            Err(Error::numeric("transport", format!("the cost from {i} to {j} is {}", cost[at])))
        }
        None => Ok(()),
    }
}

fn check_sums(supply: &[f64], demand: &[f64], flows: &[(u32, u32, f64)], scale: f64) -> Result<()> {
    let mut left: Vec<f64> = supply.to_vec();
    let mut right: Vec<f64> = demand.iter().map(|mass| mass * scale).collect();
    for &(i, j, mass) in flows {
        left[i as usize] -= mass;
        right[j as usize] -= mass;
    }
    let off = left.iter().chain(&right).fold(0.0, |worst, gap| f64::max(worst, gap.abs()));
    let allowed = MARGINALS * supply.iter().sum::<f64>();
    if off > allowed {
        return Err(Error::numeric(
            "transport",
            format!("a row or column sum is off by {off:.1e}, allowed {allowed:.1e}"),
        ));
    }
    Ok(())
}
