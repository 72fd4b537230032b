//! Rectified moments against a table computed with 60 digits.

use bures::reference::Real;
use bures::reference::normal::relu_moments;

use crate::support::{Golden, golden_folder};
use crate::tolerances::{MOMENTS as TOLERANCE, epsilon};

pub(crate) const MOMENTS: &str = "relu_moments";

/// Compares every entry on its own scale, where the type can hold it. The error of rounding `m` and `s²` to the
/// type counts too: with `t²` for a condition number, they are part of the tolerance.
///
/// The column `dF_ds` is not what the manifest says, `∂F/∂s = −tφ/s` (differences of its own column F give that):
/// it holds `−tφ/s²`, which is `2 ∂F/∂s²`, the twin's `−q w`. `relu_moments.rs` checks `∂F/∂s²` by differences.
fn compare<T: Real>(golden: &Golden, smallest: f64) {
    let names = ["m", "s", "A", "F", "phi", "dF_dm", "dF_ds"];
    let table: Vec<_> = names.iter().map(|name| golden.floats(name)).collect();
    let (mut worst, mut compared) = (0.0, 0);
    for i in 0..table[0].len() {
        let entry: Vec<f64> = table.iter().map(|column| column[i]).collect();
        let (m, s) = (entry[0], entry[1]);
        let t = m / s;
        let moments = relu_moments(T::of(m), T::of(s * s));
        let (q, w) = (moments.q.to_f64(), moments.w.to_f64());
        let got = [moments.a.to_f64(), moments.f.to_f64(), q * s, q, -q * w];
        for ((got, &want), name) in got.into_iter().zip(&entry[2..]).zip(&names[2..]) {
            // Below the type's normal range relative accuracy ends; the value must still be as small.
            if want.abs() < smallest {
                assert!(got.abs() <= 2.0 * smallest, "{name} at t = {t}: {got:e}");
                continue;
            }
            let off = ((got - want) / want).abs() / (epsilon::<T>() * (1.0 + t * t));
            assert!(off <= TOLERANCE, "{name} at m = {m}, s = {s}, t = {t}: {got:e}, not {want:e}: {off:.2}");
            worst = f64::max(worst, off);
            compared += 1;
        }
    }
    eprintln!("moments, {compared} entries: {worst:.2} ε (1 + t²)");
    assert!(compared >= 300, "only {compared} entries are in range");
}

#[test]
fn moments_agree_with_the_table() {
    let Some(folder) = golden_folder() else { return };
    let golden = Golden::read(&folder, MOMENTS);
    // A product of factors is exact only while each is normal: leave room of 1e6 above the smallest normal number.
    compare::<f64>(&golden, 1e-302);
    compare::<f32>(&golden, 1e-32);
}
