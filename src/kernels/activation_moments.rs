//! Moments of an activation of normal variables.

use super::Kernel;
use crate::Result;
use crate::device::{Buffer, Device, Stream};
use crate::reference::activation_moments as host;
pub use crate::reference::activation_moments::{Elementwise, PLANES};
use crate::shape::expect_len;

/// Moments up to the eighth order of an activation of many normal variables; see [`host::Moments`].
pub struct ActivationMoments {
    kind: Elementwise,
    #[cfg_attr(not(feature = "gpu"), allow(dead_code))]
    kernel: Kernel,
}

/// Arguments of [`ActivationMoments`].
pub struct ActivationMomentsArgs<'a> {
    /// Means `[n]`.
    pub mean: &'a Buffer<f32>,
    /// Variances `[n]`; negative ones count as 0.
    pub variance: &'a Buffer<f32>,
    /// The planes `[8, n]`, in the order of [`host::Moments`]' fields, overwritten.
    pub moments: &'a mut Buffer<f32>,
}

impl ActivationMoments {
    /// The moments of `kind` on `device`.
    ///
    /// # Errors
    /// [`crate::Error::Gpu`] where the driver refuses the shader.
    pub fn new(device: &Device, kind: Elementwise) -> Result<Self> {
        let mode = match kind {
            Elementwise::Identity => 0,
            Elementwise::Relu => 1,
            Elementwise::Tanh => 2,
        };
        Ok(Self { kind, kernel: Kernel::new(device, "activation_moments", &[("MODE", mode)])? })
    }

    /// Records them.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] where the lengths differ; otherwise what the driver reports.
    pub fn record(&self, stream: &mut Stream, args: ActivationMomentsArgs<'_>) -> Result<()> {
        const OP: &str = "activation moments";
        let n = args.mean.len();
        expect_len(OP, "variance [n]", args.variance.len(), n)?;
        expect_len(OP, "moments [8,n]", args.moments.len(), PLANES * n)?;
        match stream {
            Stream::Cpu => host::planes(self.kind, args.mean.host()?, args.variance.host()?, args.moments.host_mut()?),
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => {
                let bindings = [args.mean.raw()?, args.variance.raw()?, args.moments.raw()?];
                self.kernel.run(recorder, bytemuck::cast_slice(&[n as u32, 0, 0, 0]), &bindings, n)
            }
        }
    }
}
