//! Squared 2-Wasserstein distances between all pairs of two lists of Gaussians.

use super::sweeps::Sweeps;
use super::symmetric_eigen::{EigenPairs, SymmetricEigen};
use super::{Kernel, Threads};
use crate::device::{Buffer, Device, Stream};
use crate::reference::gaussian_w2 as host;
pub use crate::reference::gaussian_w2::{LARGEST_WIDTH, PairDims};
#[cfg(feature = "gpu")]
use crate::shape::stride;
use crate::{Error, Result};

/// Cosine between rows that is accepted where one-sided Jacobi has not converged: it moves a distance by its square.
const ACCEPTED_COSINE: f32 = 1e-4;

/// Two lists of Gaussians for each of `B` problems, and where their distances go.
pub struct GaussianW2Args<'a> {
    /// Means `[B, p, np]` of the first lists.
    pub left_means: &'a Buffer<f32>,
    /// Their variances `[B, p, np]` or covariances `[B, p, n, np]`.
    pub left_covariances: &'a Buffer<f32>,
    /// Means `[B, q, np]` of the second lists.
    pub right_means: &'a Buffer<f32>,
    /// Their variances `[B, q, np]` or covariances `[B, q, n, np]`.
    pub right_covariances: &'a Buffer<f32>,
}

impl GaussianW2Args<'_> {
    fn lens(&self, out: usize) -> [usize; 5] {
        let [m1, m2] = [self.left_means.len(), self.right_means.len()];
        [m1, self.left_covariances.len(), m2, self.right_covariances.len(), out]
    }

    fn hosts(&self) -> Result<[host::List<'_, f32>; 2]> {
        Ok([
            host::List { means: self.left_means.host()?, covariances: self.left_covariances.host()? },
            host::List { means: self.right_means.host()?, covariances: self.right_covariances.host()? },
        ])
    }
}

/// Distances of Gaussians with diagonal covariances: `Σ (m₁ − m₂)² + (√s₁ − √s₂)²`.
pub struct GaussianW2Diagonal {
    #[cfg_attr(not(feature = "gpu"), allow(dead_code))]
    kernel: Kernel,
}

impl GaussianW2Diagonal {
    /// The operation on `device`.
    ///
    /// # Errors
    /// [`Error::Gpu`] where the driver refuses the shader.
    pub fn new(device: &Device) -> Result<Self> {
        Ok(Self { kernel: Kernel::of(device, "gaussian_w2_diagonal", &[], Threads::Long)? })
    }

    /// Records the squared distances `out [B, p, q]`.
    ///
    /// # Errors
    /// [`Error::Shape`] where an array does not fit `dims`; otherwise what the driver reports.
    pub fn record(
        &self,
        stream: &mut Stream,
        dims: PairDims,
        args: GaussianW2Args<'_>,
        out: &mut Buffer<f32>,
    ) -> Result<()> {
        dims.check(args.lens(out.len()), 1)?;
        match stream {
            Stream::Cpu => {
                let [left, right] = args.hosts()?;
                host::diagonal(dims, left, right, out.host_mut()?)
            }
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => {
                let quads = stride(dims.width) / 4;
                let params = [dims.pairs(), dims.left, dims.right, quads].map(|size| size as u32);
                let (m1, m2) = (args.left_means.raw()?, args.right_means.raw()?);
                let bindings = [m1, args.left_covariances.raw()?, m2, args.right_covariances.raw()?, out.raw()?];
                self.kernel.run(recorder, bytemuck::cast_slice(&params), &bindings, dims.pairs())
            }
        }
    }
}

/// Distances of Gaussians with full covariances of at most [`LARGEST_WIDTH`] dimensions, singular or not: eigenpairs of every covariance, then
/// singular values for every pair, both by one-sided Jacobi. Keeps the scratch of lists of one size.
#[cfg_attr(not(feature = "gpu"), allow(dead_code))]
pub struct GaussianW2Full {
    dims: PairDims,
    eigen: [SymmetricEigen; 2],
    lists: [EigenPairs; 2],
    start: Kernel,
    sweeps: Sweeps,
    finish: Kernel,
    rows: Buffer<f32>,
    worst: Buffer<f32>,
}

impl GaussianW2Full {
    /// For lists of sizes `dims`.
    ///
    /// # Errors
    /// [`Error::Limit`] for a width above [`LARGEST_WIDTH`] and where the scratch does not fit; [`Error::Gpu`] where the driver refuses
    /// a shader.
    pub fn new(device: &Device, dims: PairDims) -> Result<Self> {
        dims.check_width()?;
        let n = dims.width;
        // The CPU works in f64 and needs no room on the device.
        let [left, right, pairs] =
            if device.is_cpu() { [0; 3] } else { [dims.batch * dims.left, dims.batch * dims.right, dims.pairs()] };
        Ok(Self {
            dims,
            eigen: [SymmetricEigen::new(device, n, left)?, SymmetricEigen::new(device, n, right)?],
            lists: [EigenPairs::new(device, n, left)?, EigenPairs::new(device, n, right)?],
            start: Kernel::new(device, "gaussian_w2_start", &[])?,
            sweeps: Sweeps::new(device, "singular_sweep")?,
            finish: Kernel::new(device, "gaussian_w2_finish", &[])?,
            rows: Buffer::zeros(device, pairs * n * n)?,
            worst: Buffer::zeros(device, 2 * pairs)?,
        })
    }

    /// Records the squared distances `out [B, p, q]`. [`GaussianW2Full::check`] says whether they are good.
    ///
    /// # Errors
    /// [`Error::Shape`] where an array does not fit the sizes; on the CPU [`Error::Numeric`] for numbers that are not finite; otherwise what
    /// the driver reports.
    pub fn record(&mut self, stream: &mut Stream, args: GaussianW2Args<'_>, out: &mut Buffer<f32>) -> Result<()> {
        self.dims.check(args.lens(out.len()), self.dims.width)?;
        match stream {
            Stream::Cpu => {
                let [left, right] = args.hosts()?;
                host::full(self.dims, left, right, out.host_mut()?)
            }
            #[cfg(feature = "gpu")]
            Stream::Gpu(_) => {
                self.eigen[0].record(stream, args.left_covariances, &mut self.lists[0])?;
                self.eigen[1].record(stream, args.right_covariances, &mut self.lists[1])?;
                let Stream::Gpu(recorder) = stream else { return Ok(()) };
                self.pairs(recorder, &args, out)
            }
        }
    }

    /// From eigenpairs to distances.
    #[cfg(feature = "gpu")]
    fn pairs(
        &self,
        recorder: &mut crate::gpu::Recorder,
        args: &GaussianW2Args<'_>,
        out: &mut Buffer<f32>,
    ) -> Result<()> {
        let (dims, pairs) = (self.dims, self.dims.pairs());
        let sizes = [dims.width, stride(dims.width), dims.left, dims.right, pairs, 0, 0, 0].map(|size| size as u32);
        let params = bytemuck::cast_slice(&sizes);
        let [left, right] = &self.lists;
        let (rows, worst) = (self.rows.raw()?, self.worst.raw()?);
        let (l1, l2) = (left.values.raw()?, right.values.raw()?);
        let bindings = [left.vectors.raw()?, right.vectors.raw()?, l1, l2, rows, worst];
        self.start.run(recorder, params, &bindings, pairs * dims.width * dims.width)?;
        self.sweeps.run(recorder, [dims.width, pairs], &[rows, worst])?;
        let bindings = [args.left_means.raw()?, args.right_means.raw()?, l1, l2, rows, out.raw()?];
        self.finish.run(recorder, params, &bindings, pairs)
    }

    /// Reads back how good the last distances are, and refuses them where an eigenpair or a singular value is bad. On the CPU the
    /// decompositions have checked themselves.
    ///
    /// # Errors
    /// [`Error::Numeric`] naming what is bad; otherwise what the driver reports.
    pub fn check(&self, stream: &mut Stream) -> Result<()> {
        for list in &self.lists {
            list.check(stream, self.dims.width)?;
        }
        for (pair, worst) in stream.read(&self.worst)?.chunks_exact(2).enumerate() {
            let cosine = worst[1];
            if cosine.is_nan() || cosine > ACCEPTED_COSINE {
                let what = format!("pair {pair}: singular vectors are {cosine:.1e} from orthogonal");
                return Err(Error::numeric("Gaussian distances", what));
            }
        }
        Ok(())
    }
}
