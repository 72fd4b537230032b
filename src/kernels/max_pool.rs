//! The largest of every 2×2 pixels.

use super::Kernel;
use crate::Result;
use crate::device::{Buffer, Device, Stream};
use crate::reference::max_pool as host;
use crate::shape::{ImageDims, expect_len};

/// A 2×2 pooling and its gradient; see [`host`].
#[cfg_attr(not(feature = "gpu"), allow(dead_code))]
pub struct MaxPool {
    dims: ImageDims,
    forward: Kernel,
    backward: Kernel,
}

impl MaxPool {
    /// The operation for pictures of sizes `dims`.
    ///
    /// # Errors
    /// [`crate::Error::Gpu`] where the driver refuses a shader.
    pub fn new(device: &Device, dims: ImageDims) -> Result<Self> {
        let (forward, backward) =
            (Kernel::new(device, "max_pool", &[])?, Kernel::new(device, "max_pool_backward", &[])?);
        Ok(Self { dims, forward, backward })
    }

    /// Records `h [R, B, C·⌊H/2⌋·⌊W/2⌋]` from `x [R, B, C·H·W]`.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] where an array does not fit; otherwise what the driver reports.
    pub fn forward(&self, stream: &mut Stream, x: &Buffer<f32>, h: &mut Buffer<f32>) -> Result<()> {
        const OP: &str = "max-pool, forward";
        expect_len(OP, "x [R,B,C·H·W]", x.len(), self.dims.len())?;
        expect_len(OP, "h", h.len(), self.dims.pooled().len())?;
        match stream {
            Stream::Cpu => host::forward(self.dims, x.host()?, h.host_mut()?),
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => {
                let bindings = [x.raw()?, h.raw()?];
                self.forward.run(recorder, bytemuck::cast_slice(&self.uniform()), &bindings, h.len())
            }
        }
    }

    /// Records `dx [R, B, C·H·W]` from `x` and `dh`.
    ///
    /// # Errors
    /// As [`MaxPool::forward`].
    pub fn backward(&self, stream: &mut Stream, x: &Buffer<f32>, dh: &Buffer<f32>, dx: &mut Buffer<f32>) -> Result<()> {
        const OP: &str = "max-pool, backward";
        expect_len(OP, "x [R,B,C·H·W]", x.len(), self.dims.len())?;
        expect_len(OP, "dh", dh.len(), self.dims.pooled().len())?;
        expect_len(OP, "dx [R,B,C·H·W]", dx.len(), x.len())?;
        match stream {
            Stream::Cpu => host::backward(self.dims, x.host()?, dh.host()?, dx.host_mut()?),
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => {
                let bindings = [x.raw()?, dh.raw()?, dx.raw()?];
                self.backward.run(recorder, bytemuck::cast_slice(&self.uniform()), &bindings, dx.len())
            }
        }
    }

    /// `Params` of `shaders/common/max_pool.wgsl`, in its order.
    #[cfg(feature = "gpu")]
    fn uniform(&self) -> [u32; 8] {
        let dims = self.dims;
        let (rows, strides) = (dims.runs * dims.batch, [dims.stride(), dims.pooled().stride()]);
        [rows, dims.channels, dims.height, dims.width, strides[0], strides[1], 0, 0].map(|size| size as u32)
    }
}
