//! Lemma 2: a Gaussian through an activation, dropout and a dense layer.

use super::activation::Moments;
use super::carry::{Coupling, couple};
use super::gaussian::{Covariance, Gaussian, store_covariance};
use super::matrix::{largest_weighted, product, symmetric_product, weighted_up};
use super::noise::Noise;
use super::prepared::Hidden;
use super::rounding::{
    Interval, add_up, cover, dot_up, gamma, hypot_up, larger, mul_up, norm_up, plain_dot, smaller, sqrt_up, sum_up, up,
};
use super::sharing::Sharing;
use super::types::Shared;
use crate::reference::vectorized;

/// What Lemma 2 makes of one component.
pub(super) struct Step {
    /// The Gaussian as stored.
    pub(super) next: Gaussian,
    /// Squared distances of the law of the layer's output to the exact Gaussian of Lemma 2, by cause:
    /// linearisation, noise, dropout.
    pub(super) own: [f64; 3],
    /// The squared distance of Lemma 5's second step.
    pub(super) shared: f64,
    /// The distance of the exact Gaussian to `next`.
    pub(super) rounding: f64,
    /// What Lemma 6 needs; only where neurons are independent and none is dropped.
    pub(super) coupling: Option<Coupling>,
}

/// Moments of the neurons before a layer, and what follows from them alone.
pub(super) struct Neurons {
    pub(super) moments: Vec<Moments>,
    /// `Var (a_j μ_j)²` or more.
    square_variances: Vec<f64>,
    /// `β_j` of dropout: `β_j ξ_j` stands for `a_j (μ_j − 1)`.
    masks: Vec<f64>,
    /// `E (a_j(μ_j − 1) − β_j ξ_j)²` or more.
    mask_residuals: Vec<f64>,
}

impl Neurons {
    pub(super) fn new(layer: &Hidden, z: &Gaussian) -> Self {
        let plain = layer.drop.hi == 0.0;
        let all = !plain || matches!(z.covariance, Covariance::Diagonal(_));
        let of = |j: usize| match all {
            true => layer.activation.moments(z.mean[j], z.variance(j)),
            false => layer.activation.second_moments(z.mean[j], z.variance(j)),
        };
        let moments: Vec<Moments> = (0..layer.inputs).map(of).collect();
        // Var (aμ)² = k² (Var a² + (k − 1) E a⁴), k = 1/(1 − p).
        let scale = mul_up(layer.keep.hi, layer.keep.hi);
        let masked = |x: &Moments| if plain { 0.0 } else { mul_up(layer.drop.hi, x.fourth) };
        let varying = |x: &Moments| mul_up(scale, add_up(x.square_variance, masked(x)));
        let masks: Vec<f64> = moments.iter().map(|x| (layer.mask_slope * x.mean).center().0).collect();
        let residual = |(x, &beta): (&Moments, &f64)| {
            let b = Interval::point(beta);
            let fitted = b * (2.0 * (layer.mask_slope * x.mean) - b);
            larger((layer.drop * x.square - fitted).hi, 0.0)
        };
        let square_variances = moments.iter().map(varying).collect();
        let mask_residuals = moments.iter().zip(&masks).map(residual).collect();
        Self { moments, square_variances, masks, mask_residuals }
    }

    /// The slopes `f` that stand for `F`, any numbers.
    pub(super) fn slopes(&self) -> Vec<f64> {
        self.moments.iter().map(|x| x.slope.center().0).collect()
    }

    pub(super) fn each(&self, of: impl Fn(&Moments) -> f64) -> Vec<f64> {
        self.moments.iter().map(of).collect()
    }
}

/// One component through one layer; with `wanted`, the coupling for Lemma 6 too. `None` where the noise cannot be shared as wanted.
pub(super) fn step(
    layer: &Hidden,
    z: &Gaussian,
    mut neurons: Neurons,
    wanted: bool,
    shared: &[Shared],
) -> Option<Step> {
    let plain = layer.drop.hi == 0.0;
    let squares: Vec<Interval> = neurons.moments.iter().map(|x| layer.keep * x.square).collect();
    let means = Noise::means(layer, &squares);
    let sharing = match &z.covariance {
        _ if shared.is_empty() => None,
        Covariance::Diagonal(_) if plain => Some(Sharing::new(layer, z, &mut neurons, shared)?),
        _ => return None,
    };
    let (linearisation, noises) = match &z.covariance {
        Covariance::Diagonal(variances) => independent(layer, variances, &neurons, means),
        Covariance::Full(matrix) => correlated(layer, z, matrix, &neurons, means),
    };
    let dropout = if plain { 0.0 } else { dot_up(&layer.columns, &neurons.mask_residuals) };
    let costs: Vec<f64> = noises.iter().map(|x| x.cost).collect();
    let moved = moved(layer, z, &neurons, &noises);
    if sharing.as_ref().is_some_and(|sharing| !sharing.holds(layer, &moved)) {
        return None;
    }
    let coupling = match &z.covariance {
        Covariance::Diagonal(variances) if wanted && plain && sharing.is_none() => {
            let enclosed = |value: f64, off: f64| Interval::point(value) + Interval::new(-off, off);
            let (next, off_mean, off_variance) = (&moved.next, moved.off_mean, moved.off_variance);
            let law = |i: usize| (enclosed(next.mean[i], off_mean), enclosed(next.variance(i), off_variance));
            Some(couple(layer, variances, &neurons, &noises, law))
        }
        _ => None,
    };
    let own = [linearisation, sum_up(&costs), dropout];
    let shared = sharing.map_or(0.0, |sharing| sharing.cost);
    Some(Step { next: moved.next, own, shared, rounding: moved.rounding, coupling })
}

/// Independent neurons: `E‖Mδ‖² = Σ_j ‖M_:j‖² r_j²`, `Var N_i = Σ_j V_ij² q_j²`, and `N`'s fourth moment in closed form.
fn independent(layer: &Hidden, scales: &[f64], neurons: &Neurons, means: Vec<Interval>) -> (f64, Vec<Noise>) {
    let linearisation = dot_up(&layer.columns, &neurons.each(|x| x.residual));
    let [squares, fourths] = &layer.variance_powers;
    let variances = weighted_up(&neurons.square_variances, squares);
    let fourths = weighted_up(&neurons.each(|x| x.square_fourth), fourths);
    let roots = largest_weighted(scales, &layer.variance_turned);
    let noise = |(i, mean): (usize, Interval)| {
        // Σ_j independent and centred: E(ΣY)⁴ ≤ 3 (Σ E Y²)² + Σ E Y⁴.
        let fourth = add_up(mul_up(3.0, mul_up(variances[i], variances[i])), fourths[i]);
        let (fourth, root) = if layer.drop.hi == 0.0 { (fourth, roots[i]) } else { (f64::INFINITY, f64::INFINITY) };
        Noise::new(mean, variances[i], fourth, root)
    };
    (linearisation, means.into_iter().enumerate().map(noise).collect())
}

/// Correlated neurons, by Hermite rank and Gebelein: `|E δ_j δ_k| ≤ ρ² r_j r_k`, `|Cov(a_j², a_k²)| ≤ |ρ| q_j q_k`.
fn correlated(
    layer: &Hidden,
    z: &Gaussian,
    matrix: &[f64],
    neurons: &Neurons,
    means: Vec<Interval>,
) -> (f64, Vec<Noise>) {
    let n = layer.inputs;
    let inverse = |v: f64| if v == 0.0 { 0.0 } else { 1.0 / v.sqrt() };
    let inverses: Vec<f64> = (0..n).map(|j| inverse(z.variance(j))).collect();
    let residuals = neurons.each(|x| sqrt_up(x.residual));
    let spreads = neurons.each(|x| mul_up(layer.keep.hi, sqrt_up(x.square_variance)));
    let (mut scaled, mut bent) = (vec![0.0; n * n], vec![0.0; n]);
    let mut linearisation = 0.0;
    for j in 0..n {
        let (row, scaled) = (&matrix[j * n..][..n], &mut scaled[j * n..][..n]);
        let (own, spread) = (inverses[j], spreads[j]);
        // A little more than |ρ|, so that neither it nor its square vanishes in underflow.
        vectorized(
            #[inline(always)]
            || {
                let others = inverses.iter().zip(&residuals).zip(&spreads);
                let out = scaled.iter_mut().zip(&mut bent).zip(row);
                for (((rho, bent), x), ((inverse, r), q)) in out.zip(others) {
                    let near = (x.abs() * own * inverse + 1e-100).min(1.0);
                    (*rho, *bent) = (near * (spread * q), near * near * r);
                }
            },
        );
        linearisation += plain_dot(&bent, &layer.gram[j * n..][..n]) * residuals[j];
        scaled[j] = neurons.square_variances[j];
    }
    let most = residuals.iter().copied().fold(0.0, larger);
    let vanished = mul_up((n * n) as f64 * 1e-300, mul_up(most, add_up(most, 1.0)));
    let pairs = add_up(cover(linearisation, 2 * n + 24, n * n), vanished);
    let whole = mul_up(layer.gram_norm, sum_up(&neurons.each(|x| x.residual)));
    let spread = product(&layer.variance, layer.outputs, n, &scaled, n);
    let rows = spread.chunks_exact(n).zip(layer.variance.chunks_exact(n));
    let variances = rows.map(|(spread, row)| cover(plain_dot(row, spread), 2 * n + 24, 4 * n * n));
    let noise = |(mean, variance)| Noise::new(mean, variance, f64::INFINITY, f64::INFINITY);
    (smaller(pairs, whole), means.into_iter().zip(variances).map(noise).collect())
}

/// The next Gaussian as stored.
pub(super) struct Moved {
    pub(super) next: Gaussian,
    /// Its distance from the exact one.
    rounding: f64,
    /// By how much means may be off, and the covariance in the spectral norm.
    off_mean: f64,
    pub(super) off_variance: f64,
}

fn moved(layer: &Hidden, z: &Gaussian, neurons: &Neurons, noises: &[Noise]) -> Moved {
    let (n, rows) = (layer.inputs, layer.outputs);
    let (centers, radii): (Vec<f64>, Vec<f64>) = neurons.moments.iter().map(|x| x.mean.center()).unzip();
    let mut mean = product(&centers, 1, n, &layer.mean_turned, rows);
    mean.iter_mut().zip(&layer.bias_mean).for_each(|(m, b)| *m += b);
    let size = add_up(mul_up(layer.mean_norm, norm_up(&centers)), layer.bias_norm);
    let underflow = (n * rows) as f64 * f64::MIN_POSITIVE;
    let off_mean = add_up(add_up(mul_up(gamma(n + 2), size), mul_up(layer.mean_norm, norm_up(&radii))), underflow);

    let (mut covariance, off) = spread(layer, z, neurons);
    let (noise, noise_off): (Vec<f64>, Vec<f64>) = noises.iter().map(|x| x.mean.center()).unzip();
    (0..rows).for_each(|i| covariance[i * rows + i] += noise[i]);
    let before: Vec<f64> = (0..rows).map(|i| covariance[i * rows + i]).collect();
    let off = add_up(add_up(off, norm_up(&noise_off)), mul_up(f64::EPSILON, sum_up(&before)));
    let floor = noises.iter().map(|x| x.mean.lo).fold(f64::INFINITY, smaller);
    let (off_covariance, floor) = store_covariance(&mut covariance, rows, off, floor, |_| false);
    let grown = (0..rows).fold(0.0, |most, i| larger(most, up(covariance[i * rows + i] - before[i])));
    let next = Gaussian { mean, covariance: Covariance::Full(covariance), floor };
    Moved { next, rounding: hypot_up(off_mean, off_covariance), off_mean, off_variance: add_up(off, grown) }
}

/// `M Q Mᵀ`, `Q = diag(F) Σ diag(F) + diag(β²)`, and how far it may be off in the Frobenius norm. With `x_j² = F_j² s_j² + β_j²`,
/// `|Q_jk| ≤ x_j x_k`: rounding does at most `γ (‖M‖_F ‖x‖)²`. That `F` is known between two numbers only moves `x` by `y`:
/// `‖M‖_F² ‖y‖ (2‖x‖ + ‖y‖)`.
fn spread(layer: &Hidden, z: &Gaussian, neurons: &Neurons) -> (Vec<f64>, f64) {
    let (n, rows) = (layer.inputs, layer.outputs);
    let (slopes, radii): (Vec<f64>, Vec<f64>) = neurons.moments.iter().map(|x| x.slope.center()).unzip();
    let own = |j: usize| slopes[j] * slopes[j] * z.variance(j) + neurons.masks[j] * neurons.masks[j];
    // Products that are subnormal would be a hundred times slower; the term for underflow pays for what is dropped.
    let own: Vec<f64> = (0..n).map(own).map(|x| if x < 1e-290 { 0.0 } else { x }).collect();
    let left = match &z.covariance {
        Covariance::Diagonal(_) => scaled_columns(&layer.mean, &own),
        Covariance::Full(matrix) => {
            let mut inner = scaled_columns(matrix, &slopes);
            for (j, row) in inner.chunks_exact_mut(n).enumerate() {
                row.iter_mut().for_each(|x| *x *= slopes[j]);
                row[j] = own[j];
            }
            product(&layer.mean, rows, n, &inner, n)
        }
    };
    let covariance = symmetric_product(&left, &layer.mean_turned, rows, n);
    let unsure: Vec<f64> = radii.iter().enumerate().map(|(j, &r)| mul_up(r, sqrt_up(z.variance(j)))).collect();
    let size = mul_up(layer.mean_norm, sqrt_up(cover(own.iter().sum(), n + 8, 4 * n)));
    let off = mul_up(layer.mean_norm, norm_up(&unsure));
    let rounding = mul_up(gamma(2 * n + 24), mul_up(size, size));
    let slope = mul_up(off, add_up(mul_up(2.0, size), off));
    let underflow =
        mul_up((rows * rows * n * n) as f64 * 1e-290, add_up(1.0, mul_up(layer.mean_norm, layer.mean_norm)));
    (covariance, add_up(add_up(rounding, slope), underflow))
}

/// `a diag(scales)`.
pub(super) fn scaled_columns(a: &[f64], scales: &[f64]) -> Vec<f64> {
    let mut out = a.to_vec();
    vectorized(
        #[inline(always)]
        || out.chunks_exact_mut(scales.len()).for_each(|row| row.iter_mut().zip(scales).for_each(|(x, s)| *x *= s)),
    );
    out
}
