//! Backward pass of the GM layer.

#[cfg(feature = "gpu")]
use super::Threads;
use super::gm_state::GmState;
use super::{Kernel, slot_range};
use crate::Result;
use crate::device::{Buffer, Device, Stream};
use crate::reference::gm_layer;
use crate::shape::{GmDims, expect_len};

/// Gradients of a loss with respect to the parameters and, when wanted, the input; see [`gm_layer`].
#[cfg_attr(not(feature = "gpu"), allow(dead_code))]
pub struct GmBackward {
    coefficients: Kernel,
    contract: Kernel,
    gradients: Kernel,
    input_gradient: Kernel,
    #[cfg(feature = "gpu")]
    root: Option<super::gm_root::GmRootBackward>,
}

/// Arguments of [`GmBackward`].
pub struct GmBackwardArgs<'a> {
    /// Inputs `[slots, R, B, dp]`, as in the forward pass.
    pub x: &'a Buffer<f32>,
    /// The block of `x` that the forward pass took.
    pub slot: usize,
    /// Parameters `[R, P]`, as in the forward pass.
    pub params: &'a Buffer<f32>,
    /// The state that the forward pass left.
    pub state: &'a mut GmState,
    /// `∂loss/∂h`, `[R, B, Lp]`.
    pub dh: &'a Buffer<f32>,
    /// Gradients `[R, P]` in the parameters' layout, overwritten.
    pub grads: &'a mut Buffer<f32>,
    /// `∂loss/∂x`, `[R, B, dp]`, overwritten.
    pub dx: Option<&'a mut Buffer<f32>>,
}

impl GmBackward {
    /// For layers whose sizes are those of `dims` but for the batch and the runs.
    ///
    /// # Errors
    /// [`crate::Error::Gpu`] where the driver refuses a shader.
    pub fn new(device: &Device, dims: GmDims) -> Result<Self> {
        Ok(Self {
            coefficients: Kernel::new(device, "gm_coefficients", &[])?,
            contract: contraction(device, dims)?,
            gradients: Kernel::new(device, "gm_update", &[("MODE", 0)])?,
            input_gradient: Kernel::new(device, "gm_input_gradient", &[])?,
            #[cfg(feature = "gpu")]
            root: super::gm_root::GmRootBackward::new(device, &dims)?,
        })
    }

    /// Records the pass.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] where an array does not fit the state's sizes; otherwise what the driver reports.
    pub fn record(&self, stream: &mut Stream, args: GmBackwardArgs<'_>) -> Result<()> {
        const OP: &str = "GM layer, backward";
        let dims = args.state.dims();
        let x = slot_range(OP, "x [slots,R,B,dp]", args.x.len(), dims.x_len(), args.slot)?;
        expect_len(OP, "parameters [R,P]", args.params.len(), dims.runs * dims.params_len())?;
        expect_len(OP, "dh [R,B,Lp]", args.dh.len(), dims.h_len())?;
        expect_len(OP, "gradients [R,P]", args.grads.len(), dims.runs * dims.params_len())?;
        if let Some(dx) = &args.dx {
            expect_len(OP, "dx [R,B,dp]", dx.len(), dims.x_len())?;
        }
        match stream {
            Stream::Cpu => {
                let dx = args.dx.map(Buffer::host_mut).transpose()?;
                let (params, dh, grads) = (args.params.host()?, args.dh.host()?, args.grads.host_mut()?);
                gm_layer::backward(&args.x.host()?[x], params, dh, args.state.host()?, grads, dx)
            }
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => self.run(recorder, dims, args),
        }
    }

    #[cfg(feature = "gpu")]
    fn run(&self, recorder: &mut crate::gpu::Recorder, dims: GmDims, args: GmBackwardArgs<'_>) -> Result<()> {
        let state = args.state.gpu()?;
        let (x, params, dh) = (args.x.raw()?, args.params.raw()?, args.dh.raw()?);
        let pairs = dims.runs * dims.batch * dims.components;
        let uniform = state.plan.params(&dims, args.slot, 0);
        let bindings = [state.sums.raw()?, state.moments.raw()?, dh, state.coef.raw()?];
        self.coefficients.run(recorder, bytemuck::bytes_of(&uniform), &bindings, pairs)?;
        run_contraction(&self.contract, recorder, args.state, x, args.slot, dh)?;
        let [_, unused] = &state.unused;
        let bindings = [state.contraction.raw()?, params, args.grads.raw()?, unused.raw()?];
        self.gradients.run(recorder, bytemuck::bytes_of(&uniform), &bindings, update_threads(&dims))?;
        let dx = match &args.dx {
            Some(dx) => Some(dx.raw()?),
            None => None,
        };
        if let Some(dx) = dx {
            let blocks = dims.batch.div_ceil(4);
            let uniform = state.plan.params(&dims, args.slot, blocks);
            let bindings = [x, params, state.coef.raw()?, dh, dx];
            let threads = dims.runs * blocks * dims.input_stride() / 4;
            self.input_gradient.run(recorder, bytemuck::bytes_of(&uniform), &bindings, threads)?;
        }
        let Some(root) = &self.root else { return Ok(()) };
        let to = super::gm_root::RootGradients { grads: args.grads.raw()?, dx };
        root.run(recorder, args.state, (x, args.slot), [params, dh], to)
    }
}

/// The contraction over the minibatch, which the plain and the fused backward pass share.
#[cfg_attr(not(feature = "gpu"), allow(unused_variables))]
pub(super) fn contraction(device: &Device, dims: GmDims) -> Result<Kernel> {
    match device {
        Device::Cpu => Kernel::new(device, "gm_contract", &[]),
        #[cfg(feature = "gpu")]
        Device::Gpu(gpu) => {
            let plan = super::gm_params::GmPlan::of(gpu, &dims);
            let [columns, tiled] = plan.tile_consts();
            Kernel::of(device, "gm_contract", &[("QUADS", plan.quads), columns, tiled], Threads::Long)
        }
    }
}

#[cfg(feature = "gpu")]
pub(super) fn run_contraction(
    kernel: &Kernel,
    recorder: &mut crate::gpu::Recorder,
    state: &GmState,
    x: &crate::gpu::RawBuffer,
    slot: usize,
    dh: &crate::gpu::RawBuffer,
) -> Result<()> {
    let dims = state.dims();
    let state = state.gpu()?;
    let blocks = state.plan.contraction_blocks(&dims);
    let uniform = state.plan.params(&dims, slot, blocks);
    let bindings = [x, state.coef.raw()?, dh, state.contraction.raw()?];
    let threads = (blocks + 1) * dims.components * state.plan.tiles as usize * dims.runs;
    kernel.run(recorder, bytemuck::bytes_of(&uniform), &bindings, threads)
}

/// Threads of `gm_update`: one for every four inputs, and for every four outputs' `v`, of every component.
#[cfg(feature = "gpu")]
pub(super) fn update_threads(dims: &GmDims) -> usize {
    dims.runs * dims.components * (dims.input_stride() + dims.output_stride()) / 4
}
