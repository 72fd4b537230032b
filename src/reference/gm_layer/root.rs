//! What `root_k` adds to a layer whose covariances are more than their diagonals, `Σ_k = diag(σ_k²) + root_kᵀ root_k`.
//!
//! With the minibatch and the component's `u` one below the other, `Z_k = [X; U_k]`, it is one dense product a component and
//! its gradient, so nothing of size batch × components × inputs is formed:
//!
//! `E_k = Z_k root_kᵀ = [a; e]`, `s² += ‖a‖²`, `c_ℓ += ⟨e_ℓ, a⟩`, and with `gs²` and `H_ℓ` of the backward pass
//! `D_k = ∂loss/∂E_k = [2 gs² a + Σ_ℓ H_ℓ e_ℓ; Σ_b H_ℓ a]`, `∂root_k = D_kᵀ Z_k`, `∂Z_k += D_k root_k`.
//!
//! Everything behind s² and c, the diagonal's part included, stays as it is.

use faer::Accum;
use rayon::prelude::*;

use super::super::Real;
use super::super::matrix::{View, par_sum_of_products, product_nn, product_nt, product_tn};
use super::super::threads::each;
use super::{Chunk, components_per_chunk};
use crate::shape::GmDims;

/// Columns of `∂loss/∂x` that one thread takes at a time.
const BLOCK: usize = 128;

/// Scratch of a layer of rank 1 or more.
pub(super) struct Root<T> {
    /// `E`, `[R, K, B+L, Rp]`.
    projections: Vec<T>,
    /// `D`, of the same shape; empty until the first backward pass.
    gradients: Vec<T>,
    /// What is added to s², then to every `c_ℓ`: `[R, K, L+1, B]`.
    additions: Vec<T>,
}

/// One component of one run.
struct Component<'a, T> {
    /// The run's minibatch, `[B, dp]`. Pads are zero and are multiplied like the rest, so that gradients have zeros there.
    x: View<'a, T>,
    /// `[L, dp]`.
    u: View<'a, T>,
    /// `[R, dp]`.
    root: View<'a, T>,
}

impl<'a, T: Real> Component<'a, T> {
    /// Component number `at` of all runs' components.
    fn of(dims: &GmDims, x: &'a [T], params: &'a [T], at: usize) -> Self {
        let (run, k, dp) = (at / dims.components, at % dims.components, dims.input_stride());
        let params = &params[run * dims.params_len()..][..dims.params_len()];
        let rows = |tensor: &'a [T], first: usize, count: usize| View::new(&tensor[first * dp..], count, dp, dp);
        Self {
            x: rows(x, run * dims.batch, dims.batch),
            u: rows(&params[dims.u()], k * dims.outputs, dims.outputs),
            root: rows(&params[dims.root()], k * dims.rank, dims.rank),
        }
    }
}

impl<T: Real> Root<T> {
    /// Scratch for a layer of these sizes; none for a diagonal one.
    pub(super) fn new(dims: &GmDims) -> Option<Self> {
        let additions = dims.runs * dims.components * (dims.outputs + 1) * dims.batch;
        (dims.rank > 0).then(|| Self {
            projections: vec![T::ZERO; dims.projections_len()],
            gradients: Vec::new(),
            additions: vec![T::ZERO; additions],
        })
    }

    /// What is to be added to s² and to every `c_ℓ` of a chunk's components, `[count, L+1, B]`.
    pub(super) fn additions_of(&self, dims: &GmDims, chunk: &Chunk<T>) -> &[T] {
        let len = (dims.outputs + 1) * dims.batch;
        &self.additions[(chunk.run * dims.components + chunk.first) * len..][..chunk.count * len]
    }

    /// `E` and the additions, from `x [R,B,dp]` and `params [R,P]`.
    pub(super) fn project(&mut self, dims: &GmDims, x: &[T], params: &[T]) {
        let (b, l, r, rp) = (dims.batch, dims.outputs, dims.rank, dims.rank_stride());
        let projections = self.projections.par_chunks_mut((b + l) * rp);
        let components = projections.zip(self.additions.par_chunks_mut((l + 1) * b));
        each(components.enumerate(), |(at, (projections, additions))| {
            let component = Component::of(dims, x, params, at);
            let (a, e) = projections.split_at_mut(b * rp);
            product_nt(a, rp, component.x, component.root);
            product_nt(e, rp, component.u, component.root);
            let (s2, c) = additions.split_at_mut(b);
            for (s2, a) in s2.iter_mut().zip(a.chunks_exact(rp)) {
                *s2 = a.iter().map(|&a| a * a).sum();
            }
            product_nt(c, b, View::new(e, l, r, rp), View::new(a, b, r, rp));
        });
    }

    /// Adds to the gradients of `u`, and of `x` where wanted, and sets that of `root`. The chunks hold the coefficients that the
    /// backward pass of the rest has left.
    pub(super) fn backward(
        &mut self,
        dims: &GmDims,
        chunks: &[Chunk<T>],
        (x, params): (&[T], &[T]),
        grads: &mut [T],
        dx: Option<&mut [T]>,
    ) {
        let (b, l, r, rp, dp) = (dims.batch, dims.outputs, dims.rank, dims.rank_stride(), dims.input_stride());
        self.gradients.resize(self.projections.len(), T::ZERO);
        let rows = (b + l) * rp;
        let tasks = self.projections.chunks_exact(rows).zip(self.gradients.chunks_exact_mut(rows));
        let tasks: Vec<_> = tasks.zip(components_of(dims, grads)).collect();
        each(tasks.into_par_iter().enumerate(), |(at, ((projections, gradients), (d_u, d_root)))| {
            let Component { x, u, root } = Component::of(dims, x, params, at);
            coefficients(dims, chunks, at, projections, gradients);
            let d_a = View::new(gradients, b, r, rp);
            let d_e = View::new(&gradients[b * rp..], l, r, rp);
            product_tn(Accum::Replace, d_root, dp, d_a, x);
            product_tn(Accum::Add, d_root, dp, d_e, u);
            product_nn(Accum::Add, d_u, dp, d_e, root);
        });
        let Some(dx) = dx else { return };
        for (run, dx) in dx.chunks_exact_mut(b * dp).enumerate() {
            let components = (0..dims.components).map(|k| {
                let at = run * dims.components + k;
                (View::new(&self.gradients[at * rows..], b, r, rp), Component::of(dims, x, params, at).root)
            });
            par_sum_of_products(dx, dp, &components.collect::<Vec<_>>(), BLOCK);
        }
    }
}

/// The gradients of every component's `u` and `root`, `[L, dp]` and `[R, dp]`, in the order of runs and components.
fn components_of<'a, T: Real>(
    dims: &GmDims,
    grads: &'a mut [T],
) -> impl Iterator<Item = (&'a mut [T], &'a mut [T])> + use<'a, T> {
    let (u, root, dp, l, r) = (dims.u(), dims.root(), dims.input_stride(), dims.outputs, dims.rank);
    grads.chunks_exact_mut(dims.params_len()).flat_map(move |run| {
        let (head, tail) = run.split_at_mut(root.start);
        head[u.clone()].chunks_exact_mut(l * dp).zip(tail.chunks_exact_mut(r * dp))
    })
}

/// `D` of component number `at` from its `E`.
fn coefficients<T: Real>(dims: &GmDims, chunks: &[Chunk<T>], at: usize, projections: &[T], gradients: &mut [T]) {
    let (b, l, r, rp) = (dims.batch, dims.outputs, dims.rank, dims.rank_stride());
    let (run, k, per_chunk) = (at / dims.components, at % dims.components, components_per_chunk(dims));
    let chunk = &chunks[run * dims.components.div_ceil(per_chunk) + k / per_chunk];
    let i = k - chunk.first;
    let g_s2 = &chunk.backward.g_s2[i * b..][..b];
    let h = View::new(&chunk.backward.coefficients[(i * (l + 1) + 1) * b..], l, b, b);
    let (a, e) = projections.split_at(b * rp);
    let (d_a, d_e) = gradients.split_at_mut(b * rp);
    product_tn(Accum::Replace, d_a, rp, h, View::new(e, l, r, rp));
    for ((d_a, a), &g_s2) in d_a.chunks_exact_mut(rp).zip(a.chunks_exact(rp)).zip(g_s2) {
        d_a.iter_mut().zip(a).for_each(|(d_a, &a)| *d_a += T::of(2.0) * g_s2 * a);
    }
    product_nn(Accum::Replace, d_e, rp, h, View::new(a, b, r, rp));
}
