//! Regression with `(ω, β)` jointly Gaussian (Appendix A.1): `ŷ(x) = 1/K Σ_k E[ω relu(⟨β, x⟩)]`.
//!
//! Index 0 of a component's mean and covariance is ω, the rest β. With `Y = ⟨β, x⟩ ~ N(m, s²)`, `t = m/s`,
//! `q = Cov(ω, Y)`, `S = Σ^β` and `r = φ(t)/s`, the closed forms below avoid the appendix's coefficient that is
//! 0/0 when ω is a function of Y. Textbook loops on unpadded arrays.

use super::Real;
use super::full_covariance::{dot, root_velocity};
use super::normal::relu_moments;
use crate::Result;
use crate::shape::expect_len;

/// A layer's sizes and parameters.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a, T> {
    /// Components `K`.
    pub components: usize,
    /// Inputs `d`; a component's mean has `1 + d` entries.
    pub inputs: usize,
    /// Means, `[K, 1+d]`.
    pub mu: &'a [T],
    /// Square roots of the covariances, `[K, 1+d, 1+d]`.
    pub root: &'a [T],
}

/// The expectations of Appendix A.1.1 for one component and one input.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics<T> {
    /// `A = E relu(Y)`.
    pub a: T,
    /// `B = E[ω 1(Y>0)]`.
    pub b: T,
    /// `C = E[ω relu(Y)]`, the component's prediction.
    pub c: T,
    /// `D = E[ω² 1(Y>0)]`.
    pub d: T,
    /// `F = P(Y>0)`.
    pub f: T,
    /// `κ = (μ_ω − q t/s) φ(t)/s`, which is twice `∂C/∂s²`.
    pub kappa: T,
    /// `P = E[relu(Y) β]`, `[d]`.
    pub p: Vec<T>,
    /// `Q = E[ω 1(Y>0) β]`, `[d]`.
    pub q: Vec<T>,
}

/// Loss, predictions and gradients of a [`Layer`] on a data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradient<T> {
    /// `1/n Σ (y − ŷ)²`.
    pub loss: T,
    /// `ŷ`, `[n]`.
    pub predictions: Vec<T>,
    /// `∂loss/∂μ`, `[K, 1+d]`.
    pub mu: Vec<T>,
    /// `∂loss/∂C`, `[K, 1+d, 1+d]`.
    pub root: Vec<T>,
}

impl<T: Real> Layer<'_, T> {
    fn width(&self) -> usize {
        self.inputs + 1
    }

    /// `Σ_k = C_k C_kᵀ`, `[1+d, 1+d]`.
    pub fn covariance(&self, k: usize) -> Vec<T> {
        let n = self.width();
        let root = &self.root[k * n * n..][..n * n];
        (0..n * n).map(|at| dot(&root[at / n * n..][..n], &root[at % n * n..][..n])).collect()
    }

    /// The closed forms for component `k`, whose covariance is `sigma`, at the input `x [d]`.
    pub fn statistics(&self, k: usize, sigma: &[T], x: &[T]) -> Statistics<T> {
        let n = self.width();
        let mu = &self.mu[k * n..][..n];
        let (mu_w, mu_b) = (mu[0], &mu[1..]);
        let cross = &sigma[1..n];
        let image: Vec<T> = (1..n).map(|i| dot(&sigma[i * n + 1..][..n - 1], x)).collect();
        let cov = dot(cross, x);
        let moments = relu_moments(dot(mu_b, x), dot(&image, x));
        let (a, f, r) = (moments.a, moments.f, moments.q);
        let kappa = (mu_w - cov * moments.w) * r;
        let b = mu_w * f + cov * r;
        let c = mu_w * a + cov * f;
        let d = (sigma[0] + mu_w * mu_w) * f + cov * (mu_w * r + kappa);
        let p = mu_b.iter().zip(&image).map(|(&mu, &image)| mu * a + image * f).collect();
        let q =
            (0..self.inputs).map(|i| f * (cross[i] + mu_w * mu_b[i]) + cov * r * mu_b[i] + kappa * image[i]).collect();
        Statistics { a, b, c, d, f, kappa, p, q }
    }

    /// Loss and gradients for inputs `x [n, d]` and targets `y [n]`. With residuals `e = y − ŷ`:
    /// `∂μ = −2/(nK) Σ e (A, B x)` and `∂C = −2/(nK) H̄ C`, `H̄ = [[0, wᵀ], [w, Xᵀ diag(e κ) X]]`, `w = Xᵀ(e F)`.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] when a length does not fit.
    pub fn gradient(&self, x: &[T], y: &[T]) -> Result<Gradient<T>> {
        const OP: &str = "joint regression layer";
        let n = self.width();
        expect_len(OP, "x [n,d]", x.len(), y.len() * self.inputs)?;
        expect_len(OP, "mu [K,1+d]", self.mu.len(), self.components * n)?;
        expect_len(OP, "root [K,1+d,1+d]", self.root.len(), self.components * n * n)?;
        let components = T::of(self.components as f64);
        let statistics: Vec<Vec<Statistics<T>>> = (0..self.components)
            .map(|k| {
                let sigma = self.covariance(k);
                x.chunks_exact(self.inputs).map(|x| self.statistics(k, &sigma, x)).collect()
            })
            .collect();
        let predictions: Vec<T> =
            (0..y.len()).map(|i| statistics.iter().map(|rows| rows[i].c).sum::<T>() / components).collect();
        let residuals: Vec<T> = y.iter().zip(&predictions).map(|(&y, &p)| y - p).collect();
        let loss = dot(&residuals, &residuals) / T::of(y.len() as f64);
        let scale = T::of(-2.0) / (T::of(y.len() as f64) * components);
        let (mut mu, mut root) = (Vec::new(), Vec::new());
        for (k, rows) in statistics.iter().enumerate() {
            let (d_mu, h) = self.direction(x, &residuals, rows);
            mu.extend(d_mu.into_iter().map(|g| scale * g));
            let c = &self.root[k * n * n..][..n * n];
            root.extend((0..n * n).map(|at| {
                let column = at % n;
                scale * (0..n).map(|i| h[at / n * n + i] * c[i * n + column]).sum::<T>()
            }));
        }
        Ok(Gradient { loss, predictions, mu, root })
    }

    /// `Σ e (A, B x)` and `H̄` of one component.
    fn direction(&self, x: &[T], residuals: &[T], rows: &[Statistics<T>]) -> (Vec<T>, Vec<T>) {
        let n = self.width();
        let (mut d_mu, mut h) = (vec![T::ZERO; n], vec![T::ZERO; n * n]);
        for ((x, &e), s) in x.chunks_exact(self.inputs).zip(residuals).zip(rows) {
            d_mu[0] += e * s.a;
            for i in 1..n {
                d_mu[i] += e * s.b * x[i - 1];
                h[i] += e * s.f * x[i - 1];
                h[i * n] += e * s.f * x[i - 1];
                for j in 1..n {
                    h[i * n + j] += e * s.kappa * x[i - 1] * x[j - 1];
                }
            }
        }
        (d_mu, h)
    }

    /// Bures–Wasserstein velocities of the mixing measure (Theorems 2 to 4): `μ̇_k = −K ∂μ_k`, `[K, 1+d]`, and
    /// `Σ̇_k = −K (∂C Cᵀ + C ∂Cᵀ)`, `[K, 1+d, 1+d]`.
    pub fn velocity(&self, gradient: &Gradient<T>) -> (Vec<T>, Vec<T>) {
        let n = self.width();
        let scale = -T::of(self.components as f64);
        let mean = gradient.mu.iter().map(|&g| scale * g).collect();
        (mean, root_velocity(self.components, n, n, self.root, &gradient.root))
    }
}
