//! The rectifier, `a(z) = max(z, 0)`, in closed form.
//!
//! With `t = m/s` and the tail moments `I_k` at `τ = |t|`: for `t ≤ 0`, `E a^k = s^k I_k`; for `t > 0`, `a(z) = z + a(−z)`, so
//! that what differs from the identity is again a tail. `δ` is the same for both signs, up to a reflection. Nothing below
//! subtracts numbers that grow with `t`, except where a second form takes over.

use super::activation::{Activation, Displaced, FourthMoments, Moments};
use super::normal::{Tail, density, upper_tail};
use super::rounding::{Interval, add_up, at_least_zero, div_up, larger, mul_up, smaller, sqrt_up};

/// `max(z, 0)`.
pub(super) struct Relu;

impl Activation for Relu {
    fn lipschitz(&self) -> f64 {
        1.0
    }

    fn moments(&self, mean: f64, variance: f64) -> Moments {
        if variance == 0.0 {
            return fixed(mean);
        }
        let (m, v) = (Interval::point(mean), Interval::point(variance));
        let scale = v.sqrt();
        let Tail { moments: i, .. } = Tail::new((mean / variance.sqrt()).abs());
        let residual = (v * (i[2] - i[1].square() - i[0].square())).hi;
        if mean <= 0.0 {
            return Moments {
                mean: scale * i[1],
                slope: i[0],
                square: v * i[2],
                residual,
                square_variance: (v.square() * (i[4] - i[2].square())).hi,
            };
        }
        let square = m.square();
        // Var a² = 4m²s² + s⁴(2 − I₄ − I₂²) + 2(m² + s²)s² I₂.
        let varying = 4.0 * square + v * (Interval::point(2.0) - i[4] - i[2].square()) + 2.0 * ((square + v) * i[2]);
        Moments {
            mean: m + scale * i[1],
            slope: Interval::ONE - i[0],
            square: square + v * (Interval::ONE - i[2]),
            residual,
            square_variance: (v * varying).hi,
        }
    }

    fn fourth_moments(&self, mean: f64, variance: f64) -> FourthMoments {
        let (m, v) = (Interval::point(mean), Interval::point(variance));
        if variance == 0.0 {
            let plain = m.non_negative().square().square().hi;
            return FourthMoments { residual: 0.0, plain, square: 0.0 };
        }
        let tail = Tail::new((mean / variance.sqrt()).abs());
        let fourth = v.square();
        let residual = (fourth * residual_fourth(&tail)).hi;
        let i = &tail.moments;
        let eighth = fourth.square();
        if mean <= 0.0 {
            let [second, plain, sixth, last] = [i[2], i[4], i[6], i[8]];
            let square = central_fourth(second, plain, sixth, last);
            return FourthMoments { residual, plain: (fourth * plain).hi, square: (eighth * square).hi };
        }
        let w = m.square() / v;
        let plain = w * (w + Interval::point(6.0)) + Interval::point(3.0) - i[4];
        let second = w + Interval::ONE - i[2];
        let sixth = w * (w * (w + Interval::point(15.0)) + Interval::point(45.0)) + Interval::point(15.0) - i[6];
        let rising = w * (w * (w + Interval::point(28.0)) + Interval::point(210.0)) + Interval::point(420.0);
        let last = w * rising + Interval::point(105.0) - i[8];
        let direct = (eighth * central_fourth(second, plain, sixth, last)).hi;
        FourthMoments { residual, plain: (fourth * plain).hi, square: smaller(direct, far_square(m.square(), v, i[8])) }
    }

    /// `a(ẑ + d) − a(ẑ) − f d = (1[ẑ > 0] − f) d` but where the sign changes, and there `|ẑ| ≤ |d|`; see the page.
    fn displacement(&self, neuron: &Displaced) -> f64 {
        let slope = neuron.slope;
        let (rest, deviation) = ((1.0 - slope).next_up(), neuron.second.sqrt().next_up());
        let always = mul_up(larger(slope, rest), deviation);
        if !(neuron.variance.lo > 0.0) {
            return always;
        }
        let scale = neuron.variance.sqrt();
        let active = probability_positive(neuron.mean, scale);
        let (on, off) = (fourth_power(rest), fourth_power(slope));
        let mixed = |p: f64| add_up(mul_up(p, on), mul_up((1.0 - p).next_up(), off));
        let linear = mul_up(fourth_root(larger(mixed(active.lo), mixed(active.hi))), neuron.fourth);
        let kink = kink(neuron, scale);
        smaller(always, add_up(linear, kink))
    }
}

/// A number that does not vary.
fn fixed(mean: f64) -> Moments {
    let value = Interval::point(at_least_zero(mean));
    let slope = if mean > 0.0 { Interval::ONE } else { Interval::ZERO };
    Moments { mean: value, slope, square: value.square(), residual: 0.0, square_variance: 0.0 }
}

/// `E (x² − E x²)⁴` from the moments of `x`.
fn central_fourth(second: Interval, fourth: Interval, sixth: Interval, eighth: Interval) -> Interval {
    let square = second.square();
    (eighth - 4.0 * (second * sixth) + 6.0 * (square * fourth) - 3.0 * square.square()).non_negative()
}

/// At least `E (a² − E a²)⁴` for `m > 0`: `a² = z² − a(−z)²`, `‖z² − E z²‖₄` of the identity, and
/// `‖x − E x‖₄ ≤ (2 E x⁴)^¼` for `x = a(−z)² ≥ 0`.
fn far_square(square: Interval, v: Interval, i8: Interval) -> f64 {
    let linear = v.square() * (48.0 * square.square() + v * (240.0 * square + 60.0 * v));
    let rest = 2.0 * (v.square().square() * i8);
    fourth_power(add_up(fourth_root(linear.hi), fourth_root(rest.hi)))
}

/// `E δ⁴/s⁴ = I₄((1−F)⁴ − F⁴) − 4pI₃(1 − 3F + 3F²) + 6p²I₂(1 − 2F) − 4p³I₁ + I₁⁴ + 6I₁²F² + 3F⁴` with `F = I₀`, `p = φ`.
fn residual_fourth(tail: &Tail) -> Interval {
    let (p, i) = (tail.density, &tail.moments);
    let (f, rest) = (i[0], Interval::ONE - i[0]);
    let (f2, c2) = (f.square(), i[1].square());
    let first = i[4] * (rest.square().square() - f2.square());
    let second = 4.0 * (p * i[3] * (Interval::ONE - 3.0 * (f * rest)));
    let third = 6.0 * (p.square() * i[2] * (Interval::ONE - 2.0 * f));
    let fourth = 4.0 * (p.square() * p * i[1]);
    (first - second + third - fourth + c2.square() + 6.0 * (c2 * f2) + 3.0 * f2.square()).non_negative()
}

/// `P(ẑ > 0)`.
fn probability_positive(mean: Interval, scale: Interval) -> Interval {
    let t = mean / scale;
    Interval::new(at_least_zero(upper_tail(-t.lo).lo), smaller(1.0, upper_tail(-t.hi).hi))
}

/// At least `(E d²; |ẑ| ≤ |d|)^½`: `min_τ (p² P(|ẑ| ≤ τ)^½ + p⁴/τ²)^½`, `p = ‖d‖₄`, where `P(|ẑ| ≤ τ)` is at most `2τ` times
/// the largest density there.
fn kink(neuron: &Displaced, scale: Interval) -> f64 {
    let square = mul_up(neuron.fourth, neuron.fourth);
    if square == 0.0 {
        return 0.0;
    }
    let distance = at_least_zero(larger(neuron.mean.lo, -neuron.mean.hi));
    let at_zero = density_up(distance, scale);
    let everywhere = div_up(density(0.0).hi, scale.lo);
    let cost = |typical: f64| {
        // The best τ where the density is constant.
        let tau = libm::pow(4.0 * square / (2.0 * typical).sqrt(), 0.4);
        if !(tau * tau > 1e-290 && tau.is_finite()) {
            return f64::INFINITY;
        }
        let peak = density_up(at_least_zero((distance - tau).next_down()), scale);
        let near = smaller(1.0, mul_up(mul_up(2.0, tau), peak));
        add_up(mul_up(square, sqrt_up(near)), div_up(mul_up(square, square), (tau * tau).next_down()))
    };
    sqrt_up(smaller(cost(at_zero), cost(everywhere)))
}

/// The density of `N(0, s²)` at `x ≥ 0` or more.
fn density_up(x: f64, scale: Interval) -> f64 {
    div_up(density((x / scale.hi).next_down()).hi, scale.lo)
}

fn fourth_power(x: f64) -> f64 {
    let square = mul_up(x, x);
    mul_up(square, square)
}

fn fourth_root(x: f64) -> f64 {
    sqrt_up(sqrt_up(x))
}
