//! Optimisers against recurrences on one number.

use bures::reference::optimizer::{AdamSettings, Group, Rule, step};
use bures::reference::philox::Philox;

use crate::support::normals;

/// More than one thread's share, so that shares meet inside a group.
const PARAMS: usize = 70_001;
const RUNS: usize = 2;

/// Two groups that learn, one that is frozen, and a gap that belongs to none.
fn groups() -> [Group; 3] {
    [
        Group { range: 0..40_000, rate: 0.25, l2: 0.0 },
        Group { range: 40_000..50_000, rate: 0.0, l2: 0.5 },
        Group { range: 50_001..PARAMS, rate: 0.03, l2: 0.125 },
    ]
}

/// Rate and penalty of a parameter.
fn settings(at: usize) -> (f64, f64) {
    let group = groups().into_iter().find(|group| group.range.contains(&(at % PARAMS)));
    group.map_or((0.0, 0.0), |group| (f64::from(group.rate), f64::from(group.l2)))
}

/// Compares each parameter with `scalar(start, gradients, rate, l2)`; those that do not learn keep their bits.
#[track_caller]
fn check(start: &[f64], grads: &[Vec<f64>], got: &[f64], scalar: impl Fn(f64, &[f64], f64, f64) -> f64) {
    let mut moved = 0;
    for (at, (&start, &got)) in start.iter().zip(got).enumerate() {
        let (rate, l2) = settings(at);
        if rate == 0.0 {
            assert_eq!(got.to_bits(), start.to_bits(), "parameter {at} is frozen");
            continue;
        }
        let grads: Vec<f64> = grads.iter().map(|g| g[at]).collect();
        let want = scalar(start, &grads, rate, l2);
        assert!((got - want).abs() <= 1e-13 * (1.0 + want.abs()), "parameter {at}: {got}, not {want}");
        moved += usize::from(got != start);
    }
    assert!(moved > RUNS * 59_000, "only {moved} parameters learned");
}

/// Parameters and the gradients of ten steps.
fn problem() -> (Vec<f64>, Vec<Vec<f64>>) {
    let mut rng = Philox::new(21, 0);
    let mut start = normals(&mut rng, RUNS * PARAMS);
    // A negative zero keeps its sign only if nothing is added to it.
    start[40_001] = -0.0;
    // Drawn once and rotated from step to step, which is quicker than drawing ten times.
    let pool = normals(&mut rng, RUNS * PARAMS);
    let shifted = |step: usize| {
        let mut grads = pool.clone();
        grads.rotate_left(step * 37);
        grads
    };
    (start, (0..10).map(shifted).collect())
}

#[test]
fn sgd_steps() {
    let (start, grads) = problem();
    let mut params = start.clone();
    for grads in &grads {
        step(&Rule::Sgd, PARAMS, &groups(), &mut params, grads, Default::default()).expect("shapes fit");
    }
    check(&start, &grads, &params, |start, grads, rate, l2| grads.iter().fold(start, |p, g| p - rate * (g + l2 * p)));
}

#[test]
fn sgd_with_momentum() {
    let (start, grads) = problem();
    let (mut params, mut buffer) = (start.clone(), vec![0.0; start.len()]);
    for grads in &grads {
        step(&Rule::Momentum { decay: 0.9 }, PARAMS, &groups(), &mut params, grads, [&mut buffer, &mut []])
            .expect("shapes fit");
    }
    check(&start, &grads, &params, |mut p, grads, rate, l2| {
        let mut velocity = 0.0;
        for g in grads {
            velocity = 0.9 * velocity + g + l2 * p;
            p -= rate * velocity;
        }
        p
    });
}

#[test]
fn adam_steps() {
    let (start, grads) = problem();
    let adam_settings = AdamSettings { epsilon: 1e-3, ..AdamSettings::default() };
    let (mut params, mut first, mut second) = (start.clone(), vec![0.0; start.len()], vec![0.0; start.len()]);
    for (number, grads) in (1..).zip(&grads) {
        let rule = Rule::adam(adam_settings, number);
        step(&rule, PARAMS, &groups(), &mut params, grads, [&mut first, &mut second]).expect("shapes fit");
    }
    let (beta1, beta2) = (f64::from(0.9_f32), f64::from(0.999_f32));
    check(&start, &grads, &params, |mut p, grads, rate, l2| {
        let (mut mean, mut square) = (0.0, 0.0);
        for (step, g) in (1..).zip(grads) {
            let g = g + l2 * p;
            mean = beta1 * mean + (1.0 - beta1) * g;
            square = beta2 * square + (1.0 - beta2) * g * g;
            let unbiased_mean = mean / (1.0 - beta1.powi(step));
            let unbiased_square: f64 = square / (1.0 - beta2.powi(step));
            p -= rate * unbiased_mean / (unbiased_square.sqrt() + f64::from(1e-3_f32));
        }
        p
    });
}

/// The first step of Adam has the length of the rate, whatever the gradient's size.
#[test]
fn adam_starts_with_the_rate() {
    for size in [1e-4_f32, 1.0, 1e4] {
        let mut params = [1.0_f32, 1.0];
        let group = [Group { range: 0..2, rate: 0.01, l2: 0.0 }];
        let (mut first, mut second) = ([0.0; 2], [0.0; 2]);
        let settings = AdamSettings::default();
        step(&Rule::adam(settings, 1), 2, &group, &mut params, &[size, -size], [&mut first, &mut second])
            .expect("shapes fit");
        assert!((params[0] - 0.99).abs() < 2e-6 && (params[1] - 1.01).abs() < 2e-6, "{size}: {params:?}");
    }
}

#[test]
fn arrays_of_other_lengths_are_refused() {
    let group = [Group { range: 0..2, rate: 0.1, l2: 0.0 }];
    let mut params = [0.0_f32; 2];
    assert!(step(&Rule::Sgd, 2, &group, &mut params, &[0.0; 3], Default::default()).is_err());
    let momentum = Rule::Momentum { decay: 0.9 };
    assert!(step(&momentum, 2, &group, &mut params, &[0.0; 2], [&mut [0.0; 3], &mut []]).is_err());
    let rule = Rule::adam(AdamSettings::default(), 1);
    let (mut two, mut three) = ([0.0; 2], [0.0; 3]);
    assert!(step(&rule, 2, &group, &mut params, &[0.0; 2], [&mut two, &mut three]).is_err());
    assert!(step(&rule, 2, &group, &mut params, &[0.0; 2], [&mut three, &mut two]).is_err());
}
