//! A Gaussian as stored, and its distance to the one it stands for.

use super::rounding::{add_up, div_up, gamma, hypot_up, larger, mul_up, norm_up, smaller, sqrt_up, sum_up};

/// `N(mean, covariance)`, exactly the numbers here.
#[derive(Clone, Debug)]
pub(super) struct Gaussian {
    pub(super) mean: Vec<f64>,
    pub(super) covariance: Covariance,
    /// At most the least eigenvalue of the covariance among the coordinates whose variance is not 0.
    pub(super) floor: f64,
}

/// Positive semidefinite.
#[derive(Clone, Debug)]
pub(super) enum Covariance {
    /// Variances of independent coordinates.
    Diagonal(Vec<f64>),
    /// `[n, n]`, symmetric.
    Full(Vec<f64>),
}

impl Gaussian {
    pub(super) fn width(&self) -> usize {
        self.mean.len()
    }

    pub(super) fn variance(&self, j: usize) -> f64 {
        match &self.covariance {
            Covariance::Diagonal(variances) => variances[j],
            Covariance::Full(matrix) => matrix[j * self.width() + j],
        }
    }

    pub(super) fn is_finite(&self) -> bool {
        let (Covariance::Diagonal(values) | Covariance::Full(values)) = &self.covariance;
        self.mean.iter().chain(values).all(|x| x.is_finite())
    }

    /// The covariance as `[n, n]`.
    pub(super) fn matrix(&self) -> Vec<f64> {
        match &self.covariance {
            Covariance::Full(matrix) => matrix.clone(),
            Covariance::Diagonal(variances) => {
                let n = self.width();
                let mut matrix = vec![0.0; n * n];
                variances.iter().enumerate().for_each(|(j, &v)| matrix[j * n + j] = v);
                matrix
            }
        }
    }
}

/// Makes a computed covariance `Σ̃` (`[n, n]`) positive semidefinite where need be, and bounds the distance of its centred
/// Gaussian from that of the exact `Σ`, given `‖Σ̃ − Σ‖_F ≤ off` and `Σ ⪰ floor·I`, but for coordinates that are `fixed`: their
/// rows are 0 in both. Returns the distance and the floor of what is stored.
///
/// `W2² ≤ ‖√Σ − √Σ̃‖_F²`, and `X = √Σ − √Σ̃` solves `√Σ X + X √Σ̃ = Σ − Σ̃`, so `‖X‖_F ≤ ‖Σ − Σ̃‖_F/√floor`; also
/// `‖X‖_F² ≤ ‖Σ − Σ̃‖_* ≤ √n ‖Σ − Σ̃‖_F` (Powers and Størmer). Where `floor > off`, `Σ̃` is positive definite; elsewhere its
/// diagonal grows by `off`, which makes it so.
pub(super) fn store_covariance(
    computed: &mut [f64],
    n: usize,
    off: f64,
    floor: f64,
    fixed: impl Fn(usize) -> bool,
) -> (f64, f64) {
    let root = sqrt_up(n as f64);
    let definite = floor > off;
    let mut total = off;
    if off > 0.0 && !definite {
        let mut largest = 0.0;
        for j in (0..n).filter(|&j| !fixed(j)) {
            computed[j * n + j] = (computed[j * n + j] + off).next_up();
            largest = larger(largest, computed[j * n + j].abs());
        }
        // What the diagonal grew by is at most 2·off, or a rounding of the entry.
        total = add_up(off, mul_up(root, add_up(mul_up(2.0, off), mul_up(4.0 * f64::EPSILON, largest))));
    }
    let rough = sqrt_up(mul_up(root, total));
    let distance = if floor > 0.0 { smaller(rough, div_up(total, floor.sqrt().next_down())) } else { rough };
    (distance, if definite { (floor - off).next_down() } else { 0.0 })
}

/// The distance that rounding makes when `N(Mx + b̄, diag(Vx² + B))` is summed up in any order; `size` bounds `‖M‖_F`, `‖b̄‖`, `Σ V`.
pub(super) fn dense_rounding(x: &[f64], variance: &[f64], size: (f64, f64, f64)) -> f64 {
    let (n, width) = (x.len(), variance.len() as f64);
    let step = gamma(n + 4);
    let off_mean = mul_up(step, add_up(mul_up(size.0, norm_up(x)), size.1));
    let off_mean = add_up(off_mean, n as f64 * width * f64::MIN_POSITIVE);
    // |√v − √ṽ| ≤ γ √v, and the square root of what underflow lost.
    let lost = mul_up(width, mul_up(n as f64 * 5e-324, add_up(1.0, size.2)));
    let off_scale = add_up(mul_up(2.0 * step, sqrt_up(sum_up(variance))), sqrt_up(lost));
    hypot_up(off_mean, off_scale)
}
