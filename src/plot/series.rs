//! From metrics records to the curves of a figure: the mean over seeds with its standard error.

use std::collections::BTreeMap;

use super::metrics::{Record, Split};
use crate::math::statistics::mean_and_error;

/// A point of a [`Series`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) mean: f64,
    /// Standard error of the mean; 0 for a single seed.
    pub(super) spread: f64,
}

/// One curve: what was measured on one split, averaged over seeds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Series {
    pub(super) split: Split,
    pub(super) points: Vec<Point>,
}

/// What the horizontal axis counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Axis {
    /// One measurement per epoch and split: the records' own epoch.
    Epoch,
    /// Several measurements per epoch: steps divided by this many steps per epoch.
    FractionOfEpoch(f64),
    /// Too short a run to know how long an epoch is.
    Step,
}

impl Axis {
    /// Chooses the axis that tells most about `records`.
    pub(super) fn of(records: &[Record]) -> Self {
        let mut steps_of_epoch = BTreeMap::new();
        let distinct =
            records.iter().all(|r| *steps_of_epoch.entry((r.seed, r.split, r.epoch)).or_insert(r.step) == r.step);
        if distinct && records.iter().any(|r| r.epoch > 0) {
            return Self::Epoch;
        }
        // Tests happen at the ends of epochs, but the last one may come early (--max-steps), so the length of an epoch
        // is known only once a second test has been seen.
        let tests = || records.iter().filter(|r| r.split == Split::Test && r.epoch > 0);
        let first = tests().min_by_key(|r| r.step);
        match first {
            Some(first) if first.step > 0 && tests().any(|r| r.epoch > first.epoch) => {
                Self::FractionOfEpoch(first.step as f64 / first.epoch as f64)
            }
            _ => Self::Step,
        }
    }

    /// The axis label.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Epoch | Self::FractionOfEpoch(_) => "epoch",
            Self::Step => "step",
        }
    }

    fn position(self, record: &Record) -> f64 {
        match self {
            Self::Epoch => record.epoch as f64,
            Self::FractionOfEpoch(steps) => record.step as f64 / steps,
            Self::Step => record.step as f64,
        }
    }
}

/// Curves never get more points than this: more would not be seen, and would make the SVG heavy.
const MAX_POINTS: usize = 400;

/// The curve of each split on which `value` was measured; values that are absent or not finite are left out.
pub(super) fn series(records: &[Record], axis: Axis, value: impl Fn(&Record) -> Option<f64>) -> Vec<Series> {
    [Split::Train, Split::Test]
        .into_iter()
        .filter_map(|split| {
            // Seeds are keyed inside a step so that a step written twice (by a resumed run) counts once.
            let mut steps: BTreeMap<u64, (f64, BTreeMap<u64, f64>)> = BTreeMap::new();
            for record in records.iter().filter(|r| r.split == split) {
                if let Some(value) = value(record).filter(|v| v.is_finite()) {
                    let entry = steps.entry(record.step).or_default();
                    entry.0 = axis.position(record);
                    entry.1.insert(record.seed, value);
                }
            }
            let steps: Vec<_> = steps.into_values().collect();
            let points: Vec<_> = steps.chunks(steps.len().div_ceil(MAX_POINTS).max(1)).map(point).collect();
            (!points.is_empty()).then_some(Series { split, points })
        })
        .collect()
}

/// Averages a run of neighbouring steps, first within each seed, then over seeds.
fn point(chunk: &[(f64, BTreeMap<u64, f64>)]) -> Point {
    let x = chunk.iter().map(|(x, _)| x).sum::<f64>() / chunk.len() as f64;
    let mut of_seed: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    for (seed, value) in chunk.iter().flat_map(|(_, seeds)| seeds) {
        let entry = of_seed.entry(*seed).or_default();
        *entry = (entry.0 + value, entry.1 + 1.0);
    }
    let values: Vec<f64> = of_seed.values().map(|(sum, count)| sum / count).collect();
    let (mean, spread) = mean_and_error(&values);
    Point { x, mean, spread }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(seed: u64, step: u64, epoch: u64, split: Split, loss: f64) -> Record {
        Record { seed, step, epoch, split, loss: Some(loss), error: None, seconds: 0.0 }
    }

    #[test]
    fn mean_and_standard_error_over_seeds() {
        let records: Vec<_> =
            [1.0, 2.0, 6.0].iter().zip(0..).map(|(l, seed)| record(seed, 10, 1, Split::Test, *l)).collect();
        let curves = series(&records, Axis::of(&records), |r| r.loss);
        // Sample variance of (1, 2, 6) is 7.
        assert_eq!(curves.len(), 1);
        assert_eq!(curves[0].points[0].mean, 3.0);
        assert!((curves[0].points[0].spread - (7.0_f64 / 3.0).sqrt()).abs() < 1e-15);
    }

    #[test]
    fn steps_become_epochs_once_two_tests_are_known() {
        let mut records: Vec<_> = (1..=30).map(|s| record(0, s, s.div_ceil(10), Split::Train, 1.0)).collect();
        assert_eq!(Axis::of(&records), Axis::Step);
        records.push(record(0, 10, 1, Split::Test, 1.0));
        assert_eq!(Axis::of(&records), Axis::Step);
        records.push(record(0, 20, 2, Split::Test, 1.0));
        assert_eq!(Axis::of(&records), Axis::FractionOfEpoch(10.0));
        assert_eq!(Axis::of(&records[30..]), Axis::Epoch);
    }

    #[test]
    fn long_runs_are_thinned_and_values_that_are_not_finite_are_left_out() {
        let mut records: Vec<_> = (1..=1001).map(|s| record(0, s, 0, Split::Train, s as f64)).collect();
        records[0].loss = Some(f64::NAN);
        records[1].loss = None;
        let curves = series(&records, Axis::Step, |r| r.loss);
        assert_eq!(curves[0].points.len(), 333);
        assert_eq!(curves[0].points[0].mean, 4.0);
    }
}
