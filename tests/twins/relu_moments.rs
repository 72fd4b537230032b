//! Rectified moments against quadrature and differences, and at extremes.

use bures::reference::Real;
use bures::reference::normal::relu_moments;

use crate::tolerances::{MOMENTS, epsilon};

/// Nodes and weights of Gauss and Legendre's rule of `n` points on [−1, 1], by Newton's method.
pub(crate) fn legendre(n: usize) -> Vec<(f64, f64)> {
    let rule = |i: usize| {
        let mut x = (std::f64::consts::PI * (i as f64 + 0.75) / (n as f64 + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..100 {
            let (mut before, mut value) = (1.0, x);
            for k in 2..=n {
                let k = k as f64;
                (before, value) = (value, ((2.0 * k - 1.0) * x * value - (k - 1.0) * before) / k);
            }
            slope = n as f64 * (x * value - before) / (x * x - 1.0);
            x -= value / slope;
        }
        (x, 2.0 / ((1.0 - x * x) * slope * slope))
    };
    (0..n).map(rule).collect()
}

/// `∫ f` over [a, b] in `pieces` equal pieces.
pub(crate) fn integral(rule: &[(f64, f64)], a: f64, b: f64, pieces: usize, f: impl Fn(f64) -> f64) -> f64 {
    let half = (b - a) / (2.0 * pieces as f64);
    let piece = |i: usize| {
        let middle = a + (2 * i + 1) as f64 * half;
        rule.iter().map(|&(x, w)| w * half * f(middle + half * x)).sum::<f64>()
    };
    (0..pieces).map(piece).sum()
}

/// `(A/s, F)` for `t = m/s`: with `z = u − t` standard normal, `A/s = ∫ u φ(u − t) du` and `F = ∫ φ(u − t) du` over
/// u > 0. In the lower tail `φ(u − t) = φ(t) exp(ut − u²/2)` keeps the integrand at the scale of 1.
fn by_quadrature(rule: &[(f64, f64)], t: f64) -> (f64, f64) {
    let density = |z: f64| (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
    if t < 0.0 {
        let end = 40.0 / (1.0 - t).max(4.0);
        let tilted = |u: f64| (u * t - 0.5 * u * u).exp();
        let (a, f) = (integral(rule, 0.0, end, 40, |u| u * tilted(u)), integral(rule, 0.0, end, 40, tilted));
        return (density(t) * a, density(t) * f);
    }
    let (start, end) = ((t - 10.0).max(0.0), t + 10.0);
    let (a, f) =
        (integral(rule, start, end, 40, |u| u * density(u - t)), integral(rule, start, end, 40, |u| density(u - t)));
    (a, f)
}

#[test]
fn moments_agree_with_quadrature() {
    let rule = legendre(20);
    let total: f64 = rule.iter().map(|(_, w)| w).sum();
    assert!((total - 2.0).abs() < 1e-13, "the rule itself: {total}");
    let mut worst = 0.0;
    for i in -370..=370 {
        let t = f64::from(i) / 10.0;
        let (a, f) = by_quadrature(&rule, t);
        for s in [1e-6, 0.03, 1.0, 7.5, 1e9] {
            let moments = relu_moments(t * s, s * s);
            for (name, got, want) in [("A", moments.a, s * a), ("F", moments.f, f)] {
                let off = ((got - want) / want).abs() / (f64::EPSILON * (1.0 + t * t));
                assert!(off <= MOMENTS, "{name}, t = {t}, s = {s}: {got:e}, not {want:e}");
                worst = f64::max(worst, off);
            }
        }
    }
    eprintln!("quadrature: {worst:.2} ε (1 + t²)");
}

/// The error of a five-point difference, best over steps.
fn slope_error(want: f64, at: f64, f: impl Fn(f64) -> f64) -> f64 {
    let step_error = |h: f64| {
        let h = h * at.abs().max(0.1);
        let slope = (8.0 * (f(at + h) - f(at - h)) - (f(at + 2.0 * h) - f(at - 2.0 * h))) / (12.0 * h);
        (slope - want).abs()
    };
    [1e-2, 3e-3, 1e-3, 3e-4, 1e-4].into_iter().map(step_error).fold(f64::INFINITY, f64::min)
}

#[test]
fn derivatives_agree_with_differences() {
    for i in -60..=60 {
        for s in [0.3_f64, 1.0, 2.5] {
            let (m, variance) = (f64::from(i) * 0.1 * s, s * s);
            let here = relu_moments(m, variance);
            let (half_q, qw) = (0.5 * here.q, 0.5 * here.q * here.w);
            let slopes = [
                ("∂A/∂m", slope_error(here.f, m, |m| relu_moments(m, variance).a), 1.0),
                ("∂F/∂m", slope_error(here.q, m, |m| relu_moments(m, variance).f), 1.0 / s),
                ("∂A/∂s²", slope_error(half_q, variance, |v| relu_moments(m, v).a), 1.0 / s),
                ("∂F/∂s²", slope_error(-qw, variance, |v| relu_moments(m, v).f), 1.0 / variance),
            ];
            for (name, off, scale) in slopes {
                assert!(off <= 1e-9 * scale, "{name}, m = {m}, s = {s}: off by {off:e}");
            }
        }
    }
}

fn rises_with_its_mean<T: Real>() {
    for s in [1e-3, 0.7, 40.0] {
        let mut last = relu_moments(T::of(-40.0 * s), T::of(s * s));
        for i in -3999..=4000 {
            let next = relu_moments(T::of(f64::from(i) * 0.01 * s), T::of(s * s));
            assert!(next.a >= last.a && next.f >= last.f, "t = {}, s = {s}", f64::from(i) * 0.01);
            assert!(next.a >= T::ZERO && next.f >= T::ZERO && next.f <= T::ONE);
            last = next;
        }
    }
}

#[test]
fn moments_rise_with_the_mean() {
    rises_with_its_mean::<f64>();
    rises_with_its_mean::<f32>();
}

fn stays_finite<T: Real>() {
    let magnitudes = [0.0, 1e-45, 1e-38, 1e-30, 1e-20, 1e-17, 1e-10, 1e-3, 1.0, 20.0, 1e4, 1e10, 1e20, 1e30];
    // Of those near the smallest, some are zero in f32.
    let variances = [
        0.0, 5e-324, 1e-300, 9e-291, 1.1e-290, 1e-280, 1e-45, 1e-38, 9e-35, 1.1e-34, 1e-33, 1e-30, 1e-20, 1e-8, 1.0,
        1e8, 1e20, 1e30,
    ];
    for variance in variances {
        let near = [0.1, 0.5, 1.0, 2.0, 5.0, 11.0].map(|t| t * f64::sqrt(variance));
        for mean in magnitudes.into_iter().chain(near).flat_map(|m| [m, -m]) {
            let (m, v) = (T::of(mean), T::of(variance));
            let moments = relu_moments(m, v);
            let case = format!("mean {mean:e}, variance {variance:e}: {moments:?}");
            // The last is 2 ∂F/∂s², the largest number that a backward pass makes of them.
            for value in [moments.a, moments.f, moments.q, moments.w, moments.q * moments.w] {
                assert!(value.to_f64().is_finite(), "{case}");
            }
            assert!(moments.a >= T::ZERO && moments.f >= T::ZERO && moments.f <= T::ONE, "{case}");
            // E relu(Y) lies between relu(m) and relu(m) + s φ(0).
            let least = m.to_f64().max(0.0);
            let most = (least + v.to_f64().sqrt()) * (1.0 + 4.0 * epsilon::<T>());
            let a = moments.a.to_f64();
            assert!(a >= least * (1.0 - 4.0 * epsilon::<T>()) && a <= most, "{case}");
        }
    }
}

#[test]
fn no_finite_input_gives_nan() {
    stays_finite::<f64>();
    stays_finite::<f32>();
}

#[test]
fn single_precision_keeps_its_relative_accuracy() {
    let mut worst = 0.0;
    for i in -3700..=3700 {
        for s in [1e-4_f32, 0.5, 3.0, 1e4] {
            let (m, variance) = (i as f32 * 0.01 * s, s * s);
            let got = relu_moments(m, variance);
            let want = relu_moments(f64::from(m), f64::from(variance));
            let t = f64::from(i) * 0.01;
            let values = [("A", got.a, want.a), ("F", got.f, want.f), ("q", got.q, want.q), ("w", got.w, want.w)];
            for (name, got, want) in values {
                // Out of range once φ(t) leaves f32's normal numbers; then only small values may come out, and w = 0.
                if t.abs() > 12.5 || want == 0.0 {
                    let scale = f64::from(s) * 1e-30 + f64::from(1.0 / s) * 1e-30;
                    let tail = t < 0.0 || name == "q";
                    assert!(!tail || name == "w" || f64::from(got).abs() <= scale, "{name} at t = {t}: {got:e}");
                    continue;
                }
                let off = ((f64::from(got) - want) / want).abs() / (epsilon::<f32>() * (1.0 + t * t));
                assert!(off <= MOMENTS, "{name} at t = {t}, s = {s}: {got:e}, not {want:e}: {off:.2}");
                worst = f64::max(worst, off);
            }
        }
    }
    eprintln!("f32 against f64: {worst:.2} ε (1 + t²)");
}
