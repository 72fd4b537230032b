//! The standard normal density, its tail and the moments of its tail, enclosed.
//!
//! `I_k(τ) = ∫₀^∞ x^k φ(x + τ) dx = E (x − τ)₊^k` for `τ ≥ 0`: `I_0 = Φ(−τ)`, `I_1 = φ − τ I_0`, `I_{k+1} = k I_{k−1} − τ I_k`.
//! Run forwards the recursion cancels as `τ` grows. The ratios `ρ_k = I_k/I_{k−1}` obey `ρ_k = k/(τ + ρ_{k+1})`, run
//! backwards, without a difference; `I_0 = φ/(τ + ρ_1)`. Because `I_k² ≤ I_{k−1} I_{k+1}` the ratios grow with `k`, so that
//! `ρ_k (τ + ρ_k) ≤ k ≤ ρ_{k+1} (τ + ρ_{k+1})`: they start between `h(n)` and `h(n + 1)`, `h(n) = 2n/(τ + √(τ² + 4n))`.

use super::rounding::{Interval, U, down, larger, mul_up, smaller, up};

/// Units of the last place by which `libm`'s `exp`, `erfc` and `tanh` are taken to be off at most (measured: below 2.5).
const LIBM_ULPS: f64 = 8.0;

/// From here on the tail counts as "at most `FAR_MOST`": `φ(37) = 2.1·10⁻²⁹⁸`, and every `I_k` is smaller.
const FAR: f64 = 37.0;
const FAR_MOST: f64 = 1e-297;

const FRAC_1_SQRT_2PI: f64 = 0.398_942_280_401_432_7;

/// `libm`'s result enclosed.
pub(super) fn padded(value: f64) -> Interval {
    Interval::around(value, 2.0 * LIBM_ULPS * U)
}

/// `φ(x)`, `x` exact. The exponent is off by at most `2u` of itself, and 3 more roundings follow.
pub(super) fn density(x: f64) -> Interval {
    let square = x * x;
    let value = FRAC_1_SQRT_2PI * libm::exp(-0.5 * square);
    if square > 1400.0 {
        return Interval::new(0.0, FAR_MOST);
    }
    Interval::around(value, (square + 2.0 * LIBM_ULPS + 4.0) * U)
}

/// `Φ(−x)`, `x` exact. `erfc`'s relative change is at most `x² + 1` times that of its argument.
pub(super) fn upper_tail(x: f64) -> Interval {
    if x < 0.0 {
        return Interval::ONE - upper_tail(-x);
    }
    if x > FAR {
        return Interval::new(0.0, FAR_MOST);
    }
    let value = 0.5 * libm::erfc(x * std::f64::consts::FRAC_1_SQRT_2);
    Interval::around(value, (3.0 * (x * x + 1.0) + 2.0 * LIBM_ULPS + 4.0) * U)
}

/// `φ(Φ⁻¹(p))`, given a number near `Φ⁻¹(p)`. As `d φ(Φ⁻¹(y))/dy = −Φ⁻¹(y)`, a quantile that is off moves `φ` by at most so many times
/// what it moves `Φ` as the quantiles between the two are large: 40, and less where both lie within a bound near the one given.
pub(super) fn quantile_density(near: f64, p: Interval) -> Interval {
    let reached = upper_tail(-near);
    let within = near.abs() + 0.25;
    let rest = upper_tail(within).hi;
    let inside = |x: Interval| x.lo >= rest && x.hi <= down(1.0 - rest);
    let most = if inside(p) && inside(reached) { smaller(within, 40.0) } else { 40.0 };
    let off = mul_up(most, larger(up(p.hi - reached.lo), up(reached.hi - p.lo)));
    (density(near) + Interval::new(-off, off)).non_negative()
}

/// `φ(τ)` and `I_0 … I_8` at a `τ ≥ 0` known up to a few roundings.
pub(super) struct Tail {
    pub(super) density: Interval,
    pub(super) moments: [Interval; 9],
}

impl Tail {
    /// At every `τ (1 ± 4u)`, `τ ≥ 0`. `|d ln I_k / d ln τ| = τ (τ + ρ_{k+1}) ≤ τ² + k + 1`, `|d ln φ / d ln τ| = τ²`.
    pub(super) fn new(tau: f64) -> Self {
        if !(tau <= FAR) {
            let most = if tau.is_nan() { f64::NAN } else { FAR_MOST };
            return Self { density: Interval::new(0.0, most), moments: [Interval::new(0.0, most); 9] };
        }
        let density = density(tau);
        let moments = if tau <= 3.0 { forwards(tau, density) } else { backwards(tau, density) };
        let relative = 5.0 * U * (tau * tau + 9.0);
        Self { density: density.widened(relative), moments: moments.map(|x| x.widened(relative).non_negative()) }
    }
}

fn forwards(tau: f64, density: Interval) -> [Interval; 9] {
    let mut moments = [Interval::ZERO; 9];
    moments[0] = upper_tail(tau);
    moments[1] = density - tau * moments[0];
    for k in 1..8 {
        moments[k + 1] = k as f64 * moments[k - 1] - tau * moments[k];
    }
    moments
}

/// Both ends of the ratios in plain arithmetic: a step adds two roundings to the relative error and shrinks the old one.
fn backwards(tau: f64, density: Interval) -> [Interval; 9] {
    let levels: u32 = if tau < 5.0 {
        56
    } else if tau < 10.0 {
        32
    } else {
        20
    };
    let start = |n: f64| 2.0 * n / (tau + (tau * tau + 4.0 * n).sqrt());
    let (mut low, mut high) = (start(f64::from(levels)), start(f64::from(levels) + 1.0));
    let relative = f64::from(3 * levels + 8) * U;
    let mut ratios = [Interval::ZERO; 9];
    for k in (1..=levels).rev() {
        (low, high) = (f64::from(k) / (tau + high), f64::from(k) / (tau + low));
        if let Some(ratio) = ratios.get_mut(k as usize) {
            *ratio = Interval::new(low, high).widened(relative);
        }
    }
    let mut moments = [Interval::ZERO; 9];
    moments[0] = density / (Interval::point(tau) + ratios[1]);
    for k in 1..9 {
        moments[k] = moments[k - 1] * ratios[k];
    }
    moments
}
