//! Lemma 2: a Gaussian through an activation, dropout and a dense layer.

use super::activation::{Displaced, FourthMoments, Moments};
use super::gaussian::{Covariance, Gaussian, store_covariance};
use super::matrix::{product, symmetric_product};
use super::noise::{Noise, rows_up};
use super::prepared::Hidden;
use super::rounding::{
    Interval, add_up, cover, div_up, dot_up, gamma, hypot_up, larger, mul_up, norm_up, plain_dot, smaller, sqrt_up,
    sum_up,
};

/// What Lemma 2 makes of one component.
pub(super) struct Step {
    /// The Gaussian as stored.
    pub(super) next: Gaussian,
    /// Squared distances of the law of the layer's output to the exact Gaussian of Lemma 2, by cause:
    /// linearisation, noise, dropout.
    pub(super) own: [f64; 3],
    /// The distance of the exact Gaussian to `next`.
    pub(super) rounding: f64,
    /// What Lemma 6 needs; only where neurons are independent and none is dropped.
    pub(super) coupling: Option<Coupling>,
}

/// Lemma 2's coupling of the true `z'` with the exact Gaussian `ẑ'`: `d = z' − ẑ' = Mδ + (√N − √N̄)∘ξ`.
pub(super) struct Coupling {
    /// `r_j` or more, before the layer.
    pub(super) residuals: Vec<f64>,
    /// Every output's `d`; the slope is not filled in yet.
    pub(super) displaced: Vec<Displaced>,
}

/// Moments of the neurons before a layer, and what follows from them alone.
struct Neurons {
    moments: Vec<Moments>,
    /// Where they are needed: neurons independent, or dropped at random.
    fourths: Vec<FourthMoments>,
    /// `Var (a_j μ_j)²` or more.
    square_variances: Vec<f64>,
    /// `β_j` of dropout: `β_j ξ_j` stands for `a_j (μ_j − 1)`.
    masks: Vec<f64>,
    /// `E (a_j(μ_j − 1) − β_j ξ_j)²` or more.
    mask_residuals: Vec<f64>,
}

impl Neurons {
    fn new(layer: &Hidden, z: &Gaussian) -> Self {
        let each = 0..layer.inputs;
        let moments: Vec<Moments> = each.clone().map(|j| layer.activation.moments(z.mean[j], z.variance(j))).collect();
        let dropped = layer.drop.hi != 0.0;
        let fourths: Vec<FourthMoments> = if dropped || matches!(z.covariance, Covariance::Diagonal(_)) {
            each.clone().map(|j| layer.activation.fourth_moments(z.mean[j], z.variance(j))).collect()
        } else {
            Vec::new()
        };
        if !dropped {
            let square_variances = moments.iter().map(|x| x.square_variance).collect();
            return Self { moments, fourths, square_variances, masks: Vec::new(), mask_residuals: Vec::new() };
        }
        // Var (aμ)² = k² (Var a² + (k − 1) E a⁴), k = 1/(1 − p).
        let square_variances = each
            .map(|j| {
                let sum = add_up(moments[j].square_variance, mul_up(layer.drop.hi, fourths[j].plain));
                mul_up(mul_up(layer.keep.hi, layer.keep.hi), sum)
            })
            .collect();
        let masks: Vec<f64> = moments.iter().map(|x| (layer.mask_slope * x.mean).center().0).collect();
        let residual = |(x, &beta): (&Moments, &f64)| {
            let b = Interval::point(beta);
            let fitted = b * (2.0 * (layer.mask_slope * x.mean) - b);
            larger((layer.drop * x.square - fitted).hi, 0.0)
        };
        let mask_residuals = moments.iter().zip(&masks).map(residual).collect();
        Self { moments, fourths, square_variances, masks, mask_residuals }
    }

    fn slopes(&self) -> Vec<f64> {
        self.moments.iter().map(|x| x.slope.center().0).collect()
    }
}

/// One component through one layer; with `wanted`, the coupling for Lemma 6 too.
pub(super) fn step(layer: &Hidden, z: &Gaussian, wanted: bool) -> Step {
    let neurons = Neurons::new(layer, z);
    let squares: Vec<Interval> = neurons.moments.iter().map(|x| layer.keep * x.square).collect();
    let means = Noise::means(layer, &squares);
    let residuals: Vec<f64> = neurons.moments.iter().map(|x| sqrt_up(x.residual)).collect();
    let dropout = dot_up_or_zero(&layer.columns, &neurons.mask_residuals);
    let (linearisation, noises) = match &z.covariance {
        Covariance::Diagonal(_) => independent(layer, z, &neurons, means),
        Covariance::Full(matrix) => correlated(layer, z, matrix, &neurons, means, &residuals),
    };
    let costs: Vec<f64> = noises.iter().map(Noise::cost).collect();
    let (next, rounding, off_mean, off_variance) = moved(layer, z, &neurons, &noises);
    let diagonal = matches!(z.covariance, Covariance::Diagonal(_));
    let coupling = (wanted && diagonal && layer.drop.hi == 0.0).then(|| {
        let enclosed = |value: f64, off: f64| Interval::point(value) + Interval::new(-off, off);
        let means = next.mean.iter().map(|&m| enclosed(m, off_mean)).collect();
        let variances = (0..layer.outputs).map(|i| enclosed(next.variance(i), off_variance).non_negative()).collect();
        coupling(layer, z, &neurons, residuals, &noises, means, variances)
    });
    Step { next, own: [linearisation, sum_up(&costs), dropout], rounding, coupling }
}

fn dot_up_or_zero(x: &[f64], y: &[f64]) -> f64 {
    if y.is_empty() { 0.0 } else { dot_up(x, y) }
}

/// Independent neurons: `E‖Mδ‖² = Σ_j ‖M_:j‖² r_j²`, `Var N_i = Σ_j V_ij² q_j²`, and `N`'s fourth moment in closed form.
fn independent(layer: &Hidden, z: &Gaussian, neurons: &Neurons, means: Vec<Interval>) -> (f64, Vec<Noise>) {
    let residuals: Vec<f64> = neurons.moments.iter().map(|x| x.residual).collect();
    let linearisation = dot_up(&layer.columns, &residuals);
    let variances = rows_up(&layer.variance_squares, &neurons.square_variances);
    let n = layer.inputs;
    let plain = layer.drop.hi == 0.0;
    let scales: Vec<f64> = (0..n).map(|j| z.variance(j)).collect();
    let fourths: Vec<f64> = if plain {
        rows_up(&layer.variance_fourths, &neurons.fourths.iter().map(|x| x.square).collect::<Vec<f64>>())
    } else {
        vec![f64::INFINITY; layer.outputs]
    };
    let noises = means.into_iter().zip(variances).zip(fourths).enumerate().map(|(i, ((mean, variance), own))| {
        // Σ_j independent and centred: E(ΣY)⁴ ≤ 3 (Σ E Y²)² + Σ E Y⁴.
        let fourth = add_up(mul_up(3.0, mul_up(variance, variance)), own);
        let row = &layer.variance[i * n..][..n];
        let root_variance = if plain { largest_product(row, &scales) } else { f64::INFINITY };
        Noise { mean, variance, fourth, root_variance }
    });
    (linearisation, noises.collect())
}

/// `max_j x_j y_j` or more, for finite numbers that are not negative: rounding keeps their order.
fn largest_product(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).fold(0.0, f64::max).next_up()
}

/// Correlated neurons, by Hermite rank and Gebelein: `|E δ_j δ_k| ≤ ρ² r_j r_k`, `|Cov(a_j², a_k²)| ≤ |ρ| q_j q_k`.
fn correlated(
    layer: &Hidden,
    z: &Gaussian,
    matrix: &[f64],
    neurons: &Neurons,
    means: Vec<Interval>,
    residuals: &[f64],
) -> (f64, Vec<Noise>) {
    let n = layer.inputs;
    let inverses: Vec<f64> = (0..n).map(|j| inverse_root(z.variance(j))).collect();
    let spreads: Vec<f64> = neurons.moments.iter().map(|x| sqrt_up(x.square_variance)).collect();
    let mut scaled = vec![0.0; n * n];
    let mut linearisation = 0.0;
    for j in 0..n {
        let (row, gram) = (&matrix[j * n..][..n], &layer.gram[j * n..][..n]);
        let mut sum = 0.0;
        for k in 0..n {
            // A little more than |ρ|, so that neither it nor its square vanishes in underflow.
            let correlation = (row[k].abs() * inverses[j] * inverses[k] + 1e-100).min(1.0);
            sum += gram[k] * correlation * correlation * residuals[k];
            scaled[j * n + k] = correlation * spreads[j] * spreads[k];
        }
        linearisation += sum * residuals[j];
    }
    let most = residuals.iter().copied().fold(0.0, larger);
    let vanished = mul_up((n * n) as f64 * 1e-300, mul_up(most, add_up(most, 1.0)));
    let pairs = add_up(cover(linearisation, 2 * n + 24, n * n), vanished);
    let whole = mul_up(layer.gram_norm, sum_up(&neurons.moments.iter().map(|x| x.residual).collect::<Vec<f64>>()));
    let keep_square = mul_up(layer.keep.hi, layer.keep.hi);
    for j in 0..n {
        scaled[j * n..][..n].iter_mut().for_each(|x| *x *= keep_square);
        scaled[j * n + j] = neurons.square_variances[j];
    }
    let spread = product(&layer.variance, layer.outputs, n, &scaled, n);
    let noises = means.into_iter().zip(spread.chunks_exact(n)).enumerate().map(|(i, (mean, spread))| {
        let row = &layer.variance[i * n..][..n];
        let variance = cover(plain_dot(row, spread), 2 * n + 24, 4 * n * n);
        Noise { mean, variance, fourth: f64::INFINITY, root_variance: f64::INFINITY }
    });
    (smaller(pairs, whole), noises.collect())
}

/// `1/√v`, rounded a few times; 0 for 0, whose neuron does not vary.
fn inverse_root(v: f64) -> f64 {
    if v == 0.0 { 0.0 } else { 1.0 / v.sqrt() }
}

/// The next Gaussian as stored, its distance from the exact one, and by how much a mean and a variance may be off.
fn moved(layer: &Hidden, z: &Gaussian, neurons: &Neurons, noises: &[Noise]) -> (Gaussian, f64, f64, f64) {
    let (n, rows) = (layer.inputs, layer.outputs);
    let (centers, radii): (Vec<f64>, Vec<f64>) = neurons.moments.iter().map(|x| x.mean.center()).unzip();
    let mut mean: Vec<f64> = layer.mean.chunks_exact(n).map(|row| plain_dot(row, &centers)).collect();
    mean.iter_mut().zip(&layer.bias_mean).for_each(|(m, b)| *m += b);
    let size = add_up(mul_up(layer.mean_norm, norm_up(&centers)), layer.bias_norm);
    let underflow = (n * rows) as f64 * f64::MIN_POSITIVE;
    let off_mean = add_up(add_up(mul_up(gamma(n + 2), size), mul_up(layer.mean_norm, norm_up(&radii))), underflow);

    let (mut covariance, mut off) = match &z.covariance {
        Covariance::Diagonal(variances) => from_diagonal(layer, variances, neurons),
        Covariance::Full(matrix) => from_full(layer, z, matrix, neurons),
    };
    let (noise, noise_off): (Vec<f64>, Vec<f64>) = noises.iter().map(|x| x.mean.center()).unzip();
    for i in 0..rows {
        covariance[i * rows + i] += noise[i];
    }
    let trace = sum_up(&(0..rows).map(|i| covariance[i * rows + i]).collect::<Vec<f64>>());
    off = add_up(add_up(off, norm_up(&noise_off)), mul_up(f64::EPSILON, trace));
    let floor = noises.iter().map(|x| x.mean.lo).fold(f64::INFINITY, smaller);
    let before: Vec<f64> = (0..rows).map(|i| covariance[i * rows + i]).collect();
    let (off_covariance, floor) = store_covariance(&mut covariance, rows, off, floor, |_| false);
    let grown = (0..rows).fold(0.0, |most, i| larger(most, (covariance[i * rows + i] - before[i]).next_up()));
    let next = Gaussian { mean, covariance: Covariance::Full(covariance), floor };
    (next, hypot_up(off_mean, off_covariance), off_mean, add_up(off, larger(grown, 0.0)))
}

/// `M diag(F² s² + β²) Mᵀ` as `Z Zᵀ`, and how far it may be off in the Frobenius norm: `γ Σ‖Z_i‖²` by rounding, and
/// `Σ_j ‖M_:j‖² |F_j² − f_j²| s_j²` because `F` is known between two numbers only.
fn from_diagonal(layer: &Hidden, variances: &[f64], neurons: &Neurons) -> (Vec<f64>, f64) {
    let (n, rows) = (layer.inputs, layer.outputs);
    let mut lengths = Vec::with_capacity(n);
    let mut unsure = Vec::with_capacity(n);
    for (j, (x, &v)) in neurons.moments.iter().zip(variances).enumerate() {
        let (f, radius) = x.slope.center();
        let beta = neurons.masks.get(j).copied().unwrap_or(0.0);
        lengths.push(if beta == 0.0 { f.abs() * v.sqrt() } else { (f * f * v + beta * beta).sqrt() });
        unsure.push(mul_up(mul_up(radius, add_up(mul_up(2.0, f.abs()), radius)), v));
    }
    let z = scaled_columns(&layer.mean, &lengths);
    let covariance = symmetric_product(&z, &z, rows, n);
    let trace = cover(plain_dot(&z, &z), rows * n / 8 + 16, rows * n);
    let underflow = mul_up((rows * rows * n) as f64 * 1e-300, add_up(1.0, mul_up(layer.mean_norm, layer.mean_norm)));
    let off = add_up(add_up(mul_up(gamma(n + 24), trace), dot_up(&layer.columns, &unsure)), underflow);
    (covariance, off)
}

/// `M (diag(F) Σ diag(F) + diag(β²)) Mᵀ`: `|Σ_jk| ≤ s_j s_k` bounds what rounding does by `v vᵀ`, `v = |M|(F∘s)`.
fn from_full(layer: &Hidden, z: &Gaussian, matrix: &[f64], neurons: &Neurons) -> (Vec<f64>, f64) {
    let (n, rows) = (layer.inputs, layer.outputs);
    let mut inner = matrix.to_vec();
    let slopes = neurons.slopes();
    for j in 0..n {
        for k in 0..n {
            inner[j * n + k] *= slopes[j] * slopes[k];
        }
        let beta = neurons.masks.get(j).copied().unwrap_or(0.0);
        inner[j * n + j] += beta * beta;
    }
    let left = product(&layer.mean, rows, n, &inner, n);
    let covariance = symmetric_product(&left, &layer.mean, rows, n);
    let mut scales = Vec::with_capacity(n);
    let mut unsure = Vec::with_capacity(n);
    for (j, x) in neurons.moments.iter().enumerate() {
        let (f, radius) = x.slope.center();
        let s = sqrt_up(z.variance(j));
        scales.push(hypot_up(mul_up(f.abs(), s), neurons.masks.get(j).map_or(0.0, |b| b.abs())));
        unsure.push(mul_up(radius, s));
    }
    let absolute: Vec<f64> = layer.mean.iter().map(|x| x.abs()).collect();
    let v = norm_up(&rows_up(&absolute, &scales));
    let w = norm_up(&rows_up(&absolute, &unsure));
    let rounding = mul_up(gamma(2 * n + 24), mul_up(v, v));
    let slope = mul_up(w, add_up(mul_up(2.0, v), w));
    let underflow =
        mul_up((rows * rows * n * n) as f64 * 1e-300, add_up(1.0, mul_up(layer.mean_norm, layer.mean_norm)));
    (covariance, add_up(add_up(rounding, slope), underflow))
}

fn scaled_columns(matrix: &[f64], scales: &[f64]) -> Vec<f64> {
    matrix.chunks_exact(scales.len()).flat_map(|row| row.iter().zip(scales).map(|(x, s)| x * s)).collect()
}

/// `e = (Mδ)_i`: `E e² = Σ_j M_ij² r_j²`, `E e⁴ ≤ 3 (E e²)² + Σ_j M_ij⁴ E δ_j⁴`; `ν = √N_i − √N̄_i`. `G_i` is the part of `ẑ_i`
/// that comes from `z`; with `ρ_j = M_ij F_j s_j/sd G_i`, and no `ρ_j²` above ¼,
/// `|Cov(e², h(G))| ≤ (Σ_j M_ij² |ρ_j| (E δ_j⁴)^½ + √6 (Σ_j |M_ij| ρ_j² r_j)²) sd h` (Hermite rank, see the page).
fn coupling(
    layer: &Hidden,
    z: &Gaussian,
    neurons: &Neurons,
    residuals: Vec<f64>,
    noises: &[Noise],
    means: Vec<Interval>,
    variances: Vec<Interval>,
) -> Coupling {
    let n = layer.inputs;
    let squares: Vec<f64> = neurons.moments.iter().map(|x| x.residual).collect();
    let fourths: Vec<f64> = neurons.fourths.iter().map(|x| x.residual).collect();
    let linear = rows_up(&layer.mean_squares, &squares);
    let linear_fourths = rows_up(&layer.mean_fourths, &fourths);
    let moved: Vec<Interval> =
        (0..n).map(|j| (neurons.moments[j].slope * Interval::point(z.variance(j)).sqrt()).non_negative()).collect();
    let squared: Vec<Interval> = moved.iter().map(|x| x.square()).collect();
    let spread: Vec<f64> = fourths.iter().zip(&moved).map(|(&q, m)| mul_up(sqrt_up(q), m.hi)).collect();
    let bent: Vec<f64> = residuals.iter().zip(&squared).map(|(&r, m)| mul_up(r, m.hi)).collect();
    let (pairs, bends) = (rows_up(&layer.mean_cubes, &spread), rows_up(&layer.mean_cubes, &bent));
    let (low, high): (Vec<f64>, Vec<f64>) = squared.iter().map(|x| (x.lo, x.hi)).unzip();
    let slack = (1.0 - 2.0 * gamma(n + 4)).next_down();
    let displaced = (0..layer.outputs).map(|i| {
        let row = &layer.mean_squares[i * n..][..n];
        // The computed squares are upper bounds by one unit in the last place.
        let own = plain_dot(row, &low) * slack - (n as f64 * f64::MIN_POSITIVE);
        let most = largest_product(row, &high);
        let dependence = if own > 0.0 && most <= 0.25 * own {
            let bend = mul_up(2.449_489_743, mul_up(div_up(bends[i], own), div_up(bends[i], own)));
            add_up(div_up(pairs[i], own.sqrt().next_down()), bend)
        } else {
            f64::INFINITY
        };
        let delta = sqrt_up(sqrt_up(add_up(mul_up(3.0, mul_up(linear[i], linear[i])), linear_fourths[i])));
        Displaced {
            mean: means[i],
            variance: variances[i],
            slope: 0.0,
            shift: linear[i],
            shift_fourth: delta,
            dependence,
            scale: noises[i].cost(),
            scale_fourth: sqrt_up(sqrt_up(noises[i].root_fourth())),
            floor: noises[i].mean.lo,
        }
    });
    let displaced = displaced.collect();
    Coupling { residuals, displaced }
}
