//! Cross signatures: the covariance they miss, the match after scaling, and the formal bound against samples.

use bures::math::cross::{Cross, expected_largest};
use bures::math::eigen::symmetric;
use bures::reference::philox::Philox;

use crate::math_support::{close, normals, with_eigenvalues};

#[test]
fn largest_of_many() {
    for (n, want) in [
        (1, 0.7978845608028654),
        (2, std::f64::consts::FRAC_2_SQRT_PI),
        (3, 1.326386755278609),
        (10, 1.88071569382116),
        (128, 2.827557803897746),
        (1000, 3.435410190807709),
    ] {
        close(&format!("E max |g| of {n}"), expected_largest(n), want, 1e-12);
    }
}

/// The share of the trace that the published construction keeps: 2/π with one shell, 0.904 with two on two axes.
#[test]
fn the_published_radii_miss_covariance() {
    let share = |axes: usize, budget| Cross::unscaled(axes, budget).expect("a cross").second_moment() / axes as f64;
    close("one shell", share(8, 1), 2.0 / std::f64::consts::PI, 1e-12);
    close("two shells", share(2, 10), 0.904, 5e-4);
}

#[test]
fn scaled_crosses_have_the_covariance() {
    let mut rng = Philox::new(51, 0);
    for (n, budget) in [(1, 9), (2, 10), (5, 1), (5, 60), (40, 400)] {
        let cross = Cross::new(n, budget).expect("a cross");
        close("second moment", cross.second_moment(), n as f64, 1e-12 * n as f64);
        let values: Vec<f64> = (0..n).map(|_| 0.1 + rng.uniform()).collect();
        let mean = normals(&mut rng, n);
        let cov = with_eigenvalues(&values, &mut rng);
        let eigen = symmetric(&cov, n).expect("a covariance");
        let placed = cross.place(&mean, &eigen.values, &eigen.vectors).expect("axes fit");
        assert_eq!(placed.masses.len(), 2 * n * (budget / (2 * n)).max(1));
        close("total mass", placed.masses.iter().sum(), 1.0, 1e-13);
        for i in 0..n {
            for j in 0..n {
                let entry = |(mass, x): (&f64, &[f64])| mass * (x[i] - mean[i]) * (x[j] - mean[j]);
                let got: f64 = placed.masses.iter().zip(placed.locations.chunks_exact(n)).map(entry).sum();
                close("covariance", got, cov[i * n + j], 1e-12);
            }
        }
    }
}

/// The coupling behind the formal bound, sampled: shell by length, axis and sign by the largest coordinate.
#[test]
fn the_formal_bound_is_the_cost_of_its_coupling() {
    let mut rng = Philox::new(52, 0);
    for (n, budget) in [(1, 6), (2, 12), (3, 30), (8, 64)] {
        let cross = Cross::new(n, budget).expect("a cross");
        let radii = cross.radii();
        let samples = 100_000;
        let costs: Vec<f64> = (0..samples)
            .map(|_| {
                let g = normals(&mut rng, n);
                let length = g.iter().map(|x| x * x).sum::<f64>().sqrt();
                let shell = radii.windows(2).take_while(|pair| length > 0.5 * (pair[0] + pair[1])).count();
                let largest = g.iter().fold(0.0, |largest, x| f64::max(largest, x.abs()));
                (length * length - 2.0 * radii[shell] * largest + radii[shell] * radii[shell]) / n as f64
            })
            .collect();
        let mean = costs.iter().sum::<f64>() / f64::from(samples);
        let variance = costs.iter().map(|cost| (cost - mean).powi(2)).sum::<f64>() / f64::from(samples);
        let bound = cross.formal_bound(1.0);
        close(&format!("{n} axes"), bound, mean, 5.0 * (variance / f64::from(samples)).sqrt());
        close("the bound is linear in the trace", cross.formal_bound(3.0), 3.0 * bound, 1e-14 * bound.max(1.0));
    }
    assert!(Cross::new(128, 10).expect("a cross").formal_bound(1.0) > 1.0, "one point would be closer");
}

#[test]
fn bad_crosses_are_refused() {
    assert!(Cross::new(3, 0).is_err());
    let cross = Cross::new(2, 8).expect("a cross");
    assert!(cross.place(&[0.0; 2], &[1.0; 3], &[0.0; 6]).is_err());
    assert!(cross.place(&[0.0; 2], &[1.0, -1.0], &[1.0, 0.0, 0.0, 1.0]).is_err());
    let point = Cross::new(0, 8).expect("no axes").place(&[1.0, 2.0], &[], &[]).expect("a point mass");
    assert_eq!((point.masses, point.locations, point.w2_squared), (vec![1.0], vec![1.0, 2.0], 0.0));
}
