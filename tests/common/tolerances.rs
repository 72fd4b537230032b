//! Tolerances of the GPU kernels against their f64 twins, with their reasons. ε = 2⁻²³.

/// Unit of rounding of an f32.
pub(crate) const EPSILON: f64 = f32::EPSILON as f64;

/// `A`, `F`, `q`, `w`: the fits are good to 3e-7, exp to 1e-6 on its usual range, and `t` enters the density as `t²/2` with
/// a relative error ε from the division and the root, so the relative error grows by `t²`. Below `abs` f32 flushes to 0.
pub(crate) fn moments(t: f64, scale: f64) -> impl Fn(f64) -> f64 {
    let kappa = 24.0 + 4.0 * t * t;
    move |want| 1e-37 * (1.0 + scale) + EPSILON * kappa * want.abs()
}

/// A sum of `terms` products in f32, compared by the size of the largest result: each addition errs by ε/2 of a partial
/// sum, and partial sums stay within `√terms` of typical results for random data; 8 leaves room for the moments inside.
pub(crate) fn sums(terms: usize, largest: f64) -> impl Fn(f64) -> f64 {
    let allowed = 8.0 * EPSILON * (terms as f64).sqrt() * largest.max(1e-30);
    move |_| allowed
}

/// Softmax and log-sum-exp: exp and log err by a few ε each, the shift by ε of the logits.
pub(crate) fn loss(largest_logit: f64) -> impl Fn(f64) -> f64 {
    let shift = 2.0 * EPSILON * largest_logit;
    move |want| shift + 1e-7 + 16.0 * EPSILON * want.abs()
}

/// Elementwise arithmetic of a handful of operations.
pub(crate) fn elementwise(want: f64) -> f64 {
    1e-30 + 8.0 * EPSILON * want.abs()
}

/// Moments of activations up to the eighth order, relative: a dozen operations, sums of positive terms, fits good to 3e-7 and exp
/// to 1e-6; the combinations cancel by a factor of 10 at most (`E δ⁴`). In the rectifier's tails `t² ε` comes on top, as for [`moments`].
pub(crate) fn orders(t: f64) -> f64 {
    EPSILON * (64.0 + t * t)
}

/// Squared distances between Gaussians whose covariances are not near singular: one-sided Jacobi keeps all singular values to about
/// `n ε` of the largest, and the traces cancel against them.
pub(crate) fn distances(n: usize, traces: f64) -> f64 {
    4.0 * EPSILON * n as f64 * traces
}

/// Squared distances between any Gaussians: rounding moves each covariance by `ΔS`, `‖ΔS‖_* ≤ 4 n ε λ`, and thereby a Gaussian by
/// `W₂ ≤ ‖ΔS‖_*^½`; `largest` is the larger λ. Nothing better holds where an eigenvalue is 0: its root is not differentiable.
pub(crate) fn singular_distances(n: usize, largest: f64) -> impl Fn(f64) -> f64 {
    let moved = 2.0 * (4.0 * n as f64 * EPSILON * largest).sqrt();
    move |want| moved * (2.0 * want.max(0.0).sqrt() + moved)
}
