//! No activation: `a(z) = z`, linear, so that nothing is lost.

use super::activation::{Activation, Displaced, Moments};
use super::rounding::{Interval, add_up, larger, mul_up, sqrt_up};

/// `a(z) = z`.
pub(super) struct Identity;

impl Activation for Identity {
    fn lipschitz(&self) -> f64 {
        1.0
    }

    /// `a² − E a² = 2ms x + s²(x² − 1)`: its fourth moment is `48 m⁴s⁴ + 240 m²s⁶ + 60 s⁸`.
    fn moments(&self, mean: f64, variance: f64) -> Moments {
        let (m, v) = (Interval::point(mean), Interval::point(variance));
        let square = m.square();
        Moments {
            mean: m,
            slope: Interval::ONE,
            square: square + v,
            residual: 0.0 * variance,
            square_variance: (v * (4.0 * square + 2.0 * v)).hi,
            fourth: (square.square() + v * (6.0 * square + 3.0 * v)).hi,
            residual_fourth: 0.0 * variance,
            square_fourth: (v.square() * (48.0 * square.square() + v * (240.0 * square + 60.0 * v))).hi,
        }
    }

    /// `(1 − f) d`.
    fn displacement(&self, neuron: &Displaced) -> f64 {
        let off = add_up(larger(1.0 - neuron.slope, neuron.slope - 1.0), 0.0);
        if off == 0.0 { 0.0 } else { mul_up(off.next_up(), sqrt_up(neuron.second())) }
    }
}
