//! Batch normalisation.

use super::Kernel;
use crate::Result;
use crate::device::{Buffer, Device, Stream};
use crate::reference::batch_norm as host;
use crate::shape::{ImageDims, expect_len};

/// Whose mean and variance normalise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistics {
    /// The minibatch's own, as in training.
    Minibatch,
    /// The running ones of the parameters, as in evaluation.
    Running,
}

/// Batch normalisation and its gradients; see [`host`]. Keeps the statistics of the last forward pass.
#[cfg_attr(not(feature = "gpu"), allow(dead_code))]
pub struct BatchNorm {
    dims: ImageDims,
    of_minibatch: Kernel,
    of_params: Kernel,
    keep: Kernel,
    apply: Kernel,
    sums: Kernel,
    input_gradient: Kernel,
    /// `[R, C, 4]`: mean, inverse deviation, unbiased variance, 0.
    statistics: Buffer<f32>,
}

/// Arguments of [`BatchNorm::backward`].
pub struct BatchNormBackwardArgs<'a> {
    /// Inputs `[R, B, C·H·W]`.
    pub x: &'a Buffer<f32>,
    /// Parameters `[R, gamma | beta | running mean | running variance]`.
    pub params: &'a Buffer<f32>,
    /// `∂loss/∂h`, `[R, B, C·H·W]`.
    pub dh: &'a Buffer<f32>,
    /// Gradients `[R, P]`, overwritten; 0 for the running values.
    pub grads: &'a mut Buffer<f32>,
    /// `∂loss/∂x`, `[R, B, C·H·W]`, overwritten.
    pub dx: Option<&'a mut Buffer<f32>>,
}

impl BatchNorm {
    /// The layer's operations on `device`.
    ///
    /// # Errors
    /// [`crate::Error::Gpu`] where the driver refuses a shader.
    pub fn new(device: &Device, dims: ImageDims) -> Result<Self> {
        Ok(Self {
            dims,
            of_minibatch: Kernel::new(device, "norm_statistics", &[])?,
            of_params: Kernel::new(device, "norm_running", &[("MODE", 0)])?,
            keep: Kernel::new(device, "norm_running", &[("MODE", 1)])?,
            apply: Kernel::new(device, "norm_apply", &[])?,
            sums: Kernel::new(device, "norm_sums", &[])?,
            input_gradient: Kernel::new(device, "norm_input_gradient", &[])?,
            statistics: Buffer::zeros(device, host::KEPT * dims.runs * dims.channels)?,
        })
    }

    /// Records `h` from `x`, both `[R, B, C·H·W]`, and the parameters `[R, P]`.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] where an array does not fit; otherwise what the driver reports.
    pub fn forward(
        &mut self,
        stream: &mut Stream,
        by: Statistics,
        x: &Buffer<f32>,
        params: &Buffer<f32>,
        h: &mut Buffer<f32>,
    ) -> Result<()> {
        const OP: &str = "batch normalisation, forward";
        let dims = self.dims;
        self.check(OP, x, params)?;
        expect_len(OP, "h [R,B,C·H·W]", h.len(), dims.len())?;
        match stream {
            Stream::Cpu => {
                let (x, params, statistics) = (x.host()?, params.host()?, self.statistics.host_mut()?);
                match by {
                    Statistics::Minibatch => host::statistics(dims, x, statistics)?,
                    Statistics::Running => host::running(dims, params, statistics)?,
                }
                host::apply(dims, x, params, statistics, h.host_mut()?)
            }
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => {
                let uniform = self.uniform();
                let (uniform, statistics) = (bytemuck::cast_slice(&uniform), self.statistics.raw()?);
                let channels = dims.runs * dims.channels;
                match by {
                    Statistics::Minibatch => {
                        self.of_minibatch.run_groups(recorder, uniform, &[x.raw()?, statistics], channels as u64)?;
                    }
                    Statistics::Running => {
                        self.of_params.run(recorder, uniform, &[params.raw()?, statistics], channels)?;
                    }
                }
                let bindings = [x.raw()?, params.raw()?, statistics, h.raw()?];
                self.apply.run(recorder, uniform, &bindings, dims.len())
            }
        }
    }

    /// Records the gradients of a forward pass that took the minibatch's statistics.
    ///
    /// # Errors
    /// As [`BatchNorm::forward`].
    pub fn backward(&self, stream: &mut Stream, args: BatchNormBackwardArgs<'_>) -> Result<()> {
        const OP: &str = "batch normalisation, backward";
        let dims = self.dims;
        self.check(OP, args.x, args.params)?;
        expect_len(OP, "dh [R,B,C·H·W]", args.dh.len(), dims.len())?;
        expect_len(OP, "gradients [R,P]", args.grads.len(), args.params.len())?;
        if let Some(dx) = &args.dx {
            expect_len(OP, "dx [R,B,C·H·W]", dx.len(), dims.len())?;
        }
        match stream {
            Stream::Cpu => {
                let dx = args.dx.map(Buffer::host_mut).transpose()?;
                let (x, params, dh) = (args.x.host()?, args.params.host()?, args.dh.host()?);
                host::backward(dims, x, params, self.statistics.host()?, dh, args.grads.host_mut()?, dx)
            }
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => {
                let uniform = self.uniform();
                let (uniform, statistics) = (bytemuck::cast_slice(&uniform), self.statistics.raw()?);
                let (x, dh, grads) = (args.x.raw()?, args.dh.raw()?, args.grads.raw()?);
                let channels = (dims.runs * dims.channels) as u64;
                self.sums.run_groups(recorder, uniform, &[x, dh, statistics, grads], channels)?;
                let Some(dx) = args.dx else { return Ok(()) };
                let bindings = [x, args.params.raw()?, statistics, dh, grads, dx.raw()?];
                self.input_gradient.run(recorder, uniform, &bindings, dims.len())
            }
        }
    }

    /// Records that the statistics of the last forward pass, which were a minibatch's, go into the running ones.
    ///
    /// # Errors
    /// As [`BatchNorm::forward`].
    pub fn keep(&self, stream: &mut Stream, params: &mut Buffer<f32>) -> Result<()> {
        const OP: &str = "batch normalisation, running statistics";
        expect_len(OP, "parameters [R,P]", params.len(), self.dims.runs * self.dims.norm_params_len())?;
        match stream {
            Stream::Cpu => host::keep(self.dims, self.statistics.host()?, params.host_mut()?),
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => {
                let bindings = [params.raw()?, self.statistics.raw()?];
                let channels = self.dims.runs * self.dims.channels;
                self.keep.run(recorder, bytemuck::cast_slice(&self.uniform()), &bindings, channels)
            }
        }
    }

    fn check(&self, op: &'static str, x: &Buffer<f32>, params: &Buffer<f32>) -> Result<()> {
        expect_len(op, "x [R,B,C·H·W]", x.len(), self.dims.len())?;
        expect_len(op, "parameters [R,P]", params.len(), self.dims.runs * self.dims.norm_params_len())
    }

    /// `Params` of `shaders/common/batch_norm.wgsl`, in its order.
    #[cfg(feature = "gpu")]
    fn uniform(&self) -> [u32; 8] {
        let dims = self.dims;
        let padded = crate::shape::stride(dims.channels);
        let sizes = [dims.runs, dims.batch, dims.channels, dims.pixels(), dims.stride(), padded];
        let constants = [host::MOMENTUM, host::EPSILON].map(|constant| (constant as f32).to_bits());
        let mut params = [0; 8];
        let words = sizes.into_iter().map(|size| size as u32).chain(constants);
        params.iter_mut().zip(words).for_each(|(out, word)| *out = word);
        params
    }
}
