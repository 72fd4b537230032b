//! Grid signatures against golden values, their moments, and speed.

use std::time::Instant;

use bures::math::signature::{Grid, Signature};
use bures::reference::philox::Philox;

use crate::math_support::{Golden, close, normals, with_eigenvalues};

/// Points that coincide count as one: the order of points, and points that a zero variance repeats, are free.
fn as_measure(masses: &[f64], locations: &[f64], width: usize, scale: f64) -> Vec<(Vec<f64>, f64)> {
    let mut measure: Vec<(Vec<f64>, f64)> = Vec::new();
    for (mass, location) in masses.iter().zip(locations.chunks_exact(width)) {
        let same = |other: &&mut (Vec<f64>, f64)| distance(&other.0, location) <= 1e-10 * scale;
        match measure.iter_mut().find(same) {
            Some(known) => known.1 += mass,
            None => measure.push((location.to_vec(), *mass)),
        }
    }
    measure
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum::<f64>().sqrt()
}

fn diagonal_of(matrix: &[f64], n: usize) -> Vec<f64> {
    (0..n).map(|i| matrix[i * n + i]).collect()
}

#[test]
fn golden_signatures() {
    let Some(golden) = Golden::read("signatures") else { return };
    for case in golden.cases("w2sq") {
        let get = |name: &str| golden.floats(&format!("{case}.{name}"));
        let (mean, cov, budget) = (get("mean"), get("cov"), golden.integers(&format!("{case}.budget"))[0]);
        let n = mean.len();
        let mut grid = Grid::new(budget as usize).expect("a budget");
        let mut found = Signature::default();
        let mut ways = vec!["full"];
        if cov.iter().enumerate().all(|(at, x)| at / n == at % n || *x == 0.0) {
            ways.push("diagonal");
        }
        for way in ways {
            match way {
                "full" => grid.full(mean, cov, &mut found),
                _ => grid.diagonal(mean, &diagonal_of(cov, n), &mut found),
            }
            .expect("a Gaussian");
            let want = get("w2sq")[0];
            close(&format!("{case} {way} distance"), found.w2_squared, want, 1e-11 * want);
            let scale = mean.iter().chain(cov).fold(0.0, |largest, x| f64::max(largest, x.abs()));
            let got = as_measure(&found.masses, &found.locations, n, scale);
            let want = as_measure(get("masses"), get("locs"), n, scale);
            assert_eq!(got.len(), want.len(), "{case} {way}");
            if case.contains("isotropic") && way == "full" {
                compare_isotropic(&got, &want, mean);
                continue;
            }
            for (location, mass) in &want {
                let at = |other: &&(Vec<f64>, f64)| distance(&other.0, location) <= 1e-10 * scale;
                let twin = got.iter().find(at).unwrap_or_else(|| panic!("{case} {way}: no point at {location:?}"));
                close(&format!("{case} {way} mass"), twin.1, *mass, 1e-11);
            }
        }
    }
}

/// With repeated eigenvalues only masses and distances from the mean are determined.
fn compare_isotropic(got: &[(Vec<f64>, f64)], want: &[(Vec<f64>, f64)], mean: &[f64]) {
    let sorted = |measure: &[(Vec<f64>, f64)]| {
        let mut pairs: Vec<(f64, f64)> = measure.iter().map(|(x, mass)| (distance(x, mean), *mass)).collect();
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        pairs
    };
    for (got, want) in sorted(got).iter().zip(sorted(want)) {
        close("distance from the mean", got.0, want.0, 1e-11);
        close("mass", got.1, want.1, 1e-11);
    }
}

/// `W₂²` of a grid is what the covariance lacks: `tr Σ − Σ_p π_p ‖c_p − m‖²`.
#[test]
fn the_distance_is_the_missing_covariance() {
    let mut rng = Philox::new(41, 0);
    for (n, budget) in [(1, 7), (3, 1), (6, 100), (60, 10), (200, 33)] {
        let mean = normals(&mut rng, n);
        let values: Vec<f64> = (0..n).map(|_| rng.uniform().powi(6)).collect();
        let mut grid = Grid::new(budget).expect("a budget");
        let mut found = Signature::default();
        let cov = with_eigenvalues(&values, &mut rng);
        for way in ["diagonal", "full"] {
            match way {
                "full" => grid.full(&mean, &cov, &mut found),
                _ => grid.diagonal(&mean, &values, &mut found),
            }
            .expect("a Gaussian");
            assert!(found.masses.len() <= budget && found.locations.len() == n * found.masses.len());
            close("total mass", found.masses.iter().sum(), 1.0, 1e-14);
            let trace: f64 = values.iter().sum();
            let square = |(mass, x): (&f64, &[f64])| mass * distance(x, &mean).powi(2);
            let kept: f64 = found.masses.iter().zip(found.locations.chunks_exact(n)).map(square).sum();
            close(&format!("{way}, {n} dimensions"), found.w2_squared, trace - kept, 1e-13 * trace);
        }
    }
}

#[test]
fn speed() {
    let mut rng = Philox::new(42, 0);
    let (n, batch) = (128, 400);
    let mean = normals(&mut rng, n * batch);
    let variances: Vec<f64> = normals(&mut rng, n * batch).iter().map(|x| x * x).collect();
    let mut grid = Grid::new(10).expect("a budget");
    let mut found = Signature::default();
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let start = Instant::now();
        for (mean, variances) in mean.chunks_exact(n).zip(variances.chunks_exact(n)) {
            grid.diagonal(mean, variances, &mut found).expect("a Gaussian");
            std::hint::black_box(&mut found);
        }
        best = best.min(start.elapsed().as_secs_f64() / batch as f64);
    }
    eprintln!("diagonal signature of {n} dimensions: {:.2} µs", 1e6 * best);
    assert!(best < 18e-6, "20 times faster than 0.36 ms");
    let values: Vec<f64> = (0..n).map(|j| 1.0 / (1.0 + j as f64)).collect();
    let flat: Vec<f64> = (0..n).map(|_| 1.0 + rng.uniform()).collect();
    for (name, values) in [("decaying", values), ("flat", flat)] {
        let cov = with_eigenvalues(&values, &mut rng);
        let mut best = f64::INFINITY;
        for _ in 0..20 {
            let start = Instant::now();
            grid.full(&mean[..n], &cov, &mut found).expect("a Gaussian");
            best = best.min(start.elapsed().as_secs_f64());
        }
        eprintln!("dense signature of {n} dimensions, {name} spectrum: {:.0} µs", 1e6 * best);
    }
}

#[test]
fn bad_gaussians_are_refused() {
    assert!(Grid::new(0).is_err());
    let mut grid = Grid::new(4).expect("a budget");
    let mut out = Signature::default();
    assert!(grid.diagonal(&[0.0], &[1.0, 2.0], &mut out).is_err());
    assert!(grid.diagonal(&[0.0], &[-1.0], &mut out).is_err());
    assert!(grid.diagonal(&[0.0, 0.0], &[1.0, f64::NAN], &mut out).is_err());
    assert!(grid.full(&[0.0, 0.0], &[1.0, 0.0, 0.0, -1.0], &mut out).is_err());
}
