//! Gaussians through an activation and a dense layer with factorised Gaussian weights (Lemma 2).

use super::activation_moments::PLANES;
use super::dense::{Dense, DenseForwardArgs};
use super::{Kernel, Threads};
use crate::Result;
use crate::device::{Buffer, Device, Stream};
use crate::reference::propagation as host;
use crate::shape::{DenseDims, expect_len};

/// Plane of `E a` among the moments.
const MEAN: usize = 0;
/// Plane of `F = E a'`.
const SLOPE: usize = 1;
/// Plane of `E a²`.
const SECOND: usize = 2;

/// Mean `M ā + b̄` and covariance `M diag(F) Σ diag(F) Mᵀ + diag(V E a² + B)`; see [`host`]. Keeps the scratch of one batch.
#[cfg_attr(not(feature = "gpu"), allow(dead_code))]
pub struct DensePropagation {
    dims: DenseDims,
    dense: Dense,
    half: Kernel,
    from_full: Kernel,
    from_diagonal: Kernel,
    noise: Buffer<f32>,
    product: Buffer<f32>,
}

/// Covariances of the Gaussians that enter.
#[derive(Clone, Copy)]
pub enum Covariances<'a> {
    /// Variances `[B, dp]` of independent entries.
    Diagonal(&'a Buffer<f32>),
    /// Covariances `[B, d, dp]`, symmetric.
    Full(&'a Buffer<f32>),
}

/// Arguments of [`DensePropagation`].
pub struct DensePropagationArgs<'a> {
    /// Planes `[8, B, dp]` of [`ActivationMoments`](super::activation_moments::ActivationMoments).
    pub moments: &'a Buffer<f32>,
    /// Covariances before the activation.
    pub covariance: Covariances<'a>,
    /// `M` and `b̄`, layout of [`DenseDims`].
    pub means: &'a Buffer<f32>,
    /// `V` and `B`, the same layout.
    pub variances: &'a Buffer<f32>,
    /// Means `[B, Lp]`, overwritten.
    pub mean_out: &'a mut Buffer<f32>,
    /// Covariances `[B, L, Lp]`, exactly symmetric, overwritten.
    pub covariance_out: &'a mut Buffer<f32>,
}

impl DensePropagation {
    /// For batches of sizes `dims`, of one run.
    ///
    /// # Errors
    /// [`crate::Error::Gpu`] where the driver refuses a shader; [`crate::Error::Limit`] where the scratch does not fit.
    pub fn new(device: &Device, dims: DenseDims) -> Result<Self> {
        let product = if device.is_cpu() { 0 } else { dims.batch * dims.outputs * dims.input_stride() };
        let kernel = |shader, mode| Kernel::of(device, shader, &[("MODE", mode)], Threads::Long);
        Ok(Self {
            dims,
            dense: Dense::new(device)?,
            half: kernel("propagation_half", 0)?,
            from_full: kernel("propagation_covariance", 1)?,
            from_diagonal: kernel("propagation_covariance", 0)?,
            noise: Buffer::zeros(device, dims.h_len())?,
            product: Buffer::zeros(device, product)?,
        })
    }

    /// Records it.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] where an array does not fit the sizes; otherwise what the driver reports.
    pub fn record(&mut self, stream: &mut Stream, args: DensePropagationArgs<'_>) -> Result<()> {
        const OP: &str = "dense layer, propagation";
        let dims = self.dims;
        expect_len(OP, "moments [8,B,dp]", args.moments.len(), PLANES * dims.x_len())?;
        expect_len(OP, "variances of the weights [P]", args.variances.len(), dims.params_len())?;
        host::check(dims, args.means.len(), dims.x_len(), self.noise.len(), args.covariance_out.len())?;
        match args.covariance {
            Covariances::Diagonal(values) => expect_len(OP, "variances [B,dp]", values.len(), dims.x_len())?,
            Covariances::Full(values) => {
                expect_len(OP, "covariances [B,d,dp]", values.len(), dims.inputs * dims.x_len())?;
            }
        }
        match stream {
            // The twin of the dense layer leaves pads as they are.
            Stream::Cpu => args.mean_out.host_mut()?.fill(0.0),
            #[cfg(feature = "gpu")]
            Stream::Gpu(_) => {}
        }
        // Mean and noise are dense layers of two of the planes.
        let (x, params, h) = (args.moments, args.means, args.mean_out);
        self.dense.forward(stream, DenseForwardArgs { dims, x, slot: MEAN, params, h })?;
        let (params, h) = (args.variances, &mut self.noise);
        self.dense.forward(stream, DenseForwardArgs { dims, x, slot: SECOND, params, h })?;
        match stream {
            Stream::Cpu => {
                let slope = &args.moments.host()?[SLOPE * dims.x_len()..][..dims.x_len()];
                let covariance = match args.covariance {
                    Covariances::Diagonal(values) => host::Covariances::Diagonal(values.host()?),
                    Covariances::Full(values) => host::Covariances::Full(values.host()?),
                };
                let (noise, out) = (self.noise.host()?, args.covariance_out.host_mut()?);
                host::covariance(dims, args.means.host()?, slope, covariance, noise, out)
            }
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => {
                let (inputs, outputs) = (dims.input_stride() / 4, dims.output_stride() / 4);
                let params = [dims.batch, inputs, dims.outputs, dims.inputs].map(|size| size as u32);
                let params = bytemuck::cast_slice(&params);
                let (means, moments) = (args.means.raw()?, args.moments.raw()?);
                let (noise, out) = (self.noise.raw()?, args.covariance_out.raw()?);
                let threads = dims.batch * outputs * outputs;
                match args.covariance {
                    Covariances::Diagonal(values) => {
                        let bindings = [means, moments, values.raw()?, noise, out];
                        self.from_diagonal.run(recorder, params, &bindings, threads)
                    }
                    Covariances::Full(values) => {
                        let product = self.product.raw()?;
                        let bindings = [means, moments, values.raw()?, product];
                        self.half.run(recorder, params, &bindings, dims.batch * outputs * inputs)?;
                        let bindings = [means, moments, product, noise, out];
                        self.from_full.run(recorder, params, &bindings, threads)
                    }
                }
            }
        }
    }
}
