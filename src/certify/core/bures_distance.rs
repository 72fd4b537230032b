//! Merged components, and the squared distance of a Gaussian to one from above:
//! `W2² = ‖Δm‖² + tr A + tr B − 2 tr C^½` with `A = diag(s)`, `B = diag(d) + UUᵀ`, `C = A^½ B A^½`.

use super::gaussian::Gaussian;
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
        // The bound of an underflow in a sum of zeros would be a distance from nothing.
        let length = |x: &[f64]| if x.iter().all(|&x| x == 0.0) { 0.0 } else { norm_up(x) };
        let moved = length(&moved);
        let root_gap = |&s: &f64, &d: &f64| {
            if s == d { 0.0 } else { (sqrt_up(larger(s, d)) - sqrt_down(smaller(s, d))).next_up() }
        };
        let gaps: Vec<f64> = own.iter().zip(&self.variances).map(|(s, d)| root_gap(s, d)).collect();
        let gaps = length(&gaps);
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

    /// `tr C^½` or less, `C = diag(s)^½ (diag(d) + UUᵀ) diag(s)^½`.
    ///
    /// `√λ = (2/π) ∫ λe^x/(λ + e^{2x}) dx`, and the trapezoidal rule with step `h` is off by at most `4.1 e^{−π²/h} √λ` (Poisson), below
    /// 3·10⁻¹⁴ for `h = 0.3`. Applied to `C` and `A = diag(sd)`, with `t = e^{2x}`, `R = (A + t)⁻¹`, `V = diag(s)^½ U` (Woodbury):
    /// `tr C^½ − tr A^½ ≈ (2h/π) Σ e^{3x} tr (I + G)⁻¹H`, `G = VᵀRV`, `H = VᵀR²V`. No term is negative, so those left out cost nothing.
    fn root_trace(&self, own: &[f64]) -> f64 {
        let (n, rank) = (own.len(), self.columns.len());
        let commuting: Vec<f64> = own.iter().zip(&self.variances).map(|(s, d)| s * d).collect();
        let pairs = self.products(own);
        let spread: f64 = (0..rank).map(|p| pairs[pair(p, p)].iter().sum::<f64>()).sum();
        let middle = libm::floor(0.5 * libm::log((commuting.iter().sum::<f64>() + spread) / n as f64) / STEP);
        if !middle.is_finite() {
            return 0.0;
        }
        let base: f64 = commuting.iter().map(|x| sqrt_down((x.next_down() - f64::MIN_POSITIVE).max(0.0))).sum();
        let mut sum = 0.0;
        for direction in [1.0, -1.0] {
            let mut k = if direction > 0.0 { middle } else { middle - 1.0 };
            loop {
                let term = self.node(libm::exp(k * STEP), &commuting, &pairs);
                sum += term;
                k += direction;
                if !(term > 1e-11 * sum) {
                    break;
                }
            }
        }
        // Nodes and terms are rounded: 10⁻¹³ of the roots' traces is more than they and the rule are off.
        let least = (base + sum * (2.0 * STEP / std::f64::consts::PI)) * (1.0 - 1e-12 - 4.0 * gamma(n));
        least.next_down()
    }

    /// `e^{3x} tr (I + G)⁻¹H` or less but for a part of 10⁻¹⁴, given `e^x`.
    ///
    /// Computed `G` and `H` are off by `γ tr G`, `γ tr H` in the Frobenius norm (Cauchy and Schwarz); a solution `z` of a column solves a
    /// system off by `γ tr(I + G)` (Higham, Theorem 10.4); and `‖(I + G)⁻¹‖ ≤ 1`.
    fn node(&self, root: f64, commuting: &[f64], pairs: &[Vec<f64>]) -> f64 {
        let (rank, t) = (self.columns.len(), root * root);
        let inverse: Vec<f64> = commuting.iter().map(|a| 1.0 / (a + t)).collect();
        let squared: Vec<f64> = inverse.iter().map(|r| r * r).collect();
        let gram = |weights: &[f64]| -> Vec<f64> { pairs.iter().map(|pair| plain_dot(weights, pair)).collect() };
        let (mut g, h) = (gram(&inverse), gram(&squared));
        (0..rank).for_each(|p| g[pair(p, p)] += 1.0);
        let trace = |m: &[f64]| (0..rank).map(|p| m[pair(p, p)]).sum::<f64>();
        let (size, weight) = (trace(&g), trace(&h));
        let step = 2.0 * gamma(commuting.len() + 8 * rank + 32);
        let inside = (1e-100..1e100).contains(&t) && step * size < 1e-3;
        if !inside || factorise(&mut g, rank) > 0 {
            return 0.0;
        }
        let (mut found, mut lengths) = (0.0, 0.0);
        for p in 0..rank {
            let mut z: Vec<f64> = (0..rank).map(|q| h[pair(p.max(q), p.min(q))]).collect();
            solve(&g, &mut z);
            found += z[p];
            lengths += plain_dot(&z, &z).sqrt();
        }
        let least = found - step * (size * lengths + rank as f64 * weight);
        if least > 0.0 && least.is_finite() { root * (t * least) } else { 0.0 }
    }

    /// `s∘u_p∘u_q` for `q ≤ p`.
    fn products(&self, own: &[f64]) -> Vec<Vec<f64>> {
        let mut products = Vec::new();
        for (p, u) in self.columns.iter().enumerate() {
            for v in &self.columns[..=p] {
                products.push(own.iter().zip(u.iter().zip(v)).map(|(s, (a, b))| s * (a * b)).collect());
            }
        }
        products
    }
}

/// Step of the trapezoidal rule.
const STEP: f64 = 0.3;

/// Where entry `(p, q)`, `q ≤ p`, of a packed symmetric matrix is.
pub(super) fn pair(p: usize, q: usize) -> usize {
    p * (p + 1) / 2 + q
}

/// `LDLᵀ` in place of a packed symmetric matrix, `L`'s diagonal left out; returns how many pivots are negative.
pub(super) fn factorise(a: &mut [f64], n: usize) -> usize {
    for p in 0..n {
        for q in 0..=p {
            let sum: f64 = (0..q).map(|k| a[pair(p, k)] * a[pair(q, k)] * a[pair(k, k)]).sum();
            let rest = a[pair(p, q)] - sum;
            a[pair(p, q)] = if q == p { rest } else { rest / a[pair(q, q)] };
        }
    }
    (0..n).filter(|&p| a[pair(p, p)] < 0.0).count()
}

/// Solves `LDLᵀ x = b` in place.
pub(super) fn solve(factors: &[f64], x: &mut [f64]) {
    for p in 0..x.len() {
        x[p] -= (0..p).map(|k| factors[pair(p, k)] * x[k]).sum::<f64>();
    }
    for p in (0..x.len()).rev() {
        let above: f64 = (p + 1..x.len()).map(|k| factors[pair(k, p)] * x[k]).sum();
        x[p] = x[p] / factors[pair(p, p)] - above;
    }
}
