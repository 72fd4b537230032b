//! Eigenpairs of many small symmetric matrices.

use super::Kernel;
use super::sweeps::Sweeps;
use crate::device::{Buffer, Device, Stream};
use crate::math::eigen;
use crate::reference::gaussian_w2::LARGEST_WIDTH;
use crate::shape::{expect_len, stride};
use crate::{Error, Result};

/// Residual (as part of the largest entry) and orthogonality defect that are accepted, for each dimension: one-sided Jacobi in `f32` stays
/// ten times below.
const ACCEPTED: f32 = 3e-6;

/// Eigenpairs of positive semidefinite matrices of at most [`LARGEST_WIDTH`] rows: on a GPU by one-sided Jacobi, a workgroup a matrix.
#[cfg_attr(not(feature = "gpu"), allow(dead_code))]
pub struct SymmetricEigen {
    width: usize,
    count: usize,
    start: Kernel,
    sweeps: Sweeps,
    finish: Kernel,
    rows: Buffer<f32>,
    worst: Buffer<f32>,
}

/// Eigenpairs of `G` matrices on a device.
pub struct EigenPairs {
    /// Matrices `[G, n, n]` whose columns are the eigenvectors.
    pub vectors: Buffer<f32>,
    /// Eigenvalues `[G, n]`, in no order.
    pub values: Buffer<f32>,
    /// `[G, n, 2]`: of every pair `‖S v − λ v‖` as part of the largest entry of `S`, and how far `v` is from orthogonal to the others and of
    /// length 1.
    pub quality: Buffer<f32>,
}

impl EigenPairs {
    /// Room for the eigenpairs of `count` matrices of `width` rows.
    ///
    /// # Errors
    /// [`Error::Limit`] or [`Error::Gpu`] where the device cannot hold them.
    pub fn new(device: &Device, width: usize, count: usize) -> Result<Self> {
        Ok(Self {
            vectors: Buffer::zeros(device, count * width * width)?,
            values: Buffer::zeros(device, count * width)?,
            quality: Buffer::zeros(device, 2 * count * width)?,
        })
    }

    /// Reads back what [`EigenPairs::quality`] says, and refuses what is bad or not finite.
    ///
    /// # Errors
    /// [`Error::Numeric`] naming the first bad matrix; otherwise what the driver reports.
    pub fn check(&self, stream: &mut Stream, width: usize) -> Result<()> {
        let accepted = ACCEPTED * (width as f32).max(1.0);
        for (at, quality) in stream.read(&self.quality)?.chunks_exact(2).enumerate() {
            if !(quality[0] <= accepted && quality[1] <= accepted) {
                let ([residual, defect], matrix) = ([quality[0], quality[1]], at / width.max(1));
                let what = format!(
                    "matrix {matrix}: residual {residual:.1e} and orthogonality defect {defect:.1e} at {width} × {width}, allowed {accepted:.1e}"
                );
                return Err(Error::numeric("eigenvalues", what));
            }
        }
        Ok(())
    }
}

impl SymmetricEigen {
    /// For `count` matrices of `width` rows.
    ///
    /// # Errors
    /// [`Error::Limit`] for a width above [`LARGEST_WIDTH`] and where the scratch does not fit; [`Error::Gpu`] where the driver refuses
    /// the shader.
    pub fn new(device: &Device, width: usize, count: usize) -> Result<Self> {
        if width > LARGEST_WIDTH {
            let what = format!("rows of a matrix (the eigenvalue kernel takes {LARGEST_WIDTH} at most)");
            return Err(Error::Limit { what, need: width as u64, have: LARGEST_WIDTH as u64 });
        }
        let scratch = if device.is_cpu() { 0 } else { count };
        Ok(Self {
            width,
            count,
            start: Kernel::new(device, "eigen_start", &[])?,
            sweeps: Sweeps::new(device, "eigen_sweep")?,
            finish: Kernel::new(device, "eigen_finish", &[])?,
            rows: Buffer::zeros(device, scratch * width * width)?,
            worst: Buffer::zeros(device, 2 * scratch)?,
        })
    }

    /// Records the eigenpairs of `matrices [G, n, np]`, symmetric and positive semidefinite up to rounding.
    ///
    /// # Errors
    /// [`Error::Shape`] where an array does not fit; on the CPU [`Error::Numeric`] for numbers that are not finite; otherwise what the driver
    /// reports.
    pub fn record(&self, stream: &mut Stream, matrices: &Buffer<f32>, out: &mut EigenPairs) -> Result<()> {
        const OP: &str = "eigenvalues";
        let (n, np) = (self.width, stride(self.width));
        expect_len(OP, "matrices [G,n,np]", matrices.len(), self.count * n * np)?;
        expect_len(OP, "vectors [G,n,n]", out.vectors.len(), self.count * n * n)?;
        expect_len(OP, "values [G,n]", out.values.len(), self.count * n)?;
        expect_len(OP, "quality [G,n,2]", out.quality.len(), 2 * self.count * n)?;
        match stream {
            Stream::Cpu => on_host(n, matrices.host()?, out),
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => {
                let params = [n as u32, np as u32, self.count as u32, 0];
                let params = bytemuck::cast_slice(&params);
                let (matrices, rows, turned) = (matrices.raw()?, self.rows.raw()?, out.vectors.raw()?);
                let worst = self.worst.raw()?;
                self.start.run(recorder, params, &[matrices, rows, turned, worst], self.count * n * n)?;
                self.sweeps.run(recorder, [n, self.count], &[rows, turned, worst])?;
                let bindings = [matrices, turned, rows, out.values.raw()?, out.quality.raw()?];
                self.finish.run(recorder, params, &bindings, self.count * n)
            }
        }
    }
}

/// In `f64`, where the decomposition checks itself.
fn on_host(n: usize, matrices: &[f32], out: &mut EigenPairs) -> Result<()> {
    let np = stride(n).max(1);
    let (vectors, values, quality) = (out.vectors.host_mut()?, out.values.host_mut()?, out.quality.host_mut()?);
    let outputs = vectors.chunks_exact_mut((n * n).max(1)).zip(values.chunks_exact_mut(n.max(1)));
    let outputs = outputs.zip(quality.chunks_exact_mut((2 * n).max(1)));
    for (matrix, ((vectors, values), quality)) in matrices.chunks_exact((n * np).max(1)).zip(outputs) {
        let wide: Vec<f64> = matrix.chunks_exact(np).flat_map(|row| row[..n].iter().map(|&x| f64::from(x))).collect();
        let found = eigen::symmetric(&wide, n)?;
        for (j, (value, vector)) in found.values.iter().zip(found.vectors.chunks_exact(n)).enumerate() {
            values[j] = *value as f32;
            vector.iter().enumerate().for_each(|(e, &x)| vectors[e * n + j] = x as f32);
        }
        for pair in quality.chunks_exact_mut(2) {
            pair.copy_from_slice(&[found.residual as f32, found.defect as f32]);
        }
    }
    Ok(())
}
