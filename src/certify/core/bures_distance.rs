//! Merged components, and the squared distance of a Gaussian to one from above:
//! `W2² = ‖Δm‖² + tr A + tr B − 2 tr C^½` with `A = diag(s)`, `B = diag(d) + UUᵀ`, `C = A^½ B A^½`.

use faer::{MatRef, Side};

use super::gaussian::Gaussian;
use super::matrix::{symmetric_product, transposed};
use super::rounding::{
    add_up, at_least_zero, cover, gamma, larger, mul_up, norm_up, plain_dot, smaller, sqrt_down, sqrt_up, sum_up,
};

/// `N(mean, diag(variances) + Σ_r u_r u_rᵀ)`, exactly the numbers here: positive semidefinite however they were rounded.
pub(super) struct Merged {
    pub(super) weight: f64,
    pub(super) mean: Vec<f64>,
    pub(super) variances: Vec<f64>,
    pub(super) columns: Vec<Vec<f64>>,
}

impl Merged {
    /// `tr UUᵀ` or more.
    fn spread(&self) -> f64 {
        self.columns.iter().fold(0.0, |sum, u| add_up(sum, cover(plain_dot(u, u), u.len() + 1, u.len())))
    }

    /// The trace of the covariance or more.
    pub(super) fn trace(&self) -> f64 {
        add_up(sum_up(&self.variances), self.spread())
    }

    /// The covariance times `v`: off by at most `γ_{n+r+2} tr ‖v‖`, `r` columns.
    pub(super) fn times(&self, v: &[f64]) -> Vec<f64> {
        let mut out: Vec<f64> = self.variances.iter().zip(v).map(|(d, v)| d * v).collect();
        for u in &self.columns {
            let along = plain_dot(u, v);
            out.iter_mut().zip(u).for_each(|(sum, u)| *sum += along * u);
        }
        out
    }

    /// `W2²` to `N(law.mean, diag(own))` or more.
    pub(super) fn distance_squared(&self, law: &Gaussian, own: &[f64]) -> f64 {
        let gap = |a: f64, b: f64| if a == b { 0.0 } else { (a - b).abs().next_up() };
        let moved: Vec<f64> = law.mean.iter().zip(&self.mean).map(|(&a, &b)| gap(a, b)).collect();
        let moved = norm_up(&moved);
        let root_gap = |&s: &f64, &d: &f64| {
            if s == d { 0.0 } else { (sqrt_up(larger(s, d)) - sqrt_down(smaller(s, d))).next_up() }
        };
        let gaps: Vec<f64> = own.iter().zip(&self.variances).map(|(s, d)| root_gap(s, d)).collect();
        let gaps = norm_up(&gaps);
        // The coupling √s x → √d x + Uξ: exact without U.
        let spread = self.spread();
        let plain = add_up(mul_up(gaps, gaps), spread);
        let traces = add_up(sum_up(own), self.trace());
        let shape = if spread <= 1e-13 * traces {
            plain
        } else {
            smaller(plain, at_least_zero((traces - 2.0 * self.root_trace(own)).next_up()))
        };
        add_up(mul_up(moved, moved), shape)
    }

    /// `tr C^½` or less.
    ///
    /// Eigenvalues `λ̂`, eigenvectors `Q` are found by faer and not trusted. `Q Λ̂ Qᵀ` has the eigenvalues `θ_i λ̂_i`,
    /// `θ_i ≥ 1 − ‖QᵀQ − I‖` (Ostrowski), and differs from `C` by at most `η`: `λ_i ≥ (1 − ‖QᵀQ − I‖) λ̂_i − η` where `λ̂_i > 0`.
    fn root_trace(&self, own: &[f64]) -> f64 {
        let (n, rank) = (own.len(), self.columns.len());
        let mut scaled = Vec::with_capacity(n * rank);
        own.iter().enumerate().for_each(|(j, s)| scaled.extend(self.columns.iter().map(|u| s.sqrt() * u[j])));
        let mut c = symmetric_product(&scaled, &scaled, n, rank);
        own.iter().zip(&self.variances).enumerate().for_each(|(j, (s, d))| c[j * n + j] += s * d);
        let trace = sum_up(&(0..n).map(|j| c[j * n + j]).collect::<Vec<f64>>());
        let Ok(found) = MatRef::from_row_major_slice(&c, n, n).self_adjoint_eigen(Side::Lower) else { return 0.0 };
        let (values, basis) = (found.S().column_vector(), found.U());
        let values: Vec<f64> = (0..n).map(|k| values[k]).collect();
        let vectors: Vec<f64> = (0..n * n).map(|at| basis[(at % n, at / n)]).collect();

        let mut gram = symmetric_product(&vectors, &vectors, n, n);
        let lengths: Vec<f64> = (0..n).map(|k| at_least_zero(gram[k * n + k])).collect();
        // An entry is off by at most γ‖q_i‖‖q_k‖.
        let (step, lengths) = (gamma(n + 4), mul_up(1.0 + 1e-9, add_up(sum_up(&lengths), 1e-100)));
        (0..n).for_each(|k| gram[k * n + k] -= 1.0);
        let defect = add_up(norm_up(&gram), mul_up(step, add_up(lengths, n as f64)));
        let sides = transposed(&vectors, n, n);
        let weighted: Vec<f64> = sides.iter().enumerate().map(|(at, q)| q * values[at % n]).collect();
        let rebuilt = symmetric_product(&weighted, &sides, n, n);
        let residual: Vec<f64> = c.iter().zip(&rebuilt).map(|(a, b)| a - b).collect();
        let magnitudes: Vec<f64> = values.iter().map(|x| x.abs()).collect();
        let rebuilding = mul_up(mul_up(2.0, step), mul_up(sum_up(&magnitudes), add_up(1.0, defect)));
        let building = mul_up(gamma(rank + 12), add_up(trace, sum_up(&magnitudes)));
        let underflow = (n * n * (rank + n)) as f64 * f64::MIN_POSITIVE;
        let eta = add_up(add_up(norm_up(&residual), rebuilding), add_up(building, underflow));
        if !(defect < 0.5 && eta.is_finite()) {
            return 0.0;
        }
        let least =
            |value: f64| sqrt_down(at_least_zero((value * (1.0 - defect).next_down() - eta).next_down().next_down()));
        let sum: f64 = values.iter().map(|&value| if value > eta { least(value) } else { 0.0 }).sum();
        (sum * (1.0 - 2.0 * gamma(n)).next_down()).next_down()
    }
}
