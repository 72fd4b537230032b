//! Lemma 6: an error carried through the next layer in that layer's own metric.

use super::activation::Displaced;
use super::gaussian::Gaussian;
use super::layer::Coupling;
use super::matrix::product;
use super::prepared::Hidden;
use super::rounding::{add_up, cover, dot_up, gamma, hypot_up, mul_up, plain_dot, smaller, sqrt_up, sum_up};

/// What became of a coupled error, as distances after the next layer.
pub(super) struct Carried {
    /// Lemma 6's bound.
    pub(super) total: f64,
    /// Its part without `κ`: what the linear part of the next activation makes of the error.
    pub(super) linear: f64,
}

/// `W2² ≤ (√tr(M₂ᵀM₂ diag(f) C diag(f)) + √κ*)² + Σ_j D_j C_jj` for `C = M diag(r²) Mᵀ + diag(noise)`.
///
/// `before` made the coupling, `law` is its Gaussian as stored (its moments give the slopes `f`, which may be any numbers).
pub(super) fn carry(before: &Hidden, coupling: &Coupling, layer: &Hidden, law: &Gaussian) -> Carried {
    let n = layer.inputs;
    let slopes: Vec<f64> =
        (0..n).map(|j| layer.activation.moments(law.mean[j], law.variance(j)).slope.center().0).collect();

    // tr = ‖M₂ diag(f) M₁ diag(r)‖_F² + Σ_j ‖M₂_:j‖² f_j² noise_j; the product is off by γ ‖M₂ diag(f)‖_F ‖M₁ diag(r)‖_F.
    let scaled: Vec<f64> =
        layer.mean.chunks_exact(n).flat_map(|row| row.iter().zip(&slopes).map(|(x, f)| x * f)).collect();
    let through = product(&scaled, layer.outputs, n, &before.mean, before.inputs);
    let weighted: Vec<f64> = through
        .chunks_exact(before.inputs)
        .flat_map(|row| row.iter().zip(&coupling.residuals).map(|(x, r)| x * r))
        .collect();
    let left = sqrt_up(cover(plain_dot(&scaled, &scaled), scaled.len() / 8 + 16, scaled.len()));
    let squares: Vec<f64> = coupling.residuals.iter().map(|&r| mul_up(r, r)).collect();
    let right = sqrt_up(dot_up(&before.columns, &squares));
    let entries = sqrt_up(cover(plain_dot(&weighted, &weighted), weighted.len() / 8 + 16, 2 * weighted.len()));
    let shaped = add_up(entries, mul_up(mul_up(gamma(n + 8), left), right));
    let sized: Vec<f64> = layer.columns.iter().zip(&slopes).map(|(&c, &f)| mul_up(c, mul_up(f, f))).collect();
    let scales: Vec<f64> = coupling.displaced.iter().map(|d| d.scale).collect();
    let metric = hypot_up(shaped, sqrt_up(dot_up(&sized, &scales)));

    let bend = |(d, &slope): (&Displaced, &f64)| layer.activation.displacement(&Displaced { slope, ..*d });
    let bends: Vec<f64> = coupling.displaced.iter().zip(&slopes).map(bend).collect();
    let squared: Vec<f64> = bends.iter().map(|&b| mul_up(b, b)).collect();
    let pairs = layer.gram.chunks_exact(n).zip(&bends).map(|(row, &b)| plain_dot(row, &bends) * b).sum();
    let bent = smaller(cover(pairs, 2 * n + 8, 2 * n * n), mul_up(layer.gram_norm, sum_up(&squared)));

    let seconds: Vec<f64> = coupling.displaced.iter().map(Displaced::second).collect();
    let scale = sqrt_up(dot_up(&layer.column_variances, &seconds));
    let total = hypot_up(add_up(metric, sqrt_up(bent)), scale);
    Carried { total, linear: hypot_up(metric, scale) }
}
