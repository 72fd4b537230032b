//! Random crops and mirror images of pictures.

use super::Kernel;
use crate::Result;
use crate::device::{Buffer, Device, Stream};
use crate::reference::augment as host;
use crate::shape::{ImageDims, expect_len};

/// Moves pictures as words say that [`moves`](host::moves) has drawn on the host; see [`host::augment`].
pub struct Augment {
    dims: ImageDims,
    #[cfg_attr(not(feature = "gpu"), allow(dead_code))]
    kernel: Kernel,
}

impl Augment {
    /// The operation for pictures of sizes `dims`; runs and batch are not looked at.
    ///
    /// # Errors
    /// [`crate::Error::Gpu`] where the driver refuses the shader.
    pub fn new(device: &Device, dims: ImageDims) -> Result<Self> {
        Ok(Self { dims, kernel: Kernel::new(device, "augment", &[])? })
    }

    /// Records `out [M, C·H·W]` from `x` and a word for each of the `M` pictures.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] where an array does not fit; otherwise what the driver reports.
    pub fn record(
        &self,
        stream: &mut Stream,
        moves: &Buffer<u32>,
        x: &Buffer<f32>,
        out: &mut Buffer<f32>,
    ) -> Result<()> {
        const OP: &str = "augmentation";
        expect_len(OP, "x [M,C·H·W]", x.len(), moves.len() * self.dims.stride())?;
        expect_len(OP, "results [M,C·H·W]", out.len(), x.len())?;
        match stream {
            Stream::Cpu => host::augment(self.dims, moves.host()?, x.host()?, out.host_mut()?),
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => {
                let dims = self.dims;
                let sizes = [moves.len(), dims.channels, dims.height, dims.width, dims.stride(), 0, 0, 0];
                let params = sizes.map(|size| size as u32);
                let bindings = [moves.raw()?, x.raw()?, out.raw()?];
                self.kernel.run(recorder, bytemuck::cast_slice(&params), &bindings, out.len())
            }
        }
    }
}
