//! Forward pass of the GM layer.

#[cfg(feature = "gpu")]
use super::Threads;
use super::gm_state::GmState;
use super::{Kernel, slot_range};
use crate::Result;
use crate::device::{Buffer, Device, Stream};
use crate::reference::gm_layer;
use crate::shape::{GmDims, expect_len};

/// `h = 1/K Σ_k (A r + F c)`; see [`gm_layer`].
#[cfg_attr(not(feature = "gpu"), allow(dead_code))]
pub struct GmForward {
    products: GmProducts,
    output: Kernel,
}

/// Arguments of [`GmForward`].
pub struct GmForwardArgs<'a> {
    /// Inputs `[slots, R, B, dp]`.
    pub x: &'a Buffer<f32>,
    /// The block of `x` to take.
    pub slot: usize,
    /// Parameters `[R, P]`, layout of [`GmDims`].
    pub params: &'a Buffer<f32>,
    /// Keeps what the backward pass needs.
    pub state: &'a mut GmState,
    /// Outputs `[R, B, Lp]`, overwritten.
    pub h: &'a mut Buffer<f32>,
}

impl GmForward {
    /// For layers whose sizes are those of `dims` but for the batch and the runs.
    ///
    /// # Errors
    /// [`crate::Error::Gpu`] where the driver refuses a shader.
    pub fn new(device: &Device, dims: GmDims) -> Result<Self> {
        Ok(Self { products: GmProducts::new(device, dims)?, output: Kernel::new(device, "gm_output", &[])? })
    }

    /// Records the pass.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] where an array does not fit the state's sizes; otherwise what the driver reports.
    pub fn record(&self, stream: &mut Stream, args: GmForwardArgs<'_>) -> Result<()> {
        const OP: &str = "GM layer, forward";
        let dims = args.state.dims();
        let x = slot_range(OP, "x [slots,R,B,dp]", args.x.len(), dims.x_len(), args.slot)?;
        expect_len(OP, "parameters [R,P]", args.params.len(), dims.runs * dims.params_len())?;
        expect_len(OP, "h [R,B,Lp]", args.h.len(), dims.h_len())?;
        match stream {
            Stream::Cpu => {
                let params = args.params.host()?;
                gm_layer::forward(&args.x.host()?[x], params, args.state.host()?, args.h.host_mut()?)
            }
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => {
                self.products.run(recorder, args.state, args.x, args.slot, args.params)?;
                let state = args.state.gpu()?;
                let params = state.plan.params(&dims, args.slot, 0);
                let bindings = [state.sums.raw()?, state.moments.raw()?, args.h.raw()?];
                self.output.run(recorder, bytemuck::bytes_of(&params), &bindings, dims.h_len())
            }
        }
    }
}

/// The part that the plain and the fused forward pass share: products, their reduction and the moments.
#[cfg_attr(not(feature = "gpu"), allow(dead_code))]
pub(super) struct GmProducts {
    forward: Kernel,
    reduce: Kernel,
    #[cfg(feature = "gpu")]
    root: Option<super::gm_root::GmRootForward>,
}

impl GmProducts {
    #[cfg_attr(not(feature = "gpu"), allow(unused_variables))]
    pub(super) fn new(device: &Device, dims: GmDims) -> Result<Self> {
        let forward = match device {
            Device::Cpu => Kernel::new(device, "gm_forward", &[])?,
            #[cfg(feature = "gpu")]
            Device::Gpu(gpu) => {
                let plan = super::gm_params::GmPlan::of(gpu, &dims);
                let [columns, tiled] = plan.tile_consts();
                let consts = [("ROWS", plan.rows), ("SPLITS_FIRST", u32::from(plan.splits_first)), columns, tiled];
                Kernel::of(device, "gm_forward", &consts, Threads::Long)?
            }
        };
        Ok(Self {
            forward,
            reduce: Kernel::new(device, "gm_reduce", &[])?,
            #[cfg(feature = "gpu")]
            root: super::gm_root::GmRootForward::new(device, &dims)?,
        })
    }

    #[cfg(feature = "gpu")]
    pub(super) fn run(
        &self,
        recorder: &mut crate::gpu::Recorder,
        state: &GmState,
        x: &Buffer<f32>,
        slot: usize,
        params: &Buffer<f32>,
    ) -> Result<()> {
        let dims = state.dims();
        let (x, params, arrays) = (x.raw()?, params.raw()?, state.gpu()?);
        let mut uniform = arrays.plan.params(&dims, slot, dims.batch.div_ceil(arrays.plan.rows as usize));
        let bindings = [x, params, arrays.partial.raw()?];
        let threads = arrays.plan.forward_threads(&dims);
        self.forward.run(recorder, bytemuck::bytes_of(&uniform), &bindings, threads)?;
        if let Some(root) = &self.root {
            root.run(recorder, state, (x, slot), params)?;
            uniform.splits += 1;
        }
        let bindings = [arrays.partial.raw()?, params, arrays.sums.raw()?, arrays.moments.raw()?];
        self.reduce.run(recorder, bytemuck::bytes_of(&uniform), &bindings, arrays.sums.len())
    }
}
