//! How fast quantizers of `N(0,1)` improve with the number of points.

use std::f64::consts::{PI, TAU};

/// `lim n² D(n) = √3 π/2` for the optimal quantizers (Panter and Dite; Zador).
pub fn optimal_constant() -> f64 {
    3f64.sqrt() * PI / 2.0
}

/// Proposition 13: `W₂² ≤ 4 ln N/N² + R(N)`, `R(N) = (1 + 4 ln N/N²)/(N² √(2π ln N))`, for `N ≥ 2` points with spacing `4√(ln N)/N`; 1 for `N = 1`.
/// So it bounds `D(N)` too.
pub fn uniform_bound(points: usize) -> f64 {
    let n = points as f64;
    if points < 2 {
        return 1.0;
    }
    let leading = 4.0 * libm::log(n) / (n * n);
    leading + (1.0 + leading) / (n * n * (TAU * libm::log(n)).sqrt())
}
