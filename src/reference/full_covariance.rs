//! The Gaussian-mixture layer with full (or low-rank) covariances `Σ_k = C_k C_kᵀ`, `C_k ∈ R^{d×r}`.
//!
//! With `a = C_kᵀ x`: `s² = ‖a‖²`, `c_kℓ = ⟨C_kᵀ u_kℓ, a⟩`, the rest as in [`super::gm_layer`]; the diagonal layer is
//! the case `C = diag(σ)`. Textbook loops on unpadded arrays, one run.

use super::Real;
use super::normal::{ReluMoments, relu_moments};
use crate::Result;
use crate::shape::expect_len;

/// A layer's sizes and parameters.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a, T> {
    /// Components `K`.
    pub components: usize,
    /// Inputs `d`.
    pub inputs: usize,
    /// Columns `r` of every `C_k`.
    pub rank: usize,
    /// Outputs `L`.
    pub outputs: usize,
    /// Means, `[K, d]`.
    pub mu: &'a [T],
    /// Square roots of the covariances, `[K, d, r]`.
    pub root: &'a [T],
    /// `[K, L, d]`.
    pub u: &'a [T],
    /// `[K, L]`.
    pub v: &'a [T],
}

/// Gradients of a loss with respect to a [`Layer`]'s parameters, same shapes.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradient<T> {
    /// `[K, d]`.
    pub mu: Vec<T>,
    /// `[K, d, r]`.
    pub root: Vec<T>,
    /// `[K, L, d]`.
    pub u: Vec<T>,
    /// `[K, L]`.
    pub v: Vec<T>,
}

/// One component seen by one input.
struct Seen<T> {
    /// `Cᵀ x`, `[r]`.
    a: Vec<T>,
    moments: ReluMoments<T>,
    /// `[L]`.
    c: Vec<T>,
}

impl<T: Real> Layer<'_, T> {
    fn check(&self, x: &[T]) -> Result<usize> {
        const OP: &str = "full-covariance GM layer";
        expect_len(OP, "mu [K,d]", self.mu.len(), self.components * self.inputs)?;
        expect_len(OP, "root [K,d,r]", self.root.len(), self.components * self.inputs * self.rank)?;
        expect_len(OP, "u [K,L,d]", self.u.len(), self.components * self.outputs * self.inputs)?;
        expect_len(OP, "v [K,L]", self.v.len(), self.components * self.outputs)?;
        let batch = x.len() / self.inputs.max(1);
        expect_len(OP, "x [B,d]", x.len(), batch * self.inputs)?;
        Ok(batch)
    }

    fn mu(&self, k: usize) -> &[T] {
        &self.mu[k * self.inputs..][..self.inputs]
    }

    fn u(&self, k: usize, o: usize) -> &[T] {
        &self.u[(k * self.outputs + o) * self.inputs..][..self.inputs]
    }

    /// `C_kᵀ x`.
    fn project(&self, k: usize, x: &[T]) -> Vec<T> {
        let root = &self.root[k * self.inputs * self.rank..][..self.inputs * self.rank];
        let mut a = vec![T::ZERO; self.rank];
        for (row, &x) in root.chunks_exact(self.rank).zip(x) {
            row.iter().zip(&mut a).for_each(|(&root, a)| *a += root * x);
        }
        a
    }

    /// `r_kℓ = ⟨u_kℓ, μ_k⟩ + v_kℓ`.
    fn gain(&self, k: usize, o: usize) -> T {
        dot(self.u(k, o), self.mu(k)) + self.v[k * self.outputs + o]
    }

    fn see(&self, k: usize, x: &[T]) -> Seen<T> {
        let a = self.project(k, x);
        let moments = relu_moments(dot(self.mu(k), x), dot(&a, &a));
        let c = (0..self.outputs).map(|o| dot(&self.project(k, self.u(k, o)), &a)).collect();
        Seen { a, moments, c }
    }

    /// `h [B, L]` for the rows of `x [B, d]`.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] when a length does not fit.
    pub fn forward(&self, x: &[T]) -> Result<Vec<T>> {
        let batch = self.check(x)?;
        let mut h = vec![T::ZERO; batch * self.outputs];
        for (x, h) in x.chunks_exact(self.inputs).zip(h.chunks_exact_mut(self.outputs)) {
            for k in 0..self.components {
                let seen = self.see(k, x);
                for (o, h) in h.iter_mut().enumerate() {
                    *h += seen.moments.a * self.gain(k, o) + seen.moments.f * seen.c[o];
                }
            }
            h.iter_mut().for_each(|h| *h /= T::of(self.components as f64));
        }
        Ok(h)
    }

    /// Gradients from `dh = ∂loss/∂h [B, L]`:
    /// `∂C = 2 Σ_b gs² x (Cᵀx)ᵀ + Σ_{b,ℓ} H [u (Cᵀx)ᵀ + x (Cᵀu)ᵀ]`, `∂u = ρ μ + C CᵀT`, `∂μ` and `∂v` as in the
    /// diagonal layer.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] when a length does not fit.
    pub fn backward(&self, x: &[T], dh: &[T]) -> Result<Gradient<T>> {
        let batch = self.check(x)?;
        expect_len("full-covariance GM layer", "dh [B,L]", dh.len(), batch * self.outputs)?;
        let mut grads = Gradient {
            mu: vec![T::ZERO; self.mu.len()],
            root: vec![T::ZERO; self.root.len()],
            u: vec![T::ZERO; self.u.len()],
            v: vec![T::ZERO; self.v.len()],
        };
        for (x, dh) in x.chunks_exact(self.inputs).zip(dh.chunks_exact(self.outputs)) {
            for k in 0..self.components {
                self.accumulate(k, x, dh, &mut grads);
            }
        }
        Ok(grads)
    }

    fn accumulate(&self, k: usize, x: &[T], dh: &[T], grads: &mut Gradient<T>) {
        let (d, rank) = (self.inputs, self.rank);
        let Seen { a, moments, c } = self.see(k, x);
        let g: Vec<T> = dh.iter().map(|&dh| dh / T::of(self.components as f64)).collect();
        let g_a: T = g.iter().enumerate().map(|(o, &g)| g * self.gain(k, o)).sum();
        let g_f = dot(&g, &c);
        let g_m = g_a * moments.f + g_f * moments.q;
        let g_s2 = T::of(0.5) * moments.q * (g_a - g_f * moments.w);

        let root = &self.root[k * d * rank..][..d * rank];
        let d_root = &mut grads.root[k * d * rank..][..d * rank];
        let d_mu = &mut grads.mu[k * d..][..d];
        for j in 0..d {
            d_mu[j] += g_m * x[j];
            for i in 0..rank {
                d_root[j * rank + i] += T::of(2.0) * g_s2 * x[j] * a[i];
            }
        }
        for (o, &g) in g.iter().enumerate() {
            let (h, rho) = (moments.f * g, moments.a * g);
            let u = &self.u[(k * self.outputs + o) * d..][..d];
            let projected = self.project(k, u);
            let d_u = &mut grads.u[(k * self.outputs + o) * d..][..d];
            for j in 0..d {
                d_u[j] += rho * self.mu[k * d + j] + h * dot(&root[j * rank..][..rank], &a);
                d_mu[j] += rho * u[j];
                for i in 0..rank {
                    d_root[j * rank + i] += h * (u[j] * a[i] + x[j] * projected[i]);
                }
            }
            grads.v[k * self.outputs + o] += rho;
        }
    }

    /// Velocities `Σ̇_k = −K (∂C Cᵀ + C ∂Cᵀ)`, `[K, d, d]`, of the Bures–Wasserstein flow that gradient flow on `C`
    /// follows (Theorem 1).
    pub fn covariance_velocity(&self, grads: &Gradient<T>) -> Vec<T> {
        root_velocity(self.components, self.inputs, self.rank, self.root, &grads.root)
    }
}

/// `−K (∂C Cᵀ + C ∂Cᵀ)` for every component, `[K, n, n]` from `C` and `∂C`, `[K, n, r]`.
pub(super) fn root_velocity<T: Real>(components: usize, n: usize, rank: usize, root: &[T], d_root: &[T]) -> Vec<T> {
    let scale = -T::of(components as f64);
    let mut velocity = Vec::with_capacity(components * n * n);
    for (root, d_root) in root.chunks_exact(n * rank).zip(d_root.chunks_exact(n * rank)) {
        let row = |matrix: &[T], i: usize| matrix[i * rank..][..rank].to_vec();
        for i in 0..n {
            for j in 0..n {
                let sum = dot(&row(d_root, i), &row(root, j)) + dot(&row(root, i), &row(d_root, j));
                velocity.push(scale * sum);
            }
        }
    }
    velocity
}

pub(super) fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    a.iter().zip(b).map(|(&a, &b)| a * b).sum()
}
