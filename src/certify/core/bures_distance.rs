//! The squared distance of a Gaussian to a merged one from above: `W2² = ‖Δm‖² + tr A + tr B − 2 tr (A^½ B A^½)^½`, where `A = FFᵀ` and
//! `B = GGᵀ + UUᵀ`, and the last trace is the nuclear norm of `GᵀF` above `UᵀF`.

use super::matrix::{product, transposed};
use super::rounding::{add_up, at_least_zero, gamma, larger, mul_up, norm_up, plain_dot, smaller, sqrt_up};
use super::stacked::{Stacked, square_up};
use crate::math::singular::singular;

/// Columns that take part in the coupling. What the others could save is left out: `tr C^½` grows with `C`.
const COUPLED: usize = 16;

/// Step of the trapezoidal rule.
const STEP: f64 = 0.3;

/// A merged component, ready for distances to it.
pub(super) struct Reach<'a> {
    of: &'a Stacked,
    /// `tr UUᵀ` and `tr B` or more.
    spread: f64,
    trace: f64,
}

/// `GᵀF` above `UᵀF`, in bases in which the upper part is diagonal.
struct Aligned {
    /// The diagonal, not negative.
    values: Vec<f64>,
    /// `FᵀU` in these bases, column by column.
    columns: Vec<Vec<f64>>,
    /// What the nuclear norm may be less than computed.
    lost: f64,
    /// The bases' norms, multiplied.
    stretch: f64,
}

impl<'a> Reach<'a> {
    pub(super) fn new(of: &'a Stacked) -> Self {
        Self { of, spread: of.spread(), trace: of.trace() }
    }

    /// `W2²` to a law without columns, or more.
    pub(super) fn distance_squared(&self, law: &Stacked) -> f64 {
        let gaps = |a: &[f64], b: &[f64]| -> Vec<f64> {
            a.iter().zip(b).map(|(a, b)| if a == b { 0.0 } else { (a - b).abs().next_up() }).collect()
        };
        let moved = square_up(&gaps(&law.mean, &self.of.mean));
        // The coupling Fξ → Gξ + Uη.
        let plain = add_up(square_up(&gaps(&law.factors, &self.of.factors)), self.spread);
        let traces = add_up(square_up(&law.factors), self.trace);
        if plain <= 1e-13 * traces {
            return add_up(moved, plain);
        }
        let aligned = Aligned::new(law, self.of);
        let least = (aligned.nuclear_norm() / aligned.stretch).next_down() - aligned.lost;
        add_up(moved, smaller(plain, at_least_zero((traces - 2.0 * at_least_zero(least.next_down())).next_up())))
    }
}

impl Aligned {
    fn new(law: &Stacked, of: &Stacked) -> Self {
        let size = law.size;
        let width = of.columns.len().min(COUPLED);
        let columns = &of.columns[..width];
        let mut aligned = Self { values: Vec::new(), columns: Vec::new(), lost: 0.0, stretch: 1.0 };
        if size == 1 {
            let times = |u: &[f64]| law.factors.iter().zip(u).map(|(f, u)| f * u).collect::<Vec<f64>>();
            aligned.values = times(&of.factors);
            aligned.columns = columns.iter().map(|u| times(u)).collect();
            return aligned;
        }
        aligned.columns = vec![Vec::with_capacity(law.mean.len()); width];
        let (mut first, mut last, long) = (1.0, 1.0, sqrt_up(of.spread()));
        for (q, (f, g)) in law.factors.chunks_exact(size * size).zip(of.factors.chunks_exact(size * size)).enumerate() {
            let both = product(&transposed(g, size, size), size, size, f, size);
            let found = singular(&both, size);
            // Vectors are rows: `X (GᵀF) Yᵀ`, which should be diagonal.
            let (turn, right) = (&found.left, transposed(&found.right, size, size));
            let diagonal = product(&product(turn, size, size, &both, size), size, size, &right, size);
            let off = |at: usize| if at / size == at % size { smaller(diagonal[at], 0.0) } else { diagonal[at] };
            let off: Vec<f64> = (0..size * size).map(off).collect();
            let values = diagonal.iter().step_by(size + 1).map(|x| at_least_zero(*x));
            aligned.values.extend(values);
            let bases = mul_up(add_up(1.0, norm_up(&found.left)), norm_up(&found.right));
            let sizes = mul_up(norm_up(f), add_up(norm_up(g), long));
            let rounding = mul_up(gamma(3 * size + 8), mul_up(bases, sizes));
            let lost = add_up(add_up(norm_up(&off), rounding), 1e-300);
            aligned.lost = add_up(aligned.lost, mul_up(sqrt_up((size + width) as f64), lost));
            (first, last) = (larger(first, stretch(&found.left, size)), larger(last, stretch(&found.right, size)));
            let (f_columns, here) = (transposed(f, size, size), q * size..(q + 1) * size);
            for (into, u) in aligned.columns.iter_mut().zip(columns) {
                let image: Vec<f64> = f_columns.chunks_exact(size).map(|f| plain_dot(f, &u[here.clone()])).collect();
                into.extend(found.right.chunks_exact(size).map(|y| plain_dot(y, &image)));
            }
        }
        aligned.stretch = mul_up(first, last);
        aligned
    }

    /// `tr C^½` or less, `C = diag(a) + VVᵀ`, `a` the squares of the diagonal: the nuclear norm of the diagonal above `Vᵀ`.
    ///
    /// `√λ = (2/π) ∫ λe^x/(λ + e^{2x}) dx`, and the trapezoidal rule with step `h` is off by at most `4.1 e^{−π²/h} √λ` (Poisson), below
    /// 3·10⁻¹⁴ for `h = 0.3`. Applied to `C` and `diag(a)`, with `t = e^{2x}`, `R = (diag(a) + t)⁻¹` (Woodbury):
    /// `tr C^½ − Σ √a ≈ (2h/π) Σ e^{3x} tr (I + G)⁻¹H`, `G = VᵀRV`, `H = VᵀR²V`. No term is negative, so those left out cost nothing.
    fn nuclear_norm(&self) -> f64 {
        let n = self.values.len();
        let squares: Vec<f64> = self.values.iter().map(|h| h * h).collect();
        let pairs = self.products();
        let spread: f64 = (0..self.columns.len()).map(|p| pairs[pair(p, p)].iter().sum::<f64>()).sum();
        let middle = libm::floor(0.5 * libm::log((squares.iter().sum::<f64>() + spread) / n as f64) / STEP);
        let base: f64 = self.values.iter().sum();
        let mut sum = 0.0;
        for direction in [1.0, -1.0] {
            let mut k = if direction > 0.0 { middle } else { middle - 1.0 };
            while middle.is_finite() && !self.columns.is_empty() {
                let term = node(libm::exp(k * STEP), &squares, &pairs, self.columns.len());
                sum += term;
                k += direction;
                if !(term > 1e-11 * sum) {
                    break;
                }
            }
        }
        // Nodes and terms are rounded: 10⁻¹³ of the roots' traces is more than they and the rule are off.
        let least = (base + sum * (2.0 * STEP / std::f64::consts::PI)) * (1.0 - 1e-12 - 4.0 * gamma(n));
        // What underflows is less than this.
        (least - n as f64 * 1e-150).next_down()
    }

    /// `v_p∘v_q` for `q ≤ p`.
    fn products(&self) -> Vec<Vec<f64>> {
        let times = |u: &[f64], v: &[f64]| u.iter().zip(v).map(|(a, b)| a * b).collect();
        self.columns.iter().enumerate().flat_map(|(p, u)| self.columns[..=p].iter().map(move |v| times(u, v))).collect()
    }
}

/// `‖X‖₂` or more, for rows that are nearly orthonormal or 0: `‖XXᵀ‖ ≤ 1 + ‖XXᵀ − J‖_F` for any `J ⪯ I`.
fn stretch(rows: &[f64], n: usize) -> f64 {
    let mut gram = product(rows, n, n, &transposed(rows, n, n), n);
    (0..n).for_each(|p| gram[p * n + p] -= smaller(gram[p * n + p], 1.0));
    let size = square_up(rows);
    sqrt_up(add_up(1.0, add_up(norm_up(&gram), mul_up(gamma(n + 2), add_up(1.0, size)))))
}

/// `e^{3x} tr (I + G)⁻¹H` or less but for a part of 10⁻¹⁴, given `e^x`.
///
/// Computed `G` and `H` are off by `γ tr G`, `γ tr H` in the Frobenius norm (Cauchy and Schwarz); a solution `z` of a column solves a
/// system off by `γ tr(I + G)` (Higham, Theorem 10.4); and `‖(I + G)⁻¹‖ ≤ 1`.
fn node(root: f64, squares: &[f64], pairs: &[Vec<f64>], rank: usize) -> f64 {
    let t = root * root;
    let inverse: Vec<f64> = squares.iter().map(|a| 1.0 / (a + t)).collect();
    let squared: Vec<f64> = inverse.iter().map(|r| r * r).collect();
    let gram = |weights: &[f64]| -> Vec<f64> { pairs.iter().map(|pair| plain_dot(weights, pair)).collect() };
    let (mut g, h) = (gram(&inverse), gram(&squared));
    (0..rank).for_each(|p| g[pair(p, p)] += 1.0);
    let trace = |m: &[f64]| (0..rank).map(|p| m[pair(p, p)]).sum::<f64>();
    let (size, weight) = (trace(&g), trace(&h));
    let step = 2.0 * gamma(squares.len() + 8 * rank + 32);
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

/// Where entry `(p, q)`, `q ≤ p`, of a packed symmetric matrix is.
fn pair(p: usize, q: usize) -> usize {
    p * (p + 1) / 2 + q
}

/// `LDLᵀ` in place of a packed symmetric matrix, `L`'s diagonal left out; returns how many pivots are negative.
fn factorise(a: &mut [f64], n: usize) -> usize {
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
fn solve(factors: &[f64], x: &mut [f64]) {
    for p in 0..x.len() {
        x[p] -= (0..p).map(|k| factors[pair(p, k)] * x[k]).sum::<f64>();
    }
    for p in (0..x.len()).rev() {
        let above: f64 = (p + 1..x.len()).map(|k| factors[pair(k, p)] * x[k]).sum();
        x[p] = x[p] / factors[pair(p, p)] - above;
    }
}
