//! Backward pass and optimiser in one: the gradient of a component is used while it is in the cache and never stored.

use rayon::prelude::*;

use super::super::optimizer::{Group, Rule};
use super::super::threads::each;
use super::super::{Real, vectorized};
use super::{Chunk, Parts, Workspace};
use crate::Result;
use crate::shape::{GmDims, expect_len};

/// What [`super::backward`] and [`super::super::optimizer::step`] do, without an array of gradients: updates `params [R,P]`
/// from `dh = ∂loss/∂h [R,B,Lp]` by `rule`, with a group for each of μ, σ, U and v. `first` and `second` are the rule's
/// state, `[R,P]` or empty. The workspace must hold the forward pass of the same `x` and `params`.
///
/// # Errors
/// [`crate::Error::Shape`] when an array's length does not fit the workspace's sizes.
pub fn step<T: Real>(
    x: &[T],
    dh: &[T],
    workspace: &mut Workspace<T>,
    (rule, groups): (&Rule<T>, &[Group; 4]),
    params: &mut [T],
    [first, second]: [&mut [T]; 2],
) -> Result<()> {
    let dims = workspace.dims;
    const OP: &str = "GM layer, training step";
    expect_len(OP, "x [R,B,dp]", x.len(), dims.x_len())?;
    expect_len(OP, "dh [R,B,Lp]", dh.len(), dims.h_len())?;
    expect_len(OP, "parameters [R,P]", params.len(), dims.runs * dims.params_len())?;
    rule.check(OP, params.len(), [first.len(), second.len()])?;

    let run_len = dims.batch * dims.input_stride();
    let squares = &workspace.squares;
    let parts =
        Parts::of_chunks(&dims, params).zip(Parts::of_chunks(&dims, first)).zip(Parts::of_chunks(&dims, second));
    let mut tasks: Vec<_> = workspace.chunks.iter_mut().zip(parts).collect();
    each(tasks.par_iter_mut(), |(chunk, ((params, first), second))| {
        let rows = chunk.run * run_len..(chunk.run + 1) * run_len;
        chunk.sums(&dims, &squares[rows.clone()], dh);
        for i in 0..chunk.count {
            chunk.contract(&dims, i, &x[rows.clone()]);
            let state = [first.component(&dims, i), second.component(&dims, i)];
            chunk.update(&dims, i, (rule, groups), params.component(&dims, i), state);
        }
    });
    Ok(())
}

impl<T: Real> Chunk<T> {
    fn update(
        &mut self,
        dims: &GmDims,
        i: usize,
        (rule, groups): (&Rule<T>, &[Group; 4]),
        params: Parts<'_, T>,
        [first, second]: [Parts<'_, T>; 2],
    ) {
        let mut gradient = std::mem::take(&mut self.backward.gradient);
        gradient.resize((dims.outputs + 2) * dims.input_stride() + dims.output_stride(), T::ZERO);
        let grads = Parts::of_component(dims, &mut gradient);
        let out = Parts { mu: &mut *grads.mu, sigma: &mut *grads.sigma, u: &mut *grads.u, v: &mut *grads.v };
        vectorized(
            #[inline(always)]
            || self.assemble(dims, i, params.tensors(), out),
        );
        rule.apply(&groups[0], params.mu, grads.mu, first.mu, second.mu);
        rule.apply(&groups[1], params.sigma, grads.sigma, first.sigma, second.sigma);
        rule.apply(&groups[2], params.u, grads.u, first.u, second.u);
        rule.apply(&groups[3], params.v, grads.v, first.v, second.v);
        self.backward.gradient = gradient;
    }
}
