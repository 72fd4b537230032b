//! Weighted M-means.

use bures::math::clusters::cluster;
use bures::reference::philox::Philox;

use crate::math_support::{close, normals};

/// `Σ w ‖x − centre‖²` of given labels, textbook loops.
fn spread(points: &[f64], width: usize, weights: &[f64], labels: &[u32]) -> f64 {
    let clusters = labels.iter().max().map_or(0, |&label| label + 1);
    let mut sum = 0.0;
    for cluster in 0..clusters {
        let members: Vec<usize> = (0..weights.len()).filter(|&i| labels[i] == cluster).collect();
        let total: f64 = members.iter().map(|&i| weights[i]).sum();
        for axis in 0..width {
            let value = |i: usize| points[i * width + axis];
            let mean = members.iter().map(|&i| weights[i] * value(i)).sum::<f64>() / total;
            sum += members.iter().map(|&i| weights[i] * (value(i) - mean).powi(2)).sum::<f64>();
        }
    }
    sum
}

/// The least spread of at most `clusters` clusters, by trying all labels.
fn least(points: &[f64], width: usize, weights: &[f64], clusters: u32) -> f64 {
    let count = weights.len() as u32;
    let label = |code: u32, i: u32| code / clusters.pow(i) % clusters;
    let all = (0..clusters.pow(count)).map(|code| (0..count).map(|i| label(code, i)).collect::<Vec<u32>>());
    // A label that is not used has no members and adds 0/0: left out by the comparison.
    all.map(|labels| spread(points, width, weights, &labels))
        .filter(|spread| !spread.is_nan())
        .fold(f64::INFINITY, f64::min)
}

#[test]
fn small_cases_come_close_to_the_optimum() {
    let mut rng = Philox::new(31, 0);
    let (mut optimal, cases) = (0, 60);
    for case in 0..cases {
        let width = 1 + case % 3;
        let points = normals(&mut rng, 8 * width);
        let weights: Vec<f64> = (0..8).map(|_| 0.05 + rng.uniform()).collect();
        let found = cluster(&points, width, &weights, 3).expect("points are fine");
        close("spread", found.spread, spread(&points, width, &weights, &found.labels), 1e-13 * found.spread);
        let best = least(&points, width, &weights, 3);
        assert!(found.spread >= best * (1.0 - 1e-12));
        assert!(found.spread <= 1.5 * best, "case {case}: {} against {best}", found.spread);
        optimal += usize::from(found.spread <= best * (1.0 + 1e-12));
        assert_eq!(found, cluster(&points, width, &weights, 3).expect("points are fine"), "the same bits");
    }
    assert!(optimal * 10 >= cases * 8, "optimal in {optimal} of {cases}");
}

#[test]
fn far_groups_are_found() {
    let mut rng = Philox::new(32, 0);
    let (groups, each, width) = (7, 30, 5);
    let centres = normals(&mut rng, groups * width);
    let mut points = Vec::new();
    for i in 0..groups * each {
        let centre = &centres[i % groups * width..][..width];
        points.extend(centre.iter().map(|c| 100.0 * c + 0.1 * rng.normal()));
    }
    let weights = vec![1.0; groups * each];
    let found = cluster(&points, width, &weights, groups).expect("points are fine");
    for (i, &label) in found.labels.iter().enumerate() {
        assert_eq!(label as usize, i % groups, "clusters are numbered by first appearance");
    }
}

#[test]
fn repeated_points_and_zero_weights() {
    let found = cluster(&[1.0, 1.0, 2.0, 2.0, 1.0], 1, &[0.2; 5], 4).expect("points are fine");
    assert_eq!(found.labels, [0, 0, 1, 1, 0]);
    assert_eq!(found.spread, 0.0);
    let found = cluster(&[0.0, 1.0, 10.0, 11.0], 1, &[0.0; 4], 2).expect("points are fine");
    assert_eq!(found.spread, 0.0);
    let found = cluster(&[0.0, 5.0, 10.0, 11.0], 1, &[1.0, 0.0, 1.0, 1.0], 2).expect("points are fine");
    assert_eq!((found.labels[0], found.labels[2], found.labels[3]), (0, 1, 1));
    close("spread", found.spread, 0.5, 1e-15);
    assert_eq!(cluster(&[3.0, 1.0], 1, &[0.5; 2], 5).expect("points are fine").labels, [0, 1]);
    assert!(cluster(&[], 2, &[], 3).expect("no points").labels.is_empty());
}

#[test]
fn bad_points_are_refused() {
    assert!(cluster(&[1.0], 1, &[1.0], 0).is_err());
    assert!(cluster(&[1.0, 2.0], 1, &[1.0], 1).is_err());
    assert!(cluster(&[f64::NAN], 1, &[1.0], 1).is_err());
    assert!(cluster(&[1.0], 1, &[-1.0], 1).is_err());
}
