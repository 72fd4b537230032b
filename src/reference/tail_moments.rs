//! Moments of what a normal variable exceeds a level by.

use std::f64::consts::FRAC_1_SQRT_2;

use super::normal::FRAC_1_SQRT_2PI;

/// From here on ratios by continued fraction; below, the recurrence upwards loses four digits at most.
const FAR: f64 = 2.5;

/// Terms that give full accuracy of the eighth ratio at [`FAR`].
const TERMS: usize = 140;

/// `I_k = E (x − τ)₊^k`, `x ~ N(0, 1)`, for `k = 0 … 8` and `τ ≥ 0`, each relatively accurate. They satisfy
/// `I_k = (k−1) I_{k−2} − τ I_{k−1}`, which cancels in the tail; there `I_k/I_{k−1} = k/(τ + (k+1)/(τ + …))`.
pub(super) fn tail_moments(tau: f64) -> [f64; 9] {
    let mut moments = [0.0; 9];
    moments[0] = 0.5 * libm::erfc(tau * FRAC_1_SQRT_2);
    if tau < FAR {
        moments[1] = FRAC_1_SQRT_2PI * libm::exp(-0.5 * tau * tau) - tau * moments[0];
        for k in 2..9 {
            moments[k] = (k - 1) as f64 * moments[k - 2] - tau * moments[k - 1];
        }
        return moments;
    }
    let mut ratios = [0.0; 9];
    let mut ratio = 0.0;
    for k in (1..TERMS).rev() {
        ratio = k as f64 / (tau + ratio);
        if k < 9 {
            ratios[k] = ratio;
        }
    }
    for k in 1..9 {
        moments[k] = moments[k - 1] * ratios[k];
    }
    moments
}
