//! The GM layer with component weights of its own; formulas in [`crate::reference::gm_weights`].

use super::Kernel;
use super::gm_backward::{GmBackward, GmBackwardArgs};
use super::gm_forward::{GmForward, GmForwardArgs};
use super::gm_state::GmState;
use crate::Result;
use crate::device::{Buffer, Device, Stream};
use crate::reference::gm_weights as host;
use crate::shape::{GmDims, expect_len};

/// The layer at one minibatch size: the plain one between two operations that weigh its parameters and its gradients.
pub struct GmWeighted {
    dims: GmDims,
    #[cfg_attr(not(feature = "gpu"), allow(dead_code))]
    weigh: Kernel,
    #[cfg_attr(not(feature = "gpu"), allow(dead_code))]
    weight_gradient: Kernel,
    forward: GmForward,
    backward: GmBackward,
    state: GmState,
    /// Parameters of the plain layer, `[R, P']`, and their gradients.
    effective: Buffer<f32>,
    d_effective: Buffer<f32>,
}

impl GmWeighted {
    /// For a layer of sizes `dims`, whose parameters `[R, P]` are those of the plain layer with `weights [Kp]` behind them.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] where a size is 0; [`crate::Error::Limit`] or [`crate::Error::Gpu`] where the device cannot hold
    /// it or refuses a shader.
    pub fn new(device: &Device, dims: GmDims) -> Result<Self> {
        let plain = || Buffer::zeros(device, dims.runs * dims.params_len());
        Ok(Self {
            dims,
            weigh: Kernel::new(device, "gm_weigh", &[])?,
            weight_gradient: Kernel::new(device, "gm_weight_gradient", &[])?,
            forward: GmForward::new(device, dims)?,
            backward: GmBackward::new(device, dims)?,
            state: GmState::new(device, dims)?,
            effective: plain()?,
            d_effective: plain()?,
        })
    }

    /// Records the forward pass of block `slot` of `x [slots, R, B, dp]` with `params [R, P]` to `h [R, B, Lp]`.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] where an array does not fit; otherwise what the driver reports.
    pub fn forward(
        &mut self,
        stream: &mut Stream,
        (x, slot): (&Buffer<f32>, usize),
        params: &Buffer<f32>,
        h: &mut Buffer<f32>,
    ) -> Result<()> {
        self.check(params)?;
        match stream {
            Stream::Cpu => host::weigh(&self.dims, params.host()?, self.effective.host_mut()?)?,
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => {
                let uniform = self.uniform(self.weighted_len(), self.dims.params_len());
                let params = params.raw()?;
                self.scale(recorder, &uniform, [params, params, self.effective.raw()?])?;
            }
        }
        let (state, params) = (&mut self.state, &self.effective);
        self.forward.record(stream, GmForwardArgs { x, slot, params, state, h })
    }

    /// Records the backward pass from `dh [R, B, Lp]`: `grads [R, P]`, and `dx [R, B, dp]` where wanted, are overwritten.
    ///
    /// # Errors
    /// As [`GmWeighted::forward`].
    pub fn backward(
        &mut self,
        stream: &mut Stream,
        (x, slot): (&Buffer<f32>, usize),
        params: &Buffer<f32>,
        dh: &Buffer<f32>,
        (grads, dx): (&mut Buffer<f32>, Option<&mut Buffer<f32>>),
    ) -> Result<()> {
        self.check(params)?;
        self.check(grads)?;
        let (state, effective, to) = (&mut self.state, &self.effective, &mut self.d_effective);
        self.backward.record(stream, GmBackwardArgs { x, slot, params: effective, state, dh, grads: to, dx })?;
        match stream {
            Stream::Cpu => {
                host::weigh_backward(&self.dims, params.host()?, self.d_effective.host()?, grads.host_mut()?)
            }
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => {
                let uniform = self.uniform(self.dims.params_len(), self.weighted_len());
                let (params, gradients, grads) = (params.raw()?, self.d_effective.raw()?, grads.raw()?);
                self.scale(recorder, &uniform, [gradients, params, grads])?;
                let groups = (self.dims.runs * host::weights(&self.dims).len()) as u64;
                let bindings = [params, gradients, grads];
                self.weight_gradient.run_groups(recorder, bytemuck::cast_slice(&uniform), &bindings, groups)
            }
        }
    }

    fn weighted_len(&self) -> usize {
        host::weights(&self.dims).end
    }

    fn check(&self, params: &Buffer<f32>) -> Result<()> {
        expect_len("weighted GM layer", "parameters [R,P]", params.len(), self.dims.runs * self.weighted_len())
    }

    #[cfg(feature = "gpu")]
    fn scale(
        &self,
        recorder: &mut crate::gpu::Recorder,
        uniform: &[u32; 8],
        bindings: [&crate::gpu::RawBuffer; 3],
    ) -> Result<()> {
        let threads = self.dims.runs * self.dims.params_len() / 4;
        self.weigh.run(recorder, bytemuck::cast_slice(uniform), &bindings, threads)
    }

    /// `Params` of `shaders/common/gm_weights.wgsl`, in its order; strides are of source and target in elements.
    #[cfg(feature = "gpu")]
    fn uniform(&self, source: usize, target: usize) -> [u32; 8] {
        let GmDims { runs, components, outputs, rank, .. } = self.dims;
        let quads = self.dims.input_stride() / 4;
        [runs, components, quads, outputs, rank, source / 4, target / 4, 0].map(|size| size as u32)
    }
}
