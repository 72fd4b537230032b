//! Backward pass and optimiser in one: the gradient of a component is used while it is in the cache and never stored.

use std::ops::Range;

use rayon::prelude::*;

use super::super::Real;
use super::super::optimizer::{Group, Rule};
use super::super::threads::each;
use super::sweep::{Sweep, TILE, Tile};
use super::{Parts, Workspace};
use crate::Result;
use crate::shape::expect_len;

/// What [`super::backward`] and [`super::super::optimizer::step`] do, without an array of gradients: updates `params [R,P]`
/// from `dh = ∂loss/∂h [R,B,Lp]` by `rule`, with a group for each of μ, σ, U and v. `first` and `second` are the rule's
/// state, `[R,P]` or empty. The workspace must hold the forward pass of the same `x` and `params`.
///
/// # Errors
/// [`crate::Error::Shape`] when an array's length does not fit the workspace's sizes, and for covariances that are not diagonal.
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
    dims.check_diagonal(OP)?;
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
        chunk.spread(&dims, dh);
        let mut gradient = chunk.gradient_room(&dims);
        Sweep::run(
            chunk,
            &dims,
            [&x[rows.clone()], &squares[rows]],
            #[inline(always)]
            |tile| {
                let mut at = params.component(&dims, tile.component);
                tile.gradient(at.tensors(), &mut gradient);
                let state = [first.component(&dims, tile.component), second.component(&dims, tile.component)];
                update(&tile, &gradient, (rule, groups), &mut at, state);
            },
        );
        chunk.backward.gradient = gradient;
    });
    Ok(())
}

/// Moves a tile of one component's parameters along its gradient, and with the first tile `v`.
#[inline(always)]
fn update<T: Real>(
    tile: &Tile<'_, T>,
    gradient: &[T],
    (rule, groups): (&Rule<T>, &[Group; 4]),
    params: &mut Parts<'_, T>,
    [first, second]: [Parts<'_, T>; 2],
) {
    let (d_mu, rest) = gradient.split_at(TILE);
    let (d_sigma, d_u) = rest.split_at(TILE);
    move_along(rule, &groups[0], params.mu, d_mu, [first.mu, second.mu], tile.columns.clone());
    move_along(rule, &groups[1], params.sigma, d_sigma, [first.sigma, second.sigma], tile.columns.clone());
    for (o, d_u) in d_u.chunks_exact(TILE).enumerate() {
        move_along(rule, &groups[2], params.u, d_u, [&mut *first.u, &mut *second.u], tile.columns_of_row(o));
    }
    if let Some(rho) = tile.rho_once() {
        move_along(rule, &groups[3], params.v, rho, [first.v, second.v], 0..rho.len());
    }
}

#[inline(always)]
fn move_along<T: Real>(
    rule: &Rule<T>,
    group: &Group,
    params: &mut [T],
    grads: &[T],
    states: [&mut [T]; 2],
    at: Range<usize>,
) {
    let [first, second] = states.map(|state| part(state, at.clone()));
    rule.apply(group, &mut params[at.clone()], &grads[..at.len()], first, second);
}

/// A part of an optimiser's state; of an empty one, which the optimiser does not have, an empty part.
fn part<T>(state: &mut [T], at: Range<usize>) -> &mut [T] {
    if state.is_empty() { state } else { &mut state[at] }
}
