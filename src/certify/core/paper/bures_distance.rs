//! The squared distance of a Gaussian to a merged one from above: `W2² = ‖Δm‖² + tr A + tr B − 2 tr (A^½ B A^½)^½`, where `A = FFᵀ` and
//! `B = GGᵀ + UUᵀ`, and the last trace is the nuclear norm of `GᵀF` above `UᵀF`.

use super::super::matrix::{factorises, product, symmetric_product, transposed};
use super::super::rounding::{U, add_up, at_least_zero, gamma, larger, mul_up, norm_up, plain_dot, smaller, sqrt_up};
use super::stacked::{Stacked, square_up};
use crate::math::singular::{Singular, singular};

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
    /// `UᵀF` in these bases, row by row.
    columns: Vec<f64>,
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
        let (size, n) = (law.size, law.mean.len());
        let columns = &of.columns[..of.columns.len().min(COUPLED)];
        if size == 1 {
            let times = |u: &[f64]| law.factors.iter().zip(u).map(|(f, u)| f * u).collect::<Vec<f64>>();
            let columns = columns.iter().flat_map(|u| times(u)).collect();
            return Self { values: times(&of.factors), columns, lost: 0.0, stretch: 1.0 };
        }
        let mut aligned = Self { values: Vec::new(), columns: vec![0.0; n * columns.len()], lost: 0.0, stretch: 1.0 };
        let (mut first, mut last, long) = (1.0, 1.0, sqrt_up(of.spread()));
        for (q, (f, g)) in law.factors.chunks_exact(size * size).zip(of.factors.chunks_exact(size * size)).enumerate() {
            let both = product(&transposed(g, size, size), size, size, f, size);
            let Singular { left, right, .. } = singular(&both, size);
            let back = transposed(&right, size, size);
            // Vectors are rows: `X (GᵀF) Yᵀ` should be diagonal and not negative; what is not is lost.
            let mut off = product(&product(&left, size, size, &both, size), size, size, &back, size);
            for entry in off.iter_mut().step_by(size + 1) {
                aligned.values.push(at_least_zero(*entry));
                *entry = smaller(*entry, 0.0);
            }
            let sizes = mul_up(norm_up(f), add_up(norm_up(g), long));
            let bases = mul_up(add_up(1.0, norm_up(&left)), norm_up(&right));
            let lost = add_up(norm_up(&off), mul_up(gamma(3 * size + 8), mul_up(bases, sizes)));
            let nuclear = mul_up(sqrt_up(size as f64), add_up(lost, 1e-300));
            aligned.lost = add_up(aligned.lost, nuclear);
            (first, last) = (larger(first, stretch(&left, size)), larger(last, stretch(&right, size)));
            let through = product(f, size, size, &back, size);
            for (into, u) in aligned.columns.chunks_exact_mut(n).zip(columns) {
                into[q * size..][..size].copy_from_slice(&product(&u[q * size..][..size], 1, size, &through, size));
            }
        }
        aligned.stretch = mul_up(first, last);
        aligned
    }

    /// `tr C^½` or less, `C = diag(a) + VVᵀ`, `a` the squares of the diagonal: the nuclear norm of the diagonal above `Vᵀ`.
    ///
    /// `√λ = (2/π) ∫ λe^x/(λ + e^{2x}) dx`, and the trapezoidal rule with step `h` is off by at most `4.1 e^{−π²/h} √λ` (Poisson), below
    /// 3·10⁻¹⁴ for `h = 0.3`. Applied to `C` and `diag(a)`, with `t = e^{2x}`, `R = (diag(a) + t)⁻¹` (Woodbury):
    /// `tr C^½ − Σ √a ≈ (2h/π) Σ e^{3x} tr K(I + G)⁻¹Kᵀ`, `G = VᵀRV`, `K = RV`. No term is negative, so those left out cost nothing.
    fn nuclear_norm(&self) -> f64 {
        let n = self.values.len();
        let squares: Vec<f64> = self.values.iter().map(|h| h * h).collect();
        let size = plain_dot(&self.values, &self.values) + plain_dot(&self.columns, &self.columns);
        let middle = libm::floor(0.5 * libm::log(size / n as f64) / STEP);
        let mut sum = 0.0;
        for direction in [1.0, -1.0] {
            let mut k = if direction > 0.0 { middle } else { middle - 1.0 };
            while middle.is_finite() {
                let term = node(libm::exp(k * STEP), &squares, &self.columns);
                sum += term;
                k += direction;
                if !(term > 1e-11 * sum) {
                    break;
                }
            }
        }
        let found = self.values.iter().sum::<f64>() + sum * (2.0 * STEP / std::f64::consts::PI);
        // Nodes and terms are rounded: 10⁻¹³ of the roots' traces is more than they and the rule are off, 10⁻¹⁵⁰ than what underflows.
        (found * (1.0 - 1e-12 - 4.0 * gamma(n)) - n as f64 * 1e-150).next_down()
    }
}

/// `‖X‖₂` or more, for rows that are nearly orthonormal or 0: `‖XXᵀ‖ ≤ 1 + ‖XXᵀ − J‖_F` for any `J ⪯ I`.
fn stretch(rows: &[f64], n: usize) -> f64 {
    let mut gram = symmetric_product(rows, &transposed(rows, n, n), n, n);
    (0..n).for_each(|p| gram[p * n + p] -= smaller(gram[p * n + p], 1.0));
    let rounding = mul_up(gamma(n + 2), add_up(1.0, square_up(rows)));
    sqrt_up(add_up(1.0, add_up(norm_up(&gram), rounding)))
}

/// `e^{3x} tr K(I + G)⁻¹Kᵀ` or less but for a part of 10⁻¹⁴, given `e^x` and `Vᵀ`.
///
/// `I + G = LLᵀ`, and the trace is `‖L⁻¹Kᵀ‖_F²`. Rounding in `G` (Cauchy and Schwarz), in `L` and in solving with it (Higham, Theorems 10.3
/// and 8.5) is together that of another `I + G`, off by `γ tr (I + G)`: by so much of itself, as `I + G ⪰ I`. Rounding in `K` moves
/// `‖L⁻¹Kᵀ‖_F` by at most `3u ‖K‖_F`.
fn node(root: f64, squares: &[f64], columns: &[f64]) -> f64 {
    let (n, t) = (squares.len(), root * root);
    let rank = columns.len() / n;
    let inverse: Vec<f64> = squares.iter().map(|a| 1.0 / (a + t)).collect();
    let k: Vec<f64> = columns.chunks_exact(n).flat_map(|v| v.iter().zip(&inverse).map(|(v, r)| v * r)).collect();
    let mut g = symmetric_product(columns, &transposed(&k, rank, n), rank, n);
    (0..rank).for_each(|p| g[p * rank + p] += 1.0);
    let lost = 8.0 * gamma(n + 4 * rank + 32) * g.iter().step_by(rank + 1).sum::<f64>();
    let inside = (1e-100..1e100).contains(&t) && lost < 1e-3;
    if rank == 0 || !inside {
        return 0.0;
    }
    let width = rank + n;
    let beside = g.chunks_exact(rank).zip(k.chunks_exact(n));
    let mut both: Vec<f64> = beside.flat_map(|(g, k)| g.iter().chain(k).copied()).collect();
    if !factorises(&mut both, rank, width) {
        return 0.0;
    }
    let solved: Vec<f64> = both.chunks_exact(width).flat_map(|row| &row[rank..]).copied().collect();
    let weight = plain_dot(&k, &k).sqrt();
    let least = at_least_zero(plain_dot(&solved, &solved).sqrt() - 8.0 * U * weight) * (1.0 - lost);
    if least.is_finite() { root * (t * (least * least)) } else { 0.0 }
}
