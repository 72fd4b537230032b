//! The rectifier, `a(z) = max(z, 0)`, in closed form.
//!
//! With `t = m/s` and the tail moments `I_k` at `τ = |t|`: for `t ≤ 0`, `E a^k = s^k I_k`; for `t > 0`, `a(z) = z + a(−z)`, so
//! that what differs from the identity is again a tail. `δ` is the same for both signs, up to a reflection. Nothing below
//! subtracts numbers that grow with `t`, except where a second form takes over.

use super::activation::{Activation, Displaced, Moments};
use super::normal::{Tail, density, upper_tail};
use super::rounding::{
    Interval, add_up, at_least_zero, div_up, fourth_power, fourth_root, larger, mul_up, smaller, sqrt_down, sqrt_up,
};
use super::smoothed::{Smoothed, smoothed};

/// `max(z, 0)`.
pub(super) struct Relu;

impl Activation for Relu {
    fn lipschitz(&self) -> f64 {
        1.0
    }

    fn moments(&self, mean: f64, variance: f64) -> Moments {
        let (m, v) = (Interval::point(mean), Interval::point(variance));
        if variance == 0.0 {
            return Moments::fixed(m.non_negative(), if mean > 0.0 { Interval::ONE } else { Interval::ZERO });
        }
        let tail = Tail::new((mean / variance.sqrt()).abs());
        let (i, scale, fourth) = (&tail.moments, v.sqrt(), v.square());
        let eighth = fourth.square();
        let below = Moments {
            mean: scale * i[1],
            slope: i[0],
            square: v * i[2],
            residual: (v * (i[2] - i[1].square() - i[0].square())).hi,
            square_variance: (fourth * (i[4] - i[2].square())).hi,
            fourth: (fourth * i[4]).hi,
            residual_fourth: (fourth * residual_fourth(&tail)).hi,
            square_fourth: (eighth * central_fourth(i[2], i[4], i[6], i[8])).hi,
        };
        if mean <= 0.0 {
            return below;
        }
        // E z^k/s^k less what the negative part takes, w = m²/s².
        let square = m.square();
        let w = square / v;
        let second = w + Interval::ONE - i[2];
        let plain = w * (w + Interval::point(6.0)) + Interval::point(3.0) - i[4];
        let sixth = w * (w * (w + Interval::point(15.0)) + Interval::point(45.0)) + Interval::point(15.0) - i[6];
        let rising = w * (w * (w + Interval::point(28.0)) + Interval::point(210.0)) + Interval::point(420.0);
        let direct = central_fourth(second, plain, sixth, w * rising + Interval::point(105.0) - i[8]);
        // Var a² = 4m²s² + s⁴(2 − I₄ − I₂²) + 2(m² + s²)s² I₂.
        let varying = 4.0 * square + v * (Interval::point(2.0) - i[4] - i[2].square()) + 2.0 * ((square + v) * i[2]);
        Moments {
            mean: m + below.mean,
            slope: Interval::ONE - i[0],
            square: square + v * (Interval::ONE - i[2]),
            square_variance: (v * varying).hi,
            fourth: (fourth * plain).hi,
            square_fourth: smaller((eighth * direct).hi, far_square(square, v, i[8])),
            ..below
        }
    }

    fn smoothed(&self, mean: f64, variance: f64, level: u32) -> Option<Smoothed> {
        smoothed(mean, variance, level)
    }

    /// `a(z) − a(ẑ) − f d = (1[ẑ > 0] − f) e + kink + (a(z) − a(ẑ + e) − f ν ξ)`, see the page. The kink is not 0 only where `e`
    /// changes the sign of `ẑ`, and there it has the sign opposite to the first part, so that their squares add. The last part
    /// is at most `max(f, 1 − f) |ν ξ|`.
    fn displacement(&self, neuron: &Displaced) -> f64 {
        let most = larger(neuron.slope, (1.0 - neuron.slope).next_up());
        let always = mul_up(most, sqrt_up(neuron.second()));
        if !(neuron.variance.lo > 0.0) {
            return always;
        }
        let scale = neuron.variance.sqrt();
        let shifted = sqrt_up(add_up(slope_error(neuron, scale), kink(neuron, scale)));
        smaller(always, add_up(shifted, mul_up(most, sqrt_up(neuron.scale))))
    }
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

/// At least `E (1[ẑ > 0] − f)² e²`, from `f² E e² + (1 − 2f) E e² Φ_G` for `f ≤ ½`, `Φ_G = P(ẑ > 0 | G)`, and the mirror image.
/// `E e² Φ_G` is at most `E e²`, `‖e‖₄² √P`, and `P E e² + B √(P(1 − P))`.
fn slope_error(neuron: &Displaced, scale: Interval) -> f64 {
    let t = neuron.mean / scale;
    let f = neuron.slope;
    let (least, rest, tail) = if f <= 0.5 {
        (f, (1.0 - 2.0 * f).next_up(), upper_tail(-t.hi).hi)
    } else {
        ((1.0 - f).next_up(), (2.0 * f - 1.0).next_up(), upper_tail(t.lo).hi)
    };
    let p = smaller(1.0, tail);
    let hoelder = mul_up(mul_up(neuron.shift_fourth, neuron.shift_fourth), sqrt_up(p));
    // √(p(1 − p)) grows up to p = ½, and is ½ at most.
    let deviation = if p < 0.5 { sqrt_up(mul_up(p, (1.0 - p).next_up())) } else { 0.5 };
    let mut weighted = smaller(neuron.shift, hoelder);
    if neuron.dependence.is_finite() {
        weighted = smaller(weighted, add_up(mul_up(p, neuron.shift), mul_up(neuron.dependence, deviation)));
    }
    add_up(mul_up(mul_up(least, least), neuron.shift), mul_up(rest, weighted))
}

/// At least `E (a(ẑ + e) − a(ẑ) − 1[ẑ > 0] e)² = E (|e| − |ẑ|)₊²` over the changes of sign: with the density of `ẑ` given `e` at
/// most `1/√(2πN̄)`, `E |e|³/(3√(2πN̄))`; anyhow `min_τ E (e²; |ẑ| ≤ τ) + ‖e‖₄⁴/(16 τ²)`, because
/// `(|e| − x)₊² ≤ min(e², e⁴/(16x²))`, where `P = P(|ẑ| ≤ τ)` is at most `2τ` times the largest density there and
/// `E (e²; |ẑ| ≤ τ)` at most `‖e‖₄² √P` and `P E e² + B √P`.
fn kink(neuron: &Displaced, scale: Interval) -> f64 {
    let square = mul_up(neuron.shift_fourth, neuron.shift_fourth);
    if square == 0.0 {
        return 0.0;
    }
    let distance = at_least_zero(larger(neuron.mean.lo, -neuron.mean.hi));
    let at_zero = density_up(distance, scale);
    let everywhere = div_up(density(0.0).hi, scale.lo);
    let cost = |typical: f64| {
        // The best τ where the density is constant.
        let tau = libm::pow(0.25 * square / (2.0 * typical).sqrt(), 0.4);
        if !(tau * tau > 1e-290 && tau.is_finite()) {
            return f64::INFINITY;
        }
        let peak = density_up(at_least_zero((distance - tau).next_down()), scale);
        let near = smaller(1.0, mul_up(mul_up(2.0, tau), peak));
        let mut inside = mul_up(square, sqrt_up(near));
        if neuron.dependence.is_finite() {
            inside = smaller(inside, add_up(mul_up(neuron.shift, near), mul_up(neuron.dependence, sqrt_up(near))));
        }
        add_up(inside, div_up(mul_up(square, square), (16.0 * tau * tau).next_down()))
    };
    let anyhow = smaller(cost(at_zero), cost(everywhere));
    if !(neuron.floor > 0.0) {
        return anyhow;
    }
    let third = mul_up(sqrt_up(neuron.shift), square);
    smaller(anyhow, mul_up(0.132_980_760_2, div_up(third, sqrt_down(neuron.floor))))
}

/// The density of `N(0, s²)` at `x ≥ 0` or more.
fn density_up(x: f64, scale: Interval) -> f64 {
    div_up(density((x / scale.hi).next_down()).hi, scale.lo)
}
