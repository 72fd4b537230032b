//! Exact transport: certified by duality, against brute force, degenerate cases, and speed.

use std::time::Instant;

use bures::math::transport::{Plan, solve};
use bures::reference::philox::Philox;

use crate::math_support::{close, normals};

/// Row and column sums are the masses; no coupling is cheaper because the prices say so.
#[track_caller]
fn check_optimal(supply: &[f64], demand: &[f64], cost: &[f64], plan: &Plan) {
    let total: f64 = supply.iter().sum();
    let scale = cost.iter().fold(0.0, |largest, c| f64::max(largest, c.abs()));
    let (mut rows, mut columns) = (vec![0.0; supply.len()], vec![0.0; demand.len()]);
    for &(i, j, mass) in &plan.flows {
        assert!(mass > 0.0);
        rows[i as usize] += mass;
        columns[j as usize] += mass;
    }
    rows.iter().zip(supply).for_each(|(sum, mass)| close("row sum", *sum, *mass, 1e-12 * total));
    columns.iter().zip(demand).for_each(|(sum, mass)| close("column sum", *sum, *mass, 1e-9 * total));
    let (row_prices, column_prices) = &plan.prices;
    let mut dual = 0.0;
    for (i, price) in row_prices.iter().enumerate() {
        assert_eq!(price.is_none(), supply[i] == 0.0);
        let Some(price) = price else { continue };
        dual += supply[i] * price;
        for (j, other) in column_prices.iter().enumerate() {
            let Some(other) = other else { continue };
            let sum = price + other;
            assert!(sum <= cost[i * demand.len() + j] + 1e-12 * scale, "prices at ({i}, {j})");
        }
    }
    dual += demand.iter().zip(column_prices).map(|(mass, price)| mass * price.unwrap_or(0.0)).sum::<f64>();
    close("primal and dual", plan.cost, dual, 1e-9 * scale * total);
}

#[test]
fn random_masses() {
    let mut rng = Philox::new(21, 0);
    for case in 0..200 {
        let (n, m) = (1 + rng.below(12) as usize, 1 + rng.below(12) as usize);
        let mut masses = |count: usize| {
            // Zeros, repeated masses and masses of very different size.
            let draw = |rng: &mut Philox| match rng.below(4) {
                0 => 0.0,
                1 => 1.0,
                2 => (8.0 * rng.normal()).exp(),
                _ => rng.uniform(),
            };
            let mut masses: Vec<f64> = (0..count).map(|_| draw(&mut rng)).collect();
            masses[0] += 0.5;
            let total: f64 = masses.iter().sum();
            masses.iter().map(|mass| mass / total).collect::<Vec<f64>>()
        };
        let (supply, demand) = (masses(n), masses(m));
        let cost: Vec<f64> = match case % 3 {
            0 => normals(&mut rng, n * m),
            1 => (0..n * m).map(|_| f64::from(rng.below(3))).collect(),
            _ => normals(&mut rng, n * m).iter().map(|x| 1e150 * x * x).collect(),
        };
        let plan = solve(&supply, &demand, &cost).expect("masses are fine");
        check_optimal(&supply, &demand, &cost, &plan);
    }
}

/// Uniform masses, where the optimum is an assignment: all of them are tried.
#[test]
fn small_assignments_by_brute_force() {
    fn best(cost: &[f64], n: usize, row: usize, used: u32) -> f64 {
        if row == n {
            return 0.0;
        }
        let free = (0..n).filter(|j| used & (1 << j) == 0);
        free.map(|j| cost[row * n + j] + best(cost, n, row + 1, used | 1 << j)).fold(f64::INFINITY, f64::min)
    }
    let mut rng = Philox::new(22, 0);
    for n in 1..=7usize {
        for _ in 0..20 {
            let cost = normals(&mut rng, n * n);
            let masses = vec![1.0 / n as f64; n];
            let plan = solve(&masses, &masses, &cost).expect("masses are fine");
            close("assignment", plan.cost, best(&cost, n, 0, 0) / n as f64, 1e-14);
            assert_eq!(plan.flows.len(), n);
        }
    }
}

fn squared_distances(a: &[f64], b: &[f64], width: usize) -> Vec<f64> {
    let distance = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).sum::<f64>();
    a.chunks_exact(width).flat_map(|x| b.chunks_exact(width).map(move |y| distance(x, y))).collect()
}

/// On the line the optimum is to match in order.
#[test]
fn on_the_line() {
    let mut rng = Philox::new(23, 0);
    let n = 300;
    let (mut a, mut b) = (normals(&mut rng, n), normals(&mut rng, n));
    let masses = vec![1.0 / n as f64; n];
    let cost = squared_distances(&a, &b, 1);
    let plan = solve(&masses, &masses, &cost).expect("masses are fine");
    check_optimal(&masses, &masses, &cost, &plan);
    a.sort_by(f64::total_cmp);
    b.sort_by(f64::total_cmp);
    let sorted = a.iter().zip(&b).map(|(x, y)| (x - y) * (x - y)).sum::<f64>() / n as f64;
    close("sorted", plan.cost, sorted, 1e-13);
}

#[test]
fn a_thousand_samples() {
    let mut rng = Philox::new(24, 0);
    for (n, width) in [(1000, 10), (1000, 2)] {
        let (a, b) = (normals(&mut rng, n * width), normals(&mut rng, n * width));
        let masses = vec![1.0 / n as f64; n];
        let cost = squared_distances(&a, &b, width);
        let start = Instant::now();
        let plan = solve(&masses, &masses, &cost).expect("masses are fine");
        let seconds = start.elapsed().as_secs_f64();
        eprintln!("{n} samples in {width} dimensions: {seconds:.2} s");
        check_optimal(&masses, &masses, &cost, &plan);
        assert!(seconds < 5.0, "{seconds} s");
    }
}

/// For once: the sizes that a person may ask for.
#[test]
#[ignore = "takes seconds"]
fn thousands_of_samples() {
    let mut rng = Philox::new(25, 0);
    for (n, width) in [(2000, 10), (2000, 2), (4000, 10)] {
        let (a, b) = (normals(&mut rng, n * width), normals(&mut rng, n * width));
        let masses = vec![1.0 / n as f64; n];
        let cost = squared_distances(&a, &b, width);
        let start = Instant::now();
        let plan = solve(&masses, &masses, &cost).expect("masses are fine");
        eprintln!("{n} samples in {width} dimensions: {:.2} s", start.elapsed().as_secs_f64());
        check_optimal(&masses, &masses, &cost, &plan);
    }
}

#[test]
fn bad_masses_and_costs_are_refused() {
    assert!(solve(&[0.5, 0.5], &[1.0], &[1.0]).is_err(), "too few costs");
    assert!(solve(&[0.5, 0.6], &[1.0], &[1.0, 2.0]).is_err(), "different totals");
    assert!(solve(&[1.5, -0.5], &[1.0], &[1.0, 2.0]).is_err(), "a negative mass");
    assert!(solve(&[0.0], &[0.0], &[1.0]).is_err(), "no mass");
    assert!(solve(&[], &[], &[]).is_err(), "nothing");
    let refusal = solve(&[0.5, 0.5], &[1.0], &[1.0, f64::NAN]).expect_err("a cost is NaN").to_string();
    assert!(refusal.contains("cost from 1 to 0"), "{refusal}");
}
