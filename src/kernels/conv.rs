//! The 3×3 convolution.

use super::{Kernel, slot_range};
use crate::Result;
use crate::device::{Buffer, Device, Stream};
use crate::reference::conv as host;
use crate::shape::{ConvDims, expect_len, stride};

/// Workgroups that the gradient of the weights should have at least: a layer with few weights is cut by pictures as well.
const GROUPS: usize = 256;

/// A convolution and its gradients; see [`host`]. Keeps the gradients' scratch.
#[cfg_attr(not(feature = "gpu"), allow(dead_code))]
pub struct Conv {
    dims: ConvDims,
    forward: Kernel,
    back: Kernel,
    turn: Kernel,
    weights: Kernel,
    total: Kernel,
    /// The kernels of the way back, `[R, C, stride(9 O)]`.
    turned: Buffer<f32>,
    /// Sums over some pictures each, `[splits, R, O, 9C + 1]`.
    parts: Buffer<f32>,
    per_split: usize,
}

/// Arguments of [`Conv::forward`].
pub struct ConvForwardArgs<'a> {
    /// Pictures `[slots, R, B, C·H·W]`.
    pub x: &'a Buffer<f32>,
    /// The block of `x` to take.
    pub slot: usize,
    /// Parameters `[R, P]`, layout of [`ConvDims`].
    pub params: &'a Buffer<f32>,
    /// Outputs `[R, B, O·H·W]`, overwritten.
    pub h: &'a mut Buffer<f32>,
}

/// Arguments of [`Conv::backward`].
pub struct ConvBackwardArgs<'a> {
    /// Pictures `[slots, R, B, C·H·W]`.
    pub x: &'a Buffer<f32>,
    /// The block of `x` that the forward pass took.
    pub slot: usize,
    /// Parameters `[R, P]`.
    pub params: &'a Buffer<f32>,
    /// `∂loss/∂h`, `[R, B, O·H·W]`.
    pub dh: &'a Buffer<f32>,
    /// Gradients `[R, P]`, overwritten.
    pub grads: &'a mut Buffer<f32>,
    /// `∂loss/∂x`, `[R, B, C·H·W]`, overwritten.
    pub dx: Option<&'a mut Buffer<f32>>,
}

impl Conv {
    /// The layer's operations on `device`; with `gradients` it has room for the way back.
    ///
    /// # Errors
    /// [`crate::Error::Gpu`] where the driver refuses a shader, [`crate::Error::Limit`] where the scratch does not fit.
    pub fn new(device: &Device, dims: ConvDims, gradients: bool) -> Result<Self> {
        let images = dims.images;
        let tiles = images.runs * dims.outputs.div_ceil(32) * (dims.inner() + 1).div_ceil(64);
        let splits = GROUPS.div_ceil(tiles.max(1)).clamp(1, images.batch.max(1));
        let per_split = images.batch.div_ceil(splits);
        let splits = images.batch.div_ceil(per_split.max(1));
        let room = |len: usize| Buffer::zeros(device, if gradients && !device.is_cpu() { len } else { 0 });
        Ok(Self {
            dims,
            forward: Kernel::new(device, "conv_forward", &[("MODE", 0)])?,
            back: Kernel::new(device, "conv_forward", &[("MODE", 1)])?,
            turn: Kernel::new(device, "conv_turn", &[])?,
            weights: Kernel::new(device, "conv_weights", &[])?,
            total: Kernel::new(device, "conv_total", &[])?,
            turned: room(images.runs * images.channels * stride(9 * dims.outputs))?,
            parts: room(splits * images.runs * dims.outputs * (dims.inner() + 1))?,
            per_split,
        })
    }

    /// Records the forward pass.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] where an array does not fit; otherwise what the driver reports.
    pub fn forward(&self, stream: &mut Stream, args: ConvForwardArgs<'_>) -> Result<()> {
        const OP: &str = "convolution, forward";
        let dims = self.dims;
        let x = slot_range(OP, "x [slots,R,B,C·H·W]", args.x.len(), dims.images.len(), args.slot)?;
        expect_len(OP, "parameters [R,P]", args.params.len(), dims.images.runs * dims.params_len())?;
        expect_len(OP, "h [R,B,O·H·W]", args.h.len(), dims.made().len())?;
        match stream {
            Stream::Cpu => host::forward(dims, &args.x.host()?[x], args.params.host()?, args.h.host_mut()?),
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => {
                let params = self.uniform(dims, args.slot);
                let bindings = [args.x.raw()?, args.params.raw()?, args.h.raw()?];
                self.forward.run_groups(recorder, bytemuck::cast_slice(&params), &bindings, tiles(dims))
            }
        }
    }

    /// Records the backward pass.
    ///
    /// # Errors
    /// As [`Conv::forward`].
    pub fn backward(&mut self, stream: &mut Stream, args: ConvBackwardArgs<'_>) -> Result<()> {
        const OP: &str = "convolution, backward";
        let dims = self.dims;
        let x = slot_range(OP, "x [slots,R,B,C·H·W]", args.x.len(), dims.images.len(), args.slot)?;
        expect_len(OP, "parameters [R,P]", args.params.len(), dims.images.runs * dims.params_len())?;
        expect_len(OP, "dh [R,B,O·H·W]", args.dh.len(), dims.made().len())?;
        expect_len(OP, "gradients [R,P]", args.grads.len(), args.params.len())?;
        if let Some(dx) = &args.dx {
            expect_len(OP, "dx [R,B,C·H·W]", dx.len(), dims.images.len())?;
        }
        match stream {
            Stream::Cpu => {
                let dx = args.dx.map(Buffer::host_mut).transpose()?;
                let (params, dh, grads) = (args.params.host()?, args.dh.host()?, args.grads.host_mut()?);
                host::backward(dims, &args.x.host()?[x], params, dh, grads, dx)
            }
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => self.record_backward(recorder, args),
        }
    }

    #[cfg(feature = "gpu")]
    fn record_backward(&mut self, recorder: &mut crate::gpu::Recorder, args: ConvBackwardArgs<'_>) -> Result<()> {
        let (dims, images) = (self.dims, self.dims.images);
        let params = self.uniform(dims, args.slot);
        let splits = images.batch.div_ceil(self.per_split);
        let groups = splits * images.runs * dims.outputs.div_ceil(32) * (dims.inner() + 1).div_ceil(64);
        let bindings = [args.x.raw()?, args.dh.raw()?, self.parts.raw()?];
        self.weights.run_groups(recorder, bytemuck::cast_slice(&params), &bindings, groups as u64)?;
        let bindings = [self.parts.raw()?, args.grads.raw()?];
        self.total.run(recorder, bytemuck::cast_slice(&params), &bindings, args.grads.len())?;
        let Some(dx) = args.dx else { return Ok(()) };
        let back = ConvDims { images: dims.made(), outputs: images.channels };
        let mut turn = params;
        turn[7] = back.weight_stride() as u32;
        let bindings = [args.params.raw()?, self.turned.raw()?];
        self.turn.run(recorder, bytemuck::cast_slice(&turn), &bindings, self.turned.len())?;
        let mut params = self.uniform(back, 0);
        params[9] = (images.channels * back.weight_stride()) as u32;
        let bindings = [args.dh.raw()?, self.turned.raw()?, dx.raw()?];
        self.back.run_groups(recorder, bytemuck::cast_slice(&params), &bindings, tiles(back))
    }

    /// `Params` of `shaders/common/conv.wgsl`, in its order.
    #[cfg(feature = "gpu")]
    fn uniform(&self, dims: ConvDims, slot: usize) -> [u32; 12] {
        let images = dims.images;
        let sizes = [images.runs, images.batch, images.channels, dims.outputs, images.height, images.width];
        let strides = [images.stride(), dims.made().stride(), dims.weight_stride(), dims.params_len(), slot];
        let mut params = [self.per_split as u32; 12];
        params.iter_mut().zip(sizes.into_iter().chain(strides)).for_each(|(out, size)| *out = size as u32);
        params
    }
}

/// Workgroups of a product.
#[cfg(feature = "gpu")]
fn tiles(dims: ConvDims) -> u64 {
    let images = dims.images;
    (images.runs * dims.outputs.div_ceil(32) * (images.batch * images.pixels()).div_ceil(64)) as u64
}
