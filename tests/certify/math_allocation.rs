//! Allocation of points (Eqn 31) against golden values and brute force.

use std::collections::HashMap;
use std::time::Instant;

use bures::math::allocation::{allocate, most_cut};
use bures::math::quantizer::Quantizer;
use bures::reference::philox::Philox;

use crate::math_support::{Golden, close};

fn distortion(n: usize) -> f64 {
    Quantizer::optimal(n).expect("a stored quantizer").distortion()
}

fn cost(weights: &[f64], points: &[u32]) -> f64 {
    assert_eq!(weights.len(), points.len());
    weights.iter().zip(points).map(|(weight, &n)| weight * distortion(n as usize)).sum()
}

#[track_caller]
fn check_feasible(weights: &[f64], points: &[u32], budget: usize) {
    let product: u64 = points.iter().map(|&n| u64::from(n)).product();
    assert!(product <= budget as u64, "{points:?} is over {budget}");
    for (weight, &n) in weights.iter().zip(points) {
        assert!(n >= 1 && (*weight > 0.0 || n == 1), "{weights:?}: {points:?}");
    }
}

#[test]
fn golden_allocations() {
    let Some(golden) = Golden::read("allocation") else { return };
    for case in golden.cases("weights") {
        let weights = golden.floats(&format!("{case}.weights"));
        let budget = golden.integers(&format!("{case}.budget"))[0] as usize;
        let points = allocate(weights, budget).expect("weights are fine");
        check_feasible(weights, &points, budget);
        let want = golden.floats(&format!("{case}.cost"))[0];
        close(&case, cost(weights, &points), want, 1e-12 * want.max(f64::MIN_POSITIVE));
    }
}

/// The least cost over all grids, by trying every one.
fn brute_force(weights: &[f64], budget: usize) -> f64 {
    match weights.split_first() {
        None => 0.0,
        Some((weight, rest)) => {
            let costs = (1..=budget).map(|n| weight * distortion(n) + brute_force(rest, budget / n));
            costs.fold(f64::INFINITY, f64::min)
        }
    }
}

#[test]
fn nothing_is_better() {
    let mut rng = Philox::new(3, 0);
    for case in 0..300 {
        let width = 1 + rng.below(5) as usize;
        let budget = 1 + rng.below(60) as usize;
        let weights: Vec<f64> = (0..width)
            .map(|_| match rng.below(6) {
                0 => 0.0,
                1 => 1.0,
                _ => (4.0 * rng.normal()).exp(),
            })
            .collect();
        let points = allocate(&weights, budget).expect("weights are fine");
        check_feasible(&weights, &points, budget);
        let least = brute_force(&weights, budget);
        close(&format!("case {case}: {weights:?}, {budget}"), cost(&weights, &points), least, 1e-12 * least);
    }
}

/// Large budgets against dynamic programming over what is left of the budget.
#[test]
fn large_budgets_are_quick_and_exact() {
    let mut rng = Philox::new(4, 0);
    for budget in [1_000, 100_000] {
        for decay in [0.0, 0.2, 1.0] {
            let weights: Vec<f64> = (0..40).map(|j| (-decay * f64::from(j)).exp() * (0.5 + rng.uniform())).collect();
            allocate(&weights, budget).expect("the table is there");
            let start = Instant::now();
            let points = allocate(&weights, budget).expect("weights are fine");
            let seconds = start.elapsed().as_secs_f64();
            eprintln!("{budget} points, decay {decay}: {:?} in {:.2} ms", &points[..8], 1e3 * seconds);
            assert!(seconds < 1.0, "{budget} points, decay {decay}: {seconds} s");
            check_feasible(&weights, &points, budget);
            assert!(points.iter().filter(|&&n| n > 1).count() <= most_cut(budget));
            let least = Dynamic::default().least(&weights, budget);
            close(&format!("{budget} points, decay {decay}"), cost(&weights, &points), least, 1e-12 * least);
        }
    }
}

/// `f(j, B) = min_n λ_j D(n) + f(j+1, ⌊B/n⌋)`, over every weight in the given order.
#[derive(Default)]
struct Dynamic {
    known: HashMap<(usize, usize), f64>,
}

impl Dynamic {
    fn least(&mut self, weights: &[f64], budget: usize) -> f64 {
        let Some((weight, rest)) = weights.split_first() else { return 0.0 };
        if budget == 1 {
            return weights.iter().sum();
        }
        if let Some(&known) = self.known.get(&(weights.len(), budget)) {
            return known;
        }
        let mut least = f64::INFINITY;
        for n in 1..=budget.min(1000) {
            least = least.min(weight * distortion(n) + self.least(rest, budget / n));
        }
        self.known.insert((weights.len(), budget), least);
        least
    }
}

#[test]
fn bad_weights_and_budgets_are_refused() {
    assert!(allocate(&[1.0], 0).is_err());
    assert!(allocate(&[1.0, -1.0], 4).is_err());
    assert!(allocate(&[f64::NAN], 4).is_err());
    assert_eq!(allocate(&[], 10).expect("no weights"), Vec::<u32>::new());
    assert_eq!(allocate(&[0.0, 0.0], 10).expect("zeros"), vec![1, 1]);
    assert_eq!(allocate(&[1e-300], 5_000).expect("one weight"), vec![1000]);
}
