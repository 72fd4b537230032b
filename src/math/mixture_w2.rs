//! The distance between Gaussian mixtures `MW₂² = min_ω Σ_ij ω_ij W₂²(N_i, N'_j)` over couplings `ω` of the weights (Eqn 2). It is at least `W₂²`.

use super::gaussian_w2::Rooted;
use super::mixture::Components;
use super::transport::{Plan, solve};
use crate::{Error, Result};

/// `W₂²` of every pair of components, `[a, b]`.
///
/// # Errors
/// [`Error::Shape`] when the widths differ; [`Error::Numeric`] for entries that are not finite or a covariance that is not
/// positive semidefinite.
pub fn costs(a: Components<'_>, b: Components<'_>) -> Result<Vec<f64>> {
    if a.width() != b.width() {
        let expected = format!("mixtures of one width, {}", a.width());
        return Err(Error::Shape { op: "mixture distance", expected, got: b.width().to_string() });
    }
    let rooted = |mixture: Components<'_>| {
        let component = |c: usize| Rooted::new(mixture.mean(c), mixture.covariance(c));
        (0..mixture.weights().len()).map(component).collect::<Result<Vec<Rooted>>>()
    };
    let (a, b) = (rooted(a)?, rooted(b)?);
    a.iter().flat_map(|a| b.iter().map(move |b| a.w2_squared(b))).collect()
}

/// The optimal coupling of two mixtures; its cost is `MW₂²`.
///
/// # Errors
/// As [`costs`] and [`solve`].
pub fn couple(a: Components<'_>, b: Components<'_>) -> Result<Plan> {
    solve(a.weights(), b.weights(), &costs(a, b)?)
}
