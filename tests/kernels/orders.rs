//! Moments of activations up to the eighth order on edge grids.

use bures::kernels::activation_moments::{ActivationMoments, ActivationMomentsArgs, Elementwise, PLANES};
use bures::reference::activation_moments::moments;

use crate::device::Bench;
use crate::tolerances::{self, EPSILON};

const NAMES: [&str; PLANES] = ["E a", "F", "E a²", "r²", "Var a²", "E δ⁴", "E a⁴", "E(a² − E a²)⁴"];
/// Powers of the deviation that the planes scale with.
const POWERS: [i32; PLANES] = [1, 0, 2, 2, 4, 4, 4, 8];

fn run(mut bench: Bench, kind: Elementwise, points: &[(f32, f32)]) -> Vec<f32> {
    let mean: Vec<f32> = points.iter().map(|p| p.0).collect();
    let variance: Vec<f32> = points.iter().map(|p| p.1).collect();
    let (mean, variance) = (bench.put(&mean), bench.put(&variance));
    let mut out = bench.garbage(PLANES * points.len());
    let kernel = ActivationMoments::new(&bench.device, kind).expect("a kernel");
    let args = ActivationMomentsArgs { mean: &mean, variance: &variance, moments: &mut out };
    kernel.record(&mut bench.stream, args).expect("a dispatch");
    bench.get(&out)
}

/// Compares every plane of every point; `allowed(point, plane, want)` is the largest difference.
fn compare(kind: Elementwise, points: &[(f32, f32)], allowed: impl Fn((f64, f64), usize, &[f64]) -> f64) {
    let got = run(Bench::gpu(), kind, points);
    let mut worst = [0.0; PLANES];
    for (i, &(m, v)) in points.iter().enumerate() {
        let (m, v) = (f64::from(m), f64::from(v));
        let want = moments(kind, m, v).planes();
        for plane in 0..PLANES {
            let got = got[plane * points.len() + i];
            if want[plane].abs() > 1e38 {
                // Out of f32's range.
                continue;
            }
            let (error, allowed) = ((f64::from(got) - want[plane]).abs(), allowed((m, v), plane, &want));
            let name = NAMES[plane];
            assert!(
                error <= allowed,
                "{kind:?} {name} of N({m:e}, {v:e}): {got:e}, want {:e}, allowed {allowed:e}",
                want[plane]
            );
            worst[plane] = f64::max(worst[plane], error / allowed);
        }
    }
    eprintln!("{kind:?}: {worst:.2?} of what is allowed");
}

#[test]
fn rectifier_keeps_relative_accuracy_in_both_tails() {
    let mut points = Vec::new();
    for s in [1e-16f32, 1e-8, 1e-3, 1.0, 30.0, 1e4] {
        points.extend((-800..=800).map(|t| (t as f32 * 0.05 * s, s * s)));
    }
    compare(Elementwise::Relu, &points, |(m, v), plane, want| {
        let s = v.sqrt();
        // Results of the eighth order pass through numbers of the fourth; each leaves f32 at 1e-38.
        let floor = 1e-36 * (1.0 + s.powi(POWERS[plane])) * (1.0 + s * s);
        floor + tolerances::orders(m / s) * want[plane].abs()
    });
}

#[test]
fn identity_is_a_handful_of_operations() {
    let points: Vec<(f32, f32)> =
        [0.0f32, 1e-4, 0.3, 7.0, 1e4].iter().flat_map(|&m| [(m, 0.0), (-m, 2.0), (m, 1e4)]).collect();
    compare(Elementwise::Identity, &points, |_, plane, want| tolerances::elementwise(want[plane]));
}

/// Means of both signs of tanh cancel, so a mean is compared by the size of what is added. Sums of up to 2,240 terms.
#[test]
fn tanh_keeps_relative_accuracy_on_narrow_and_wide_gaussians() {
    let mut points = Vec::new();
    for s in [0.0f32, 1e-8, 1e-6, 1e-3, 0.1, 0.49, 0.6, 1.0, 3.0, 10.0, 31.0] {
        for m in [0.0f32, 0.1, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 40.0] {
            points.extend([(m, s * s), (-m, s * s)]);
        }
    }
    compare(Elementwise::Tanh, &points, |_, plane, want| {
        let size = if plane == 0 { want[2].sqrt() } else { want[plane].abs() };
        1e-36 + 128.0 * EPSILON * size
    });
}

#[test]
fn a_number_that_does_not_vary_is_exact() {
    let points: Vec<(f32, f32)> = [-1e18f32, -2.0, 0.0, 1e-20, 3.0, 1e9].iter().map(|&m| (m, 0.0)).collect();
    let got = run(Bench::gpu(), Elementwise::Relu, &points);
    for (i, &(m, _)) in points.iter().enumerate() {
        let a = m.max(0.0);
        let planes: Vec<f32> = (0..PLANES).map(|plane| got[plane * points.len() + i]).collect();
        assert_eq!(planes, [a, f32::from(u8::from(m > 0.0)), a * a, 0.0, 0.0, 0.0, (a * a) * (a * a), 0.0]);
    }
}

/// NaN nowhere within the domain; beyond it infinities, and 0 where a tail vanishes.
#[test]
fn extremes_give_no_nan() {
    let values = [0.0f32, 1e-38, 1e-30, 1e-18, 1e-4, 1.0, 3e4, 1e15, 1e30];
    let points: Vec<(f32, f32)> =
        values.iter().flat_map(|&m| values.iter().flat_map(move |&v| [(m, v), (-m, v)])).collect();
    for kind in [Elementwise::Identity, Elementwise::Relu, Elementwise::Tanh] {
        let got = run(Bench::gpu(), kind, &points);
        assert!(got.iter().all(|x| !x.is_nan()), "{kind:?}");
        let inside = |i: usize| points[i].0.abs() <= 3e4 && points[i].1 <= 1e9;
        for i in (0..points.len()).filter(|&i| inside(i)) {
            let planes: Vec<f32> = (0..PLANES).map(|plane| got[plane * points.len() + i]).collect();
            assert!(planes.iter().all(|x| x.is_finite()), "{kind:?} {:?}: {planes:?}", points[i]);
            assert!(planes[1..].iter().all(|&x| x >= 0.0), "{kind:?} {:?}: {planes:?}", points[i]);
        }
    }
}

#[test]
fn repeats_are_identical() {
    let points: Vec<(f32, f32)> = (0..333).map(|i| (0.03 * i as f32 - 5.0, 0.01 * i as f32)).collect();
    for kind in [Elementwise::Relu, Elementwise::Tanh] {
        let bits = || run(Bench::gpu(), kind, &points).iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(), bits());
    }
}
