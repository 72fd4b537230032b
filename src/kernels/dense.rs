//! The dense layer.

use super::{Kernel, Threads, slot_range};
use crate::Result;
use crate::device::{Buffer, Device, Stream};
use crate::reference::dense as host;
use crate::shape::{DenseDims, expect_len};

/// `h = W x + b` and its gradients; see [`host`].
#[cfg_attr(not(feature = "gpu"), allow(dead_code))]
pub struct Dense {
    forward: Kernel,
    backward: Kernel,
    input_gradient: Kernel,
}

/// Arguments of [`Dense::forward`].
pub struct DenseForwardArgs<'a> {
    /// Sizes of the layer and the minibatch.
    pub dims: DenseDims,
    /// Inputs `[slots, R, B, dp]`.
    pub x: &'a Buffer<f32>,
    /// The block of `x` to take.
    pub slot: usize,
    /// Parameters `[R, P]`, layout of [`DenseDims`].
    pub params: &'a Buffer<f32>,
    /// Outputs `[R, B, Lp]`, overwritten.
    pub h: &'a mut Buffer<f32>,
}

/// Arguments of [`Dense::backward`].
pub struct DenseBackwardArgs<'a> {
    /// Sizes of the layer and the minibatch.
    pub dims: DenseDims,
    /// Inputs `[slots, R, B, dp]`.
    pub x: &'a Buffer<f32>,
    /// The block of `x` that the forward pass took.
    pub slot: usize,
    /// Parameters `[R, P]`.
    pub params: &'a Buffer<f32>,
    /// `∂loss/∂h`, `[R, B, Lp]`.
    pub dh: &'a Buffer<f32>,
    /// Gradients `[R, P]`, overwritten.
    pub grads: &'a mut Buffer<f32>,
    /// `∂loss/∂x`, `[R, B, dp]`, overwritten.
    pub dx: Option<&'a mut Buffer<f32>>,
}

impl Dense {
    /// The layer's operations on `device`.
    ///
    /// # Errors
    /// [`crate::Error::Gpu`] where the driver refuses a shader.
    pub fn new(device: &Device) -> Result<Self> {
        Ok(Self {
            forward: Kernel::of(device, "dense_forward", &[], Threads::Long)?,
            backward: Kernel::of(device, "dense_backward", &[], Threads::Long)?,
            input_gradient: Kernel::of(device, "dense_input_gradient", &[], Threads::Long)?,
        })
    }

    /// Records the forward pass.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] where an array does not fit; otherwise what the driver reports.
    pub fn forward(&self, stream: &mut Stream, args: DenseForwardArgs<'_>) -> Result<()> {
        const OP: &str = "dense layer, forward";
        let dims = args.dims;
        let x = slot_range(OP, "x [slots,R,B,dp]", args.x.len(), dims.x_len(), args.slot)?;
        expect_len(OP, "parameters [R,P]", args.params.len(), dims.runs * dims.params_len())?;
        expect_len(OP, "h [R,B,Lp]", args.h.len(), dims.h_len())?;
        match stream {
            Stream::Cpu => host::forward(dims, &args.x.host()?[x], args.params.host()?, args.h.host_mut()?),
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => {
                let blocks = dims.batch.div_ceil(4);
                let params = uniform(&dims, args.slot, blocks);
                let bindings = [args.x.raw()?, args.params.raw()?, args.h.raw()?];
                let threads = dims.runs * blocks * dims.output_stride() / 4;
                self.forward.run(recorder, bytemuck::cast_slice(&params), &bindings, threads)
            }
        }
    }

    /// Records the backward pass.
    ///
    /// # Errors
    /// As [`Dense::forward`].
    pub fn backward(&self, stream: &mut Stream, args: DenseBackwardArgs<'_>) -> Result<()> {
        const OP: &str = "dense layer, backward";
        let dims = args.dims;
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
                host::backward(dims, &args.x.host()?[x], params, dh, grads, dx)
            }
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => {
                let quads = dims.input_stride() / 4;
                let params = uniform(&dims, args.slot, 0);
                let bindings = [args.x.raw()?, args.dh.raw()?, args.grads.raw()?];
                let threads = dims.runs * (quads + 1) * dims.output_stride() / 4;
                self.backward.run(recorder, bytemuck::cast_slice(&params), &bindings, threads)?;
                let Some(dx) = args.dx else { return Ok(()) };
                let blocks = dims.batch.div_ceil(4);
                let params = uniform(&dims, args.slot, blocks);
                let bindings = [args.params.raw()?, args.dh.raw()?, dx.raw()?];
                self.input_gradient.run(recorder, bytemuck::cast_slice(&params), &bindings, dims.runs * blocks * quads)
            }
        }
    }
}

/// `Params` of `shaders/common/dense.wgsl`, in its order.
#[cfg(feature = "gpu")]
fn uniform(dims: &DenseDims, slot: usize, blocks: usize) -> [u32; 8] {
    [dims.runs, dims.batch, dims.input_stride() / 4, dims.outputs, blocks, slot, 0, 0].map(|size| size as u32)
}
