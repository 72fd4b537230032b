//! Optimal quantizers: golden values, stationarity, the stored table against its generator, and the rates of theory.

use bures::math::normal::Cell;
use bures::math::quantizer::{LARGEST, Quantizer, asset, solve};
use bures::math::rates::{optimal_constant, uniform_bound};

use crate::math_support::{Golden, close};

fn optimal(n: usize) -> &'static Quantizer {
    Quantizer::optimal(n).expect("a stored quantizer")
}

#[test]
fn golden_quantizers() {
    let Some(golden) = Golden::read("quantizers") else { return };
    for case in golden.cases("locs") {
        let n: usize = case[1..].parse().expect("n and a number");
        let found = optimal(n);
        for (got, want) in found.locations().iter().zip(golden.floats(&format!("{case}.locs"))) {
            close(&format!("location of {case}"), *got, *want, 1e-10);
        }
        for (got, want) in found.masses().iter().zip(golden.floats(&format!("{case}.masses"))) {
            close(&format!("mass of {case}"), *got, *want, 1e-11);
        }
        let distortion = golden.floats(&format!("{case}.w2sq"))[0];
        close(&format!("error of {case}"), found.distortion(), distortion, 1e-11 * distortion);
        assert_eq!(found.points(), golden.floats(&format!("{case}.locs")).len());
    }
}

/// Every point is the mean of its cell to 1e-12, for every number of points; points are in order and symmetric.
#[test]
fn all_are_stationary() {
    for n in 1..=LARGEST {
        let (points, masses) = (optimal(n).locations(), optimal(n).masses());
        assert_eq!((points.len(), masses.len()), (n, n));
        let mut lower = f64::NEG_INFINITY;
        for (i, &c) in points.iter().enumerate() {
            let upper = points.get(i + 1).map_or(f64::INFINITY, |next| 0.5 * (c + next));
            assert!(lower < c && c < upper, "{n} points, point {i} is out of order");
            close(&format!("{n} points, point {i}"), c, Cell::new(lower, upper).mean, 1e-12);
            assert_eq!(c, -points[n - 1 - i], "{n} points, point {i} has no mirror image");
            lower = upper;
        }
        close(&format!("masses of {n}"), masses.iter().sum(), 1.0, 1e-14);
        let short = 1.0 - points.iter().zip(masses).map(|(c, mass)| mass * c * c).sum::<f64>();
        close(&format!("1 − Σπc² of {n}"), optimal(n).distortion(), short, 4e-15 * n as f64 + 1e-14);
    }
}

#[test]
fn the_table_is_what_its_generator_makes() {
    for n in [1, 2, 3, 10, 37, 64, 255, 999, 1000] {
        let half = solve::positive_half(n);
        let stored = &optimal(n).locations()[n - n / 2..];
        assert_eq!(half.len(), stored.len());
        for (made, stored) in half.iter().zip(stored) {
            close(&format!("{n} points"), asset::rounded(*made), *stored, 1e-13);
        }
    }
}

#[test]
fn the_table_s_code_is_exact() {
    let halves: Vec<Vec<f64>> = (1..=60usize).map(|n| (0..n / 2).map(|i| 0.1 + i as f64 * 1.25).collect()).collect();
    let bytes = asset::encode(&halves).expect("encodes");
    let back = asset::decode(&bytes, 60).expect("decodes");
    for (half, back) in halves.iter().flatten().zip(back.iter().flatten()) {
        assert_eq!(asset::rounded(*half), *back);
    }
    assert!(asset::decode(&bytes, 61).is_err(), "a table that ends too early");
    assert!(asset::decode(&[0xff; 40], 60).is_err(), "no deflate stream");
}

#[test]
fn errors_fall_like_the_theory_says() {
    assert_eq!(optimal(1).distortion(), 1.0);
    close("D(2)", optimal(2).distortion(), 1.0 - 2.0 / std::f64::consts::PI, 1e-15);
    close("D(10)", optimal(10).distortion(), 0.02293705290, 1e-11);
    close("constant", optimal_constant(), 2.7206990463513265, 1e-14);
    let scaled = |n: usize| (n * n) as f64 * optimal(n).distortion();
    for n in 1..LARGEST {
        assert!(optimal(n + 1).distortion() < optimal(n).distortion());
        assert!(scaled(n) < scaled(n + 1) && scaled(n + 1) < optimal_constant(), "n²D(n) rises to its limit, at {n}");
    }
    // The gap closes like (ln n)^½/n: a factor of 10 in n must bring at least a factor of 7.
    let gap = |n: usize| 1.0 - scaled(n) / optimal_constant();
    assert!(gap(1000) < 0.01 && gap(1000) < gap(100) / 7.0, "gaps {} and {}", gap(100), gap(1000));
}

#[test]
fn the_bound_of_evenly_spaced_points_holds() {
    assert_eq!(uniform_bound(1), 1.0);
    for n in 2..=LARGEST {
        // The exact error of those points, from their Voronoi cells.
        let spacing = 4.0 * (n as f64).ln().sqrt() / n as f64;
        let point = |i: usize| (i as f64 - 0.5 * (n as f64 - 1.0)) * spacing;
        let edge = |i: usize| match i {
            0 => f64::NEG_INFINITY,
            i if i == n => f64::INFINITY,
            i => point(i) - 0.5 * spacing,
        };
        let error = |i: usize| {
            let cell = Cell::new(edge(i), edge(i + 1));
            cell.mass * (cell.variance + (cell.mean - point(i)).powi(2))
        };
        let exact: f64 = (0..n).map(error).sum();
        let ratio = uniform_bound(n) / exact;
        assert!((1.0..3.1).contains(&ratio), "{n} points: bound over exact {ratio}");
        assert!(optimal(n).distortion() <= exact * (1.0 + 1e-12));
    }
}

#[test]
fn sizes_that_are_not_stored_are_refused() {
    for n in [0, LARGEST + 1, usize::MAX] {
        let refusal = Quantizer::optimal(n).expect_err("no such quantizer").to_string();
        assert!(refusal.contains("1 to 1000 points"), "{refusal}");
    }
}
