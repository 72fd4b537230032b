//! Moments of activations against quadrature, in narrow limits and at extremes.

use bures::reference::activation_moments::{Elementwise, Moments, moments, planes};

use crate::relu_moments::{integral, legendre};

const NAMES: [&str; 8] = ["E a", "F", "E a²", "r²", "Var a²", "E δ⁴", "E a⁴", "E(a² − E a²)⁴"];

/// The moments as they are defined, with the expectation `expect` of functions of the standard normal `x`.
fn by_definition(
    expect: impl Fn(&dyn Fn(f64) -> f64) -> f64,
    a: impl Fn(f64) -> f64,
    slope: impl Fn(f64) -> f64,
    s: f64,
) -> Moments<f64> {
    let (mean, f) = (expect(&a), expect(&slope));
    let second = expect(&|x| a(x).powi(2));
    let delta = |x: f64| a(x) - mean - f * s * x;
    let square = |x: f64| a(x).powi(2) - second;
    Moments {
        mean,
        slope: f,
        second,
        residual: expect(&|x| delta(x).powi(2)),
        square_variance: expect(&|x| square(x).powi(2)),
        residual_fourth: expect(&|x| delta(x).powi(4)),
        fourth: expect(&|x| a(x).powi(4)),
        square_fourth: expect(&|x| square(x).powi(4)),
    }
}

fn density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt()
}

/// `mean_floor` and `floor` are what the definition itself cannot resolve of `E a` and of `δ`.
fn compare(case: &str, got: Moments<f64>, want: Moments<f64>, relative: f64, mean_floor: f64, floor: f64) -> f64 {
    // Minkowski: a norm of δ is off by what δ is off by.
    let (second, fourth) = (want.residual.sqrt(), want.residual_fourth.sqrt().sqrt());
    let (second, fourth) = ((second + floor).powi(2) - want.residual, (fourth + floor).powi(4) - want.residual_fourth);
    let floors = [mean_floor, 0.0, 0.0, second, 0.0, fourth, 0.0, 0.0];
    let mut worst = 0.0;
    for (((name, got), want), floor) in NAMES.into_iter().zip(got.planes()).zip(want.planes()).zip(floors) {
        let off = (got - want).abs() / (relative * want.abs() + floor).max(f64::MIN_POSITIVE);
        assert!(off <= 1.0, "{case}, {name}: {got:e}, not {want:e}");
        worst = f64::max(worst, off);
    }
    worst
}

#[test]
fn rectifier_agrees_with_quadrature() {
    let rule = legendre(20);
    let mut worst = 0.0;
    for i in -120..=120 {
        let t = f64::from(i) * 0.25;
        let kink = -t;
        let expect = |f: &dyn Fn(f64) -> f64| {
            // Where the kink lies far out, all that counts is right beside it.
            let (low, high) = (f64::min(-14.0, kink - 14.0), f64::max(14.0, kink + 14.0));
            let weighted = |x: f64| f(x) * density(x);
            integral(&rule, low, kink, 80, weighted) + integral(&rule, kink, high, 80, weighted)
        };
        for s in [1e-4, 1.0, 30.0] {
            let a = |x: f64| (s * (t + x)).max(0.0);
            let slope = |x: f64| f64::from(u8::from(t + x > 0.0));
            let want = by_definition(expect, a, slope, s);
            let got = moments(Elementwise::Relu, t * s, s * s);
            let floor = 4e-15 * s * t.max(1.0);
            worst = f64::max(worst, compare(&format!("t = {t}, s = {s}"), got, want, 1e-11, 0.0, floor));
        }
    }
    eprintln!("rectifier: {worst:.2} of what is allowed");
}

#[test]
fn tanh_agrees_with_quadrature() {
    let rule = legendre(20);
    let mut worst = 0.0;
    for m in [0.0, 0.2, -0.7, 1.5, -3.0, 6.0, 12.0] {
        for s in [0.02, 0.3, 1.0, 2.5, 8.0, 32.0] {
            let pieces = 90 + (90.0 * s) as usize;
            let expect = |f: &dyn Fn(f64) -> f64| integral(&rule, -18.0, 18.0, pieces, |x| f(x) * density(x));
            let a = |x: f64| (m + s * x).tanh();
            let want = by_definition(expect, a, |x| (m + s * x).cosh().powi(-2), s);
            let got = moments(Elementwise::Tanh, m, s * s);
            // Saturated, the values resolve 1 − |a| to 1e-16 only.
            let resolved = 1e-16 / (m + 0.01).cosh().powi(-2).max(1e-12);
            let relative = 2e-11 + 40.0 * resolved / s.min(1.0);
            worst = f64::max(worst, compare(&format!("m = {m}, s = {s}"), got, want, relative, 1e-14, 1e-15));
        }
    }
    eprintln!("tanh: {worst:.2} of what is allowed");
}

/// `δ → a''(m) s² (x² − 1)/2` on a narrow Gaussian: `E (x² − 1)² = 2`, `E (x² − 1)⁴ = 60`.
#[test]
fn tanh_is_accurate_on_narrow_gaussians() {
    for m in [0.3_f64, -1.0, 2.0, 8.0] {
        for s in [1e-4_f64, 1e-6, 1e-9] {
            let got = moments(Elementwise::Tanh, m, s * s);
            let slope = m.cosh().powi(-2);
            let bend = -m.tanh() * slope * s * s;
            for (name, got, want) in [
                ("r²", got.residual, 2.0 * bend.powi(2)),
                ("E δ⁴", got.residual_fourth, 60.0 * bend.powi(4)),
                ("Var a²", got.square_variance, (2.0 * m.tanh() * slope * s).powi(2)),
            ] {
                let off = (got - want).abs() / want;
                assert!(off < 10.0 * s + 1e-11, "{name}, m = {m}, s = {s}: {got:e}, not {want:e}");
            }
        }
    }
}

#[test]
fn identity_is_linear() {
    let (m, v) = (0.7, 1.69);
    let got = moments(Elementwise::Identity, m, v);
    let rule = legendre(20);
    let expect = |f: &dyn Fn(f64) -> f64| integral(&rule, -14.0, 14.0, 40, |x| f(x) * density(x));
    let want = by_definition(expect, |x| m + 1.3 * x, |_| 1.0, 1.3);
    compare("identity", got, want, 1e-12, 0.0, 1e-14);
    assert!(got.residual == 0.0 && got.residual_fourth == 0.0);
}

#[test]
fn the_residual_does_not_see_the_sign() {
    for i in 0..=160 {
        let t = f64::from(i) * 0.25;
        let [left, right] = [-t, t].map(|t| moments(Elementwise::Relu, t, 1.0));
        assert!(left.residual == right.residual && left.residual_fourth == right.residual_fourth, "t = {t}");
        assert!(left.residual <= 0.0909 && (left.residual > 0.0 || t > 37.0), "t = {t}: {}", left.residual);
    }
}

/// A number that does not vary, and numbers at the ends of the range.
#[test]
fn extremes_are_finite() {
    for kind in [Elementwise::Identity, Elementwise::Relu, Elementwise::Tanh] {
        for m in [-1e18_f64, -3.0, 0.0, 1e-30, 2.0, 1e18] {
            for v in [0.0_f64, 1e-300, 1e-12, 1.0, 1e6, 1e30] {
                let got = moments(kind, m, v);
                assert!(got.planes().iter().all(|x| x.is_finite()), "{kind:?}, N({m}, {v}): {got:?}");
                assert!(got.residual >= 0.0 && got.slope >= 0.0 && got.slope <= 1.0 + 1e-12, "{kind:?}, N({m}, {v})");
                if v == 0.0 {
                    assert!(got.residual == 0.0 && got.square_variance == 0.0);
                    // The weights of a quadrature sum to 1 up to rounding.
                    assert!((got.second - got.mean * got.mean).abs() <= 4.0 * f64::EPSILON * got.second);
                }
            }
        }
    }
}

#[test]
fn planes_are_the_moments_in_order() {
    let (mean, variance) = ([0.3, -1.0, 2.0], [1.0, 0.25, 0.0]);
    let mut out = [f64::NAN; 24];
    planes(Elementwise::Tanh, &mean, &variance, &mut out).expect("shapes fit");
    for (i, (&m, &v)) in mean.iter().zip(&variance).enumerate() {
        let want = moments(Elementwise::Tanh, m, v).planes();
        assert!((0..8).all(|plane| out[plane * 3 + i] == want[plane]), "variable {i}");
    }
    assert!(planes(Elementwise::Relu, &mean, &variance[..2], &mut out).is_err());
    assert!(planes(Elementwise::Relu, &mean, &variance, &mut out[..23]).is_err());
}
