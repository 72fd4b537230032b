//! Moments of rectified normal variables.

use super::Kernel;
use crate::Result;
use crate::device::{Buffer, Device, Stream};
use crate::reference::normal;
use crate::shape::expect_len;

/// `A`, `F`, `q`, `w` of many normal variables; see [`normal::ReluMoments`].
pub struct ReluMoments {
    #[cfg_attr(not(feature = "gpu"), allow(dead_code))]
    kernel: Kernel,
}

/// Arguments of [`ReluMoments`].
pub struct ReluMomentsArgs<'a> {
    /// Means `[n]`.
    pub mean: &'a Buffer<f32>,
    /// Variances `[n]`.
    pub variance: &'a Buffer<f32>,
    /// `(A, F, q, w)` of each, `[n, 4]`, overwritten.
    pub moments: &'a mut Buffer<f32>,
}

impl ReluMoments {
    /// The operation on `device`.
    ///
    /// # Errors
    /// [`crate::Error::Gpu`] where the driver refuses the shader.
    pub fn new(device: &Device) -> Result<Self> {
        Ok(Self { kernel: Kernel::new(device, "relu_moments", &[])? })
    }

    /// Records it.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] where the lengths differ; otherwise what the driver reports.
    pub fn record(&self, stream: &mut Stream, args: ReluMomentsArgs<'_>) -> Result<()> {
        const OP: &str = "ReLU moments";
        let n = args.mean.len();
        expect_len(OP, "variance [n]", args.variance.len(), n)?;
        expect_len(OP, "moments [n,4]", args.moments.len(), 4 * n)?;
        match stream {
            Stream::Cpu => {
                let (mean, variance) = (args.mean.host()?, args.variance.host()?);
                for ((&mean, &variance), out) in
                    mean.iter().zip(variance).zip(args.moments.host_mut()?.chunks_exact_mut(4))
                {
                    let moments = normal::relu_moments(mean, variance);
                    out.copy_from_slice(&[moments.a, moments.f, moments.q, moments.w]);
                }
                Ok(())
            }
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => {
                let bindings = [args.mean.raw()?, args.variance.raw()?, args.moments.raw()?];
                self.kernel.run(recorder, bytemuck::cast_slice(&[n as u32, 0, 0, 0]), &bindings, n)
            }
        }
    }
}
