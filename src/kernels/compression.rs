//! Compression of mixtures: components to clusters, clusters to Gaussians.

use super::Kernel;
use super::propagation::Covariances;
use crate::Result;
use crate::device::{Buffer, Device, Stream};
use crate::reference::compression as host;
pub use crate::reference::compression::CompressionDims;
use crate::reference::propagation::Covariances as HostCovariances;
#[cfg(feature = "gpu")]
use crate::shape::stride;

/// Assignment of components to the nearest of some centres, and the clusters' moments; see [`host`].
#[cfg_attr(not(feature = "gpu"), allow(dead_code))]
pub struct Compression {
    assign: Kernel,
    means: Kernel,
    from_diagonal: Kernel,
    from_full: Kernel,
}

/// Arguments of [`Compression::merge`].
pub struct MergeArgs<'a> {
    /// Clusters `[B, C]`, each below `k`.
    pub labels: &'a Buffer<u32>,
    /// Weights `[B, C]`.
    pub weights: &'a Buffer<f32>,
    /// Means `[B, C, np]`.
    pub means: &'a Buffer<f32>,
    /// Variances `[B, C, np]` or covariances `[B, C, n, np]`.
    pub covariances: Covariances<'a>,
    /// The clusters' weights `[B, k]`, overwritten.
    pub merged_weights: &'a mut Buffer<f32>,
    /// Their means `[B, k, np]`, overwritten.
    pub merged_means: &'a mut Buffer<f32>,
    /// Their covariances `[B, k, n, np]`, overwritten.
    pub merged_covariances: &'a mut Buffer<f32>,
}

impl Compression {
    /// The operations on `device`.
    ///
    /// # Errors
    /// [`crate::Error::Gpu`] where the driver refuses a shader.
    pub fn new(device: &Device) -> Result<Self> {
        Ok(Self {
            assign: Kernel::new(device, "assign_clusters", &[])?,
            means: Kernel::new(device, "merge_means", &[])?,
            from_diagonal: Kernel::new(device, "merge_covariances", &[("MODE", 0)])?,
            from_full: Kernel::new(device, "merge_covariances", &[("MODE", 1)])?,
        })
    }

    /// Records labels `[B, C]`: for each of `means [B, C, np]` the nearest of `centres [B, k, np]`, the lowest of several.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] where an array does not fit `dims`; otherwise what the driver reports.
    pub fn assign(
        &self,
        stream: &mut Stream,
        dims: CompressionDims,
        means: &Buffer<f32>,
        centres: &Buffer<f32>,
        labels: &mut Buffer<u32>,
    ) -> Result<()> {
        dims.check_assign(means.len(), centres.len(), labels.len())?;
        match stream {
            Stream::Cpu => host::assign(dims, means.host()?, centres.host()?, labels.host_mut()?),
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => {
                let count = dims.batch * dims.components;
                let sizes = [count, dims.components, dims.clusters, stride(dims.width) / 4];
                let params = sizes.map(|size| size as u32);
                let bindings = [means.raw()?, centres.raw()?, labels.raw()?];
                self.assign.run(recorder, bytemuck::cast_slice(&params), &bindings, count)
            }
        }
    }

    /// Records the clusters' moments. A cluster of weight 0 takes the moments of its first component; one without components is 0
    /// throughout.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] where an array does not fit `dims`; otherwise what the driver reports.
    pub fn merge(&self, stream: &mut Stream, dims: CompressionDims, args: MergeArgs<'_>) -> Result<()> {
        let (covariances, per_row) = match args.covariances {
            Covariances::Diagonal(values) => (values, 1),
            Covariances::Full(values) => (values, dims.width),
        };
        let results = [args.merged_weights.len(), args.merged_means.len(), args.merged_covariances.len()];
        let given = [args.labels.len(), args.weights.len(), args.means.len(), covariances.len()];
        dims.check_merge(given, results, per_row)?;
        match stream {
            Stream::Cpu => {
                let covariances = match args.covariances {
                    Covariances::Diagonal(values) => HostCovariances::Diagonal(values.host()?),
                    Covariances::Full(values) => HostCovariances::Full(values.host()?),
                };
                let (labels, weights, means) = (args.labels.host()?, args.weights.host()?, args.means.host()?);
                let to = host::Merged {
                    weights: args.merged_weights.host_mut()?,
                    means: args.merged_means.host_mut()?,
                    covariances: args.merged_covariances.host_mut()?,
                };
                host::merge(dims, host::Components { labels, weights, means, covariances }, to)
            }
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => {
                let quads = stride(dims.width) / 4;
                let sizes = [dims.batch, dims.components, dims.clusters, dims.width, quads, 0, 0, 0];
                let params = sizes.map(|size| size as u32);
                let params = bytemuck::cast_slice(&params);
                let (labels, weights, means) = (args.labels.raw()?, args.weights.raw()?, args.means.raw()?);
                let (to_weights, to_means) = (args.merged_weights.raw()?, args.merged_means.raw()?);
                let threads = dims.batch * dims.clusters * quads;
                self.means.run(recorder, params, &[labels, weights, means, to_weights, to_means], threads)?;
                let kernel = match args.covariances {
                    Covariances::Diagonal(_) => &self.from_diagonal,
                    Covariances::Full(_) => &self.from_full,
                };
                let to = args.merged_covariances.raw()?;
                let bindings = [labels, weights, means, covariances.raw()?, to_weights, to_means, to];
                kernel.run(recorder, params, &bindings, threads * dims.width)
            }
        }
    }
}
