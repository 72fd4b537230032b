//! Lemma 6: an error carried through the next layer in that layer's own metric.

use super::activation::Displaced;
use super::layer::{Neurons, scaled_columns};
use super::matrix::{largest_weighted, product, weighted_up};
use super::noise::Noise;
use super::prepared::Hidden;
use super::rounding::{
    Interval, add_up, cover, div_up, dot_up, down, fourth_root, gamma, hypot_up, mul_up, plain_dot, smaller, sqrt_down,
    sqrt_up, sum_up,
};

/// Lemma 2's coupling of the true `z'` with the exact Gaussian `ẑ'`: `d = z' − ẑ' = Mδ + (√N − √N̄)∘ξ`.
pub(super) struct Coupling {
    /// `r_j²` or more, before the layer.
    residuals: Vec<f64>,
    /// Every output's `d`; the slope is not filled in yet.
    displaced: Vec<Displaced>,
}

/// Lemma 2's coupling for independent neurons. `e = (Mδ)_i`: `E e² = Σ_j M_ij² r_j²`, `E e⁴ ≤ 3 (E e²)² + Σ_j M_ij⁴ E δ_j⁴`;
/// `ν = √N_i − √N̄_i`. `G_i` is the part of `ẑ_i` that comes from `z`; with `ρ_j = M_ij F_j s_j/sd G_i`, and no `ρ_j²` above ¼,
/// `|Cov(e², h(G))| ≤ (Σ_j M_ij² |ρ_j| (E δ_j⁴)^½ + √6 (Σ_j |M_ij| ρ_j² r_j)²) sd h` (Hermite rank, see the page). `law` encloses the mean
/// and the variance of an output.
pub(super) fn couple(
    layer: &Hidden,
    variances: &[f64],
    neurons: &Neurons,
    noises: &[Noise],
    law: impl Fn(usize) -> (Interval, Interval),
) -> Coupling {
    let [squares, cubes, fourths] = &layer.mean_powers;
    let residuals = neurons.each(|x| x.residual);
    let linear = weighted_up(&residuals, squares);
    let linear_fourths = weighted_up(&neurons.each(|x| x.residual_fourth), fourths);
    let moved = neurons.moments.iter().zip(variances);
    let moved: Vec<Interval> = moved.map(|(x, &v)| (x.slope.square() * Interval::point(v)).non_negative()).collect();
    let spread = neurons.moments.iter().zip(&moved).map(|(x, m)| mul_up(sqrt_up(x.residual_fourth), sqrt_up(m.hi)));
    let bent = residuals.iter().zip(&moved).map(|(&r, m)| mul_up(sqrt_up(r), m.hi));
    let pairs = weighted_up(&spread.collect::<Vec<f64>>(), cubes);
    let bends = weighted_up(&bent.collect::<Vec<f64>>(), cubes);
    let (low, high): (Vec<f64>, Vec<f64>) = moved.iter().map(|x| (x.lo, x.hi)).unzip();
    let own = product(&low, 1, low.len(), squares, layer.outputs);
    let most = largest_weighted(&high, squares);
    // The squares are upper bounds by three units in the last place, or the smallest normal number.
    let slack = down(1.0 - 2.0 * gamma(low.len() + 8));
    let lost = 1e-300 * (low.len() as f64 + low.iter().sum::<f64>());
    let displaced = |i: usize| {
        let own = down(down(own[i] * slack) - lost);
        let dependence = if own > 0.0 && most[i] <= 0.25 * own {
            let bend = div_up(bends[i], own);
            add_up(div_up(pairs[i], sqrt_down(own)), mul_up(2.449_489_743, mul_up(bend, bend)))
        } else {
            f64::INFINITY
        };
        let (mean, variance) = law(i);
        Displaced {
            mean,
            variance: variance.non_negative(),
            slope: 0.0,
            shift: linear[i],
            shift_fourth: fourth_root(add_up(mul_up(3.0, mul_up(linear[i], linear[i])), linear_fourths[i])),
            dependence,
            scale: noises[i].cost,
            scale_fourth: noises[i].root_fourth,
            floor: noises[i].mean.lo,
        }
    };
    let displaced = (0..layer.outputs).map(displaced).collect();
    Coupling { residuals, displaced }
}

/// What became of a coupled error, as distances after the next layer.
pub(super) struct Carried {
    /// Lemma 6's bound.
    pub(super) total: f64,
    /// Its part without `κ`: what the linear part of the next activation makes of the error.
    pub(super) linear: f64,
}

/// `W2² ≤ (√tr(M₂ᵀM₂ diag(f) C diag(f)) + √κ*)² + Σ_j D_j C_jj` for `C = M diag(r²) Mᵀ + diag(noise)`.
///
/// `before` made the coupling, `slopes` are the next activation's `f`, any numbers.
pub(super) fn carry(before: &Hidden, coupling: &Coupling, layer: &Hidden, slopes: &[f64]) -> Carried {
    let n = layer.inputs;
    // tr = ‖M₂ diag(f) M₁ diag(r)‖_F² + Σ_j ‖M₂_:j‖² f_j² noise_j; the product is off by γ ‖M₂ diag(f)‖_F ‖M₁ diag(r)‖_F.
    let scaled = scaled_columns(&layer.mean, slopes);
    let through = product(&scaled, layer.outputs, n, &before.mean, before.inputs);
    let roots: Vec<f64> = coupling.residuals.iter().map(|&r| sqrt_up(r)).collect();
    let weighted = scaled_columns(&through, &roots);
    let left = sqrt_up(cover(plain_dot(&scaled, &scaled), scaled.len() / 8 + 16, scaled.len()));
    let right = sqrt_up(dot_up(&before.columns, &coupling.residuals));
    let entries = sqrt_up(cover(plain_dot(&weighted, &weighted), weighted.len() / 8 + 16, 2 * weighted.len()));
    let shaped = add_up(entries, mul_up(mul_up(gamma(n + 8), left), right));
    let sized: Vec<f64> = layer.columns.iter().zip(slopes).map(|(&c, &f)| mul_up(c, mul_up(f, f))).collect();
    let scales: Vec<f64> = coupling.displaced.iter().map(|d| d.scale).collect();
    let metric = hypot_up(shaped, sqrt_up(dot_up(&sized, &scales)));

    let bend = |(d, &slope): (&Displaced, &f64)| layer.activation.displacement(&Displaced { slope, ..*d });
    let bends: Vec<f64> = coupling.displaced.iter().zip(slopes).map(bend).collect();
    let squared: Vec<f64> = bends.iter().map(|&b| mul_up(b, b)).collect();
    let pairs = layer.gram.chunks_exact(n).zip(&bends).map(|(row, &b)| plain_dot(row, &bends) * b).sum();
    let bent = smaller(cover(pairs, 2 * n + 8, 2 * n * n), mul_up(layer.gram_norm, sum_up(&squared)));

    let seconds: Vec<f64> = coupling.displaced.iter().map(Displaced::second).collect();
    let scale = sqrt_up(dot_up(&layer.column_variances, &seconds));
    let total = hypot_up(add_up(metric, sqrt_up(bent)), scale);
    Carried { total, linear: hypot_up(metric, scale) }
}
