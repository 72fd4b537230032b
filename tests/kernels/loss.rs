//! Losses and their gradients.

use bures::kernels::loss::{Loss, LossArgs, LossDims, Target};
use bures::reference::loss as twin;

use crate::device::{Bench, assert_close, padded, widen};
use crate::tolerances;

struct Outcome {
    dh: Vec<f32>,
    losses: Vec<f32>,
    errors: Vec<u32>,
}

enum Given<'a> {
    Labels(&'a [u32], bool),
    Values(&'a [f32]),
}

/// Runs the loss in the second of two slots.
fn run(dims: LossDims, h: &[f32], given: &Given<'_>) -> Outcome {
    let mut bench = Bench::gpu();
    let h = bench.put(h);
    let mut dh = bench.garbage(dims.h_len());
    let (mut losses, mut errors) = (bench.zeros::<f32>(2 * dims.runs), bench.zeros::<u32>(2 * dims.runs));
    let (labels, values, reference) = match given {
        Given::Labels(labels, reference) => (bench.put(&labels.repeat(2)), bench.zeros::<f32>(0), *reference),
        Given::Values(values) => (bench.zeros::<u32>(0), bench.put(&values.repeat(2)), false),
    };
    let target = match given {
        Given::Labels(..) => Target::Labels { labels: &labels, reference },
        Given::Values(_) => Target::Values(&values),
    };
    let (to, count) = (&mut losses, &mut errors);
    let args = LossArgs { valid: dims.valid, h: &h, target, slot: 1, dh: &mut dh, losses: to, errors: count };
    Loss::new(&bench.device, dims).expect("kernels").record(&mut bench.stream, args).expect("dispatches");
    let (losses, errors) = (bench.get(&losses), bench.get(&errors));
    assert_eq!(losses[..dims.runs], vec![0.0; dims.runs], "another slot was written");
    Outcome { dh: bench.get(&dh), losses: losses[dims.runs..].to_vec(), errors: errors[dims.runs..].to_vec() }
}

fn compare(dims: LossDims, h: &[f32], given: &Given<'_>) {
    let got = run(dims, h, given);
    let wide = widen(h);
    let mut dh = vec![0.0; h.len()];
    let (mut losses, mut errors) = (vec![0.0; dims.runs], vec![0; dims.runs]);
    match given {
        Given::Labels(labels, reference) => {
            twin::logistic(dims, *reference, &wide, labels, &mut dh, &mut losses, &mut errors).expect("shapes");
        }
        Given::Values(values) => {
            twin::squared(dims, &wide, &widen(values), &mut dh, &mut losses, &mut errors).expect("shapes");
        }
    }
    let largest = wide.iter().fold(0.0f64, |largest, h| largest.max(h.abs()));
    assert_close("dh", &got.dh, &dh, tolerances::loss(largest / dims.valid as f64));
    assert_close("loss", &got.losses, &losses, tolerances::loss(largest));
    assert_eq!(got.errors, errors);
}

#[test]
fn logistic_agrees_with_the_twin() {
    for (runs, batch, outputs, valid) in [(1, 64, 9, 64), (3, 63, 1, 20), (2, 70, 100, 1), (1, 1, 10, 1)] {
        let dims = LossDims { runs, batch, outputs, valid };
        let h = padded(1, runs * batch, outputs, 3.0);
        for reference in [true, false] {
            let classes = outputs + usize::from(reference);
            let labels: Vec<u32> = (0..runs * batch).map(|i| (i * 7 % classes) as u32).collect();
            compare(dims, &h, &Given::Labels(&labels, reference));
        }
    }
}

#[test]
fn logistic_survives_huge_logits_and_breaks_ties_downwards() {
    let dims = LossDims { runs: 1, batch: 5, outputs: 2, valid: 5 };
    let rows = [[1e5, -1e5], [-1e5, -1e5], [1e5, 1e5], [0.0, 0.0], [0.0, 5e4]];
    let h: Vec<f32> = rows.iter().flat_map(|row| [row[0], row[1], 0.0, 0.0]).collect();
    for reference in [true, false] {
        for label in 0..2 + u32::from(reference) {
            compare(dims, &h, &Given::Labels(&[label; 5], reference));
        }
    }
}

#[test]
fn squared_agrees_with_the_twin() {
    for (runs, batch, outputs, valid) in [(1, 64, 1, 64), (3, 5, 9, 4)] {
        let dims = LossDims { runs, batch, outputs, valid };
        let (h, y) = (padded(1, runs * batch, outputs, 1.0), padded(2, runs * batch, outputs, 1.0));
        compare(dims, &h, &Given::Values(&y));
    }
}
