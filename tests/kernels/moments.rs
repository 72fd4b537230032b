//! Rectified moments on an edge grid.

use bures::kernels::relu_moments::{ReluMoments, ReluMomentsArgs};
use bures::reference::normal::relu_moments;

use crate::device::Bench;
use crate::tolerances;

fn grid() -> Vec<(f32, f32)> {
    let mut grid = Vec::new();
    for s in [1e-16f32, 1e-8, 1e-3, 1.0, 30.0, 1e10] {
        for t in -260..=260 {
            grid.push((t as f32 * 0.05 * s, s * s));
        }
    }
    grid
}

fn on_gpu(points: &[(f32, f32)]) -> Vec<f32> {
    let mut bench = Bench::gpu();
    let mean: Vec<f32> = points.iter().map(|p| p.0).collect();
    let variance: Vec<f32> = points.iter().map(|p| p.1).collect();
    let (mean, variance) = (bench.put(&mean), bench.put(&variance));
    let mut moments = bench.garbage(4 * points.len());
    let kernel = ReluMoments::new(&bench.device).expect("a kernel");
    let args = ReluMomentsArgs { mean: &mean, variance: &variance, moments: &mut moments };
    kernel.record(&mut bench.stream, args).expect("a dispatch");
    bench.get(&moments)
}

#[test]
fn keep_relative_accuracy_in_both_tails() {
    let grid = grid();
    for (&(mean, variance), got) in grid.iter().zip(on_gpu(&grid).chunks_exact(4)) {
        let mut want = relu_moments(f64::from(mean), f64::from(variance));
        let s = f64::from(variance).sqrt();
        let t = f64::from(mean) / s;
        if got[2] == 0.0 {
            // q underflows in f32, and w only counts beside it.
            want.w = 0.0;
        }
        for (name, got, want, scale) in [
            ("A", got[0], want.a, s),
            ("F", got[1], want.f, 1.0),
            ("q", got[2], want.q, 1.0 / s),
            ("w", got[3], want.w, 1.0 / s),
        ] {
            let (error, allowed) = ((f64::from(got) - want).abs(), tolerances::moments(t, scale)(want));
            assert!(error <= allowed, "{name} at t = {t}, s = {s:e}: {got:e}, want {want:e}, off by {error:e}");
            assert!(name == "w" || got >= 0.0, "{name} at t = {t}, s = {s:e} is {got:e}");
        }
    }
}

#[test]
fn are_finite_for_every_finite_input() {
    let values = [0.0f32, 1e-38, 1e-30, 1e-20, 1e-18, 1e-10, 1.0, 1e4, 1e15, 1e30];
    let points: Vec<(f32, f32)> =
        values.iter().flat_map(|&m| values.iter().flat_map(move |&v| [(m, v), (-m, v)])).collect();
    for (point, got) in points.iter().zip(on_gpu(&points).chunks_exact(4)) {
        assert!(got.iter().all(|x| x.is_finite()), "{point:?} gives {got:?}");
        assert!(got[0] >= 0.0 && (0.0..=1.0).contains(&got[1]), "{point:?} gives {got:?}");
        if point.1 <= 1e-34 {
            assert_eq!(got, [point.0.max(0.0), f32::from(u8::from(point.0 > 0.0)), 0.0, 0.0]);
        }
    }
}
