//! Flat parameters seen as tensors, and cut for the chunks.

use super::super::Real;
use super::components_per_chunk;
use crate::shape::GmDims;

/// Parameters of one run, or of one component.
#[derive(Clone, Copy)]
pub(super) struct Tensors<'a, T> {
    pub(super) mu: &'a [T],
    pub(super) sigma: &'a [T],
    pub(super) u: &'a [T],
    pub(super) v: &'a [T],
}

impl<'a, T> Tensors<'a, T> {
    pub(super) fn of_run(dims: &GmDims, params: &'a [T], run: usize) -> Self {
        let p = &params[run * dims.params_len()..][..dims.params_len()];
        Self { mu: &p[dims.mu()], sigma: &p[dims.sigma()], u: &p[dims.u()], v: &p[dims.v()] }
    }

    /// Component `k` of a run.
    pub(super) fn component(&self, dims: &GmDims, k: usize) -> Self {
        let (dp, l, lp) = (dims.input_stride(), dims.outputs, dims.output_stride());
        Self {
            mu: &self.mu[k * dp..][..dp],
            sigma: &self.sigma[k * dp..][..dp],
            u: &self.u[k * l * dp..][..l * dp],
            v: &self.v[k * lp..][..lp],
        }
    }
}

/// The part of a flat array (parameters, gradients, an optimiser's state) that belongs to one chunk, or to one component.
#[derive(Default)]
pub(super) struct Parts<'a, T> {
    pub(super) mu: &'a mut [T],
    pub(super) sigma: &'a mut [T],
    pub(super) u: &'a mut [T],
    pub(super) v: &'a mut [T],
}

impl<'a, T: Real> Parts<'a, T> {
    /// The parts of all chunks of all runs, in the chunks' order; empty parts without end for an empty array, which is the
    /// state of an optimiser that keeps none.
    pub(super) fn of_chunks(dims: &GmDims, flat: &'a mut [T]) -> Box<dyn Iterator<Item = Self> + 'a> {
        if flat.is_empty() {
            return Box::new(std::iter::repeat_with(Self::default));
        }
        let per_chunk = components_per_chunk(dims);
        let (dp, l, lp) = (dims.input_stride(), dims.outputs, dims.output_stride());
        let (mu_len, sigma_len, u_len, v_len) = (dims.mu().len(), dims.sigma().len(), dims.u().len(), dims.v().len());
        Box::new(flat.chunks_exact_mut(dims.params_len()).flat_map(move |run| {
            let (mu, rest) = run.split_at_mut(mu_len);
            let (sigma, rest) = rest.split_at_mut(sigma_len);
            let (u, v) = rest.split_at_mut(u_len);
            let mu = mu.chunks_mut(per_chunk * dp);
            let sigma = sigma.chunks_mut(per_chunk * dp);
            let u = u.chunks_mut(per_chunk * l * dp);
            let v = v[..v_len].chunks_mut(per_chunk * lp);
            mu.zip(sigma).zip(u).zip(v).map(|(((mu, sigma), u), v)| Self { mu, sigma, u, v })
        }))
    }

    /// The `i`-th component of a chunk's part; of an empty part an empty one.
    pub(super) fn component(&mut self, dims: &GmDims, i: usize) -> Parts<'_, T> {
        if self.mu.is_empty() {
            return Parts::default();
        }
        let (dp, l, lp) = (dims.input_stride(), dims.outputs, dims.output_stride());
        Parts {
            mu: &mut self.mu[i * dp..][..dp],
            sigma: &mut self.sigma[i * dp..][..dp],
            u: &mut self.u[i * l * dp..][..l * dp],
            v: &mut self.v[i * lp..][..lp],
        }
    }

    /// The same tensors to read.
    pub(super) fn tensors(&self) -> Tensors<'_, T> {
        Tensors { mu: self.mu, sigma: self.sigma, u: self.u, v: self.v }
    }
}
