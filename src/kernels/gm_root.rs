//! What covariances that are more than their diagonals add to the GM layer's passes; formulas in `reference::gm_layer`.
//!
//! It is kernels of its own around those of the diagonal layer, not variants of them: the diagonal's products are tuned for ten
//! columns a component, `root` has hundreds of rows, and the two meet in nothing but s², c and the gradient of `u`.

use super::gm_params::GmPlan;
use super::gm_state::GmState;
use super::{Kernel, Threads};
use crate::Result;
use crate::device::{Buffer, Device};
use crate::gpu::{RawBuffer, Recorder};
use crate::shape::GmDims;

/// Arrays of the shaders, `[R, K, B+L, Rp]` each.
pub(super) struct RootState {
    /// `E_k = [X; U_k] root_kᵀ`.
    projections: Buffer<f32>,
    /// `∂loss/∂E`.
    gradients: Buffer<f32>,
}

impl RootState {
    /// Arrays for a layer of these sizes; none for a diagonal one.
    pub(super) fn new(device: &Device, dims: &GmDims) -> Result<Option<Self>> {
        if dims.rank == 0 {
            return Ok(None);
        }
        let array = || Buffer::zeros(device, dims.projections_len());
        Ok(Some(Self { projections: array()?, gradients: array()? }))
    }
}

/// Projections, and their sums as one split more of the forward product.
pub(super) struct GmRootForward {
    project: Kernel,
    sums: Kernel,
}

impl GmRootForward {
    pub(super) fn new(device: &Device, dims: &GmDims) -> Result<Option<Self>> {
        if dims.rank == 0 {
            return Ok(None);
        }
        let project = Kernel::of(device, "gm_root_project", &[], Threads::Long)?;
        Ok(Some(Self { project, sums: Kernel::new(device, "gm_root_sums", &[])? }))
    }

    pub(super) fn run(
        &self,
        recorder: &mut Recorder,
        state: &GmState,
        (x, slot): (&RawBuffer, usize),
        params: &RawBuffer,
    ) -> Result<()> {
        let dims = state.dims();
        let (plan, root) = state.root()?;
        let blocks = (dims.batch + dims.outputs).div_ceil(4);
        let uniform = plan.params(&dims, slot, blocks);
        let threads = dims.runs * dims.components * blocks * dims.rank_stride() / 4;
        let bindings = [x, params, root.projections.raw()?];
        self.project.run(recorder, bytemuck::bytes_of(&uniform), &bindings, threads)?;
        let state = state.gpu()?;
        let bindings = [root.projections.raw()?, state.partial.raw()?];
        self.sums.run(recorder, bytemuck::bytes_of(&uniform), &bindings, state.sums.len())
    }
}

/// Gradients of `root`, and what is added to those of `u` and `x`.
pub(super) struct GmRootBackward {
    coefficients: Kernel,
    gradient: Kernel,
    to_u: Kernel,
    to_x: Kernel,
}

/// The arrays that [`GmRootBackward`] adds to.
pub(super) struct RootGradients<'a> {
    pub(super) grads: &'a RawBuffer,
    pub(super) dx: Option<&'a RawBuffer>,
}

impl GmRootBackward {
    pub(super) fn new(device: &Device, dims: &GmDims) -> Result<Option<Self>> {
        if dims.rank == 0 {
            return Ok(None);
        }
        let input_gradient = |mode| Kernel::of(device, "gm_root_input_gradient", &[("MODE", mode)], Threads::Long);
        Ok(Some(Self {
            coefficients: Kernel::new(device, "gm_root_coefficients", &[])?,
            gradient: Kernel::of(device, "gm_root_gradient", &[], Threads::Long)?,
            to_u: input_gradient(0)?,
            to_x: input_gradient(1)?,
        }))
    }

    /// After the passes of the diagonal layer, which leave the coefficients and overwrite the gradients.
    pub(super) fn run(
        &self,
        recorder: &mut Recorder,
        state: &GmState,
        (x, slot): (&RawBuffer, usize),
        [params, dh]: [&RawBuffer; 2],
        to: RootGradients<'_>,
    ) -> Result<()> {
        let dims = state.dims();
        let (plan, root) = state.root()?;
        let coef = state.gpu()?.coef.raw()?;
        let (projections, gradients) = (root.projections.raw()?, root.gradients.raw()?);
        let uniform = plan.params(&dims, slot, 0);
        let bindings = [projections, coef, dh, gradients];
        self.coefficients.run(recorder, bytemuck::bytes_of(&uniform), &bindings, dims.projections_len() / 4)?;
        let components = dims.runs * dims.components;
        let quads = dims.input_stride() / 4;
        let bindings = [x, params, gradients, to.grads];
        let threads = components * dims.rank_stride() / 4 * quads;
        self.gradient.run(recorder, bytemuck::bytes_of(&uniform), &bindings, threads)?;
        let add =
            |recorder: &mut Recorder, kernel: &Kernel, plan: &GmPlan, rows: usize, owners: usize, to: &RawBuffer| {
                let blocks = rows.div_ceil(4);
                let uniform = plan.params(&dims, slot, blocks);
                let threads = owners * blocks * quads;
                kernel.run(recorder, bytemuck::bytes_of(&uniform), &[params, gradients, to], threads)
            };
        add(recorder, &self.to_u, plan, dims.outputs, components, to.grads)?;
        match to.dx {
            Some(dx) => add(recorder, &self.to_x, plan, dims.batch, dims.runs, dx),
            None => Ok(()),
        }
    }
}
