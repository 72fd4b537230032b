//! Cross signatures (Algorithms 4 and 5): points on the axes of a Gaussian, in shells.
//!
//! `P = max(1, ⌊N/2n⌋)` shells over `n` axes. The radii start as those of the equiprobable bins of `|g|`, `g ~ N(0,1)`, times `√n`; shells end halfway
//! between; a point `m ± r_k √λ_i v_i` has the mass of its shell, `P(e_k < χ_n ≤ e_{k+1})/2n`. These points have too little covariance, so the
//! radii are multiplied by the factor at which `Σ_k w_k r_k² = n`: then they have that of the Gaussian. The shells move with the radii.

use super::chi;
use super::normal;
use super::quadrature::integrate;
use super::signature::Signature;
use crate::{Error, Result};

/// Steps in which the scale that matches the covariance is bracketed; it lies near 1.
const GROWTH: f64 = 1.02;

/// A scale that is never needed.
const WIDEST: f64 = 100.0;

/// The radii and masses of a cross, the same for every Gaussian with so many axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Cross {
    axes: usize,
    radii: Vec<f64>,
    /// `w_k`: mass of a shell.
    shells: Vec<f64>,
}

impl Cross {
    /// A cross of about `budget` points, but at least two on each of `axes` axes.
    ///
    /// # Errors
    /// [`Error::Config`] for a budget of 0, [`Error::Numeric`] when no factor matches the covariance.
    pub fn new(axes: usize, budget: usize) -> Result<Self> {
        let start = Self::unscaled(axes, budget)?;
        if axes == 0 {
            return Ok(start);
        }
        // All radii share one factor, which is found by bisection from the first bracket on the way up or down from 1.
        let excess = |scale: f64| start.scaled(scale).second_moment() - axes as f64;
        let (mut low, mut high) = (1.0, 1.0);
        while excess(high) < 0.0 && high < WIDEST {
            (low, high) = (high, high * GROWTH);
        }
        while excess(low) >= 0.0 && low > 1.0 / WIDEST {
            (low, high) = (low / GROWTH, low);
        }
        if !(excess(low) < 0.0 && excess(high) >= 0.0) {
            return Err(Error::numeric("cross signature", format!("no radii match the covariance on {axes} axes")));
        }
        for _ in 0..f64::MANTISSA_DIGITS {
            let middle = 0.5 * (low + high);
            if excess(middle) < 0.0 { low = middle } else { high = middle }
        }
        Ok(start.scaled(high))
    }

    fn scaled(&self, by: f64) -> Self {
        let radii: Vec<f64> = self.radii.iter().map(|radius| by * radius).collect();
        Self { axes: self.axes, shells: shell_masses(self.axes, &radii), radii }
    }

    /// The cross before scaling.
    ///
    /// # Errors
    /// [`Error::Config`] for a budget of 0.
    pub fn unscaled(axes: usize, budget: usize) -> Result<Self> {
        if budget == 0 {
            return Err(Error::Config("a signature needs at least one point".to_owned()));
        }
        if axes == 0 {
            return Ok(Self { axes, radii: Vec::new(), shells: Vec::new() });
        }
        let count = (budget / (2 * axes)).max(1);
        let edge = |k: usize| normal::quantile(0.5 + 0.5 * k as f64 / count as f64);
        let radius = |k: usize| (axes as f64).sqrt() * normal::Cell::new(edge(k), edge(k + 1)).mean;
        let radii: Vec<f64> = (0..count).map(radius).collect();
        let shells = shell_masses(axes, &radii);
        Ok(Self { axes, radii, shells })
    }

    /// `Σ_k w_k r_k²`, which is `n` when the covariance matches.
    pub fn second_moment(&self) -> f64 {
        self.radii.iter().zip(&self.shells).map(|(radius, mass)| mass * radius * radius).sum()
    }

    /// `r_k`, ascending.
    pub fn radii(&self) -> &[f64] {
        &self.radii
    }

    /// The points of an axis, ascending, in units of its deviation, and the boundaries between cells of `N(0,1)` that have their masses.
    pub fn line(&self) -> (Vec<f64>, Vec<f64>) {
        let outward = self.radii.iter().zip(&self.shells);
        let points: Vec<(f64, f64)> =
            outward.clone().rev().map(|(r, w)| (-r, 0.5 * w)).chain(outward.map(|(r, w)| (*r, 0.5 * w))).collect();
        let mut reached = 0.0;
        let boundaries = points.iter().take(points.len().saturating_sub(1)).map(|(_, mass)| {
            reached += mass;
            normal::quantile(reached)
        });
        let boundaries = boundaries.collect();
        (points.into_iter().map(|(center, _)| center).collect(), boundaries)
    }

    /// The formal bound for this cross on a Gaussian with trace `trace` over its axes:
    /// `W₂² ≤ tr Σ/n · (n − 2 Σ_k r_k E[χ_n; shell k] E max_i|g_i| / E χ_n + Σ_k w_k r_k²)`.
    ///
    /// The cells {shell} × {largest `|g_i|`, its sign} have the masses of the points, and by symmetry every axis carries `1/n` of the error.
    pub fn formal_bound(&self, trace: f64) -> f64 {
        if self.axes == 0 {
            return 0.0;
        }
        let n = self.axes as f64;
        let alignment = expected_largest(self.axes) / chi::mean(self.axes);
        let ends = edges(&self.radii);
        let along = |(radius, ends): (&f64, &[f64])| radius * chi::truncated_mean(self.axes, ends[0], ends[1]);
        let inner: f64 = self.radii.iter().zip(ends.windows(2)).map(along).sum();
        trace / n * (n - 2.0 * inner * alignment + self.second_moment()).max(0.0)
    }

    /// The signature of a Gaussian with `mean [width]` and the axes `values [n]`, `vectors [n, width]` (eigenvalues and eigenvectors; no others
    /// may be positive). Its `w2_squared` is the formal bound.
    ///
    /// # Errors
    /// [`Error::Shape`] when the lengths do not fit; [`Error::Numeric`] for a negative eigenvalue.
    pub fn place(&self, mean: &[f64], values: &[f64], vectors: &[f64]) -> Result<Signature> {
        let width = mean.len();
        if values.len() != self.axes || width.checked_mul(self.axes) != Some(vectors.len()) {
            let expected = format!("{} axes of width {width}", self.axes);
            let got = format!("{} values and {} coordinates", values.len(), vectors.len());
            return Err(Error::Shape { op: "cross signature", expected, got });
        }
        if let Some(value) = values.iter().find(|value| !(value.is_finite() && **value >= 0.0)) {
            return Err(Error::numeric("cross signature", format!("an eigenvalue is {value}")));
        }
        let mut out = Signature { w2_squared: self.formal_bound(values.iter().sum()), ..Signature::default() };
        if self.axes == 0 {
            out.masses.push(1.0);
            out.locations.extend_from_slice(mean);
        }
        for (radius, shell) in self.radii.iter().zip(&self.shells) {
            for (axis, value) in values.iter().enumerate() {
                for sign in [-1.0, 1.0] {
                    let step = sign * radius * value.sqrt();
                    let vector = &vectors[axis * width..][..width];
                    out.locations.extend(mean.iter().zip(vector).map(|(m, v)| m + step * v));
                    out.masses.push(shell / (2 * self.axes) as f64);
                }
            }
        }
        Ok(out)
    }
}

/// Ends of the shells: 0, halfway between the radii, infinity.
fn edges(radii: &[f64]) -> Vec<f64> {
    let between = radii.windows(2).map(|pair| 0.5 * (pair[0] + pair[1]));
    std::iter::once(0.0).chain(between).chain(std::iter::once(f64::INFINITY)).collect()
}

fn shell_masses(axes: usize, radii: &[f64]) -> Vec<f64> {
    edges(radii).windows(2).map(|ends| chi::interval_mass(axes, ends[0], ends[1])).collect()
}

/// `E max_i |g_i|` of `n` independent `g_i ~ N(0,1)`: `∫₀^∞ 1 − (2Φ(x) − 1)ⁿ dx`.
pub fn expected_largest(n: usize) -> f64 {
    // 1 − (1 − 2Q)ⁿ is below n·2Q, which no f64 sum notices beyond this point.
    let end = 9.0 + (2.0 * libm::log(n.max(1) as f64)).sqrt();
    let missing = |x: f64| -libm::expm1(n as f64 * libm::log1p(-2.0 * normal::upper_tail(x)));
    integrate(missing, 0.0, end, 256)
}
