//! Grid signatures of many Gaussians.

use super::Kernel;
use crate::Result;
use crate::device::{Buffer, Device, Stream};
use crate::math::quantizer::Quantizer;
use crate::reference::signature as host;
pub use crate::reference::signature::SignatureDims;
use crate::shape::stride;

/// Points in place of Gaussians (Corollary 11); see [`host::grid`].
#[cfg_attr(not(feature = "gpu"), allow(dead_code))]
pub struct Signatures {
    dims: SignatureDims,
    by_axis: Kernel,
    by_vector: Kernel,
    /// [`host::Quantizers`]' points, then its distortions.
    quantizers: Buffer<f32>,
}

/// Where Gaussians are cut.
#[derive(Clone, Copy)]
pub enum Directions<'a> {
    /// Coordinates `[C, k]`, of diagonal covariances. One outside of the space is no direction.
    Axes(&'a Buffer<u32>),
    /// Unit eigenvectors `[C, k, np]`.
    Vectors(&'a Buffer<f32>),
}

/// Arguments of [`Signatures`].
pub struct SignaturesArgs<'a> {
    /// Means `[C, np]`.
    pub means: &'a Buffer<f32>,
    /// Where they are cut.
    pub directions: Directions<'a>,
    /// Variances along the directions `[C, k]`, then the variance along all others, `[C]`.
    pub values: &'a Buffer<f32>,
    /// Points along the directions, `[C, k]`, at least 1 each; their product is at most `P`.
    pub shape: &'a Buffer<u32>,
    /// `[C, P]`, 0 past a signature's own points, overwritten.
    pub masses: &'a mut Buffer<f32>,
    /// `[C, P, np]`, overwritten.
    pub locations: &'a mut Buffer<f32>,
    /// Squared distances to the Gaussians `[C]`, overwritten.
    pub distances: &'a mut Buffer<f32>,
}

impl Signatures {
    /// For signatures of sizes `dims`.
    ///
    /// # Errors
    /// [`crate::Error::Config`] for no points or more than the quantizers have; [`crate::Error::Gpu`] where the driver refuses a shader.
    pub fn new(device: &Device, dims: SignatureDims) -> Result<Self> {
        let mut table = Vec::with_capacity(dims.points * (dims.points + 2));
        let mut distortions = Vec::with_capacity(dims.points);
        for n in 1..=dims.points.max(1) {
            let quantizer = Quantizer::optimal(n)?;
            let pairs = quantizer.locations().iter().zip(quantizer.masses());
            table.extend(pairs.flat_map(|(&location, &mass)| [location as f32, mass as f32]));
            distortions.push(quantizer.distortion() as f32);
        }
        table.append(&mut distortions);
        Ok(Self {
            dims: SignatureDims { points: dims.points.max(1), ..dims },
            by_axis: Kernel::new(device, "signature", &[("MODE", 0)])?,
            by_vector: Kernel::new(device, "signature", &[("MODE", 1)])?,
            quantizers: Buffer::from_vec(device, table)?,
        })
    }

    /// Records them.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] where an array does not fit the sizes; otherwise what the driver reports.
    pub fn record(&self, stream: &mut Stream, args: SignaturesArgs<'_>) -> Result<()> {
        let dims = self.dims;
        let (directions, direction) = match args.directions {
            Directions::Axes(axes) => (axes.len(), 1),
            Directions::Vectors(vectors) => (vectors.len(), stride(dims.width)),
        };
        let cuts = dims.components * dims.cuts;
        let rest = args.values.len().saturating_sub(cuts);
        let results = [args.masses.len(), args.locations.len(), args.distances.len()];
        let given = [args.means.len(), directions, args.values.len() - rest, args.shape.len(), rest];
        dims.check(given, results, direction)?;
        let pairs = dims.points * (dims.points + 1);
        match stream {
            Stream::Cpu => {
                let (points, distortions) = self.quantizers.host()?.split_at(pairs);
                let (values, rest) = args.values.host()?.split_at(cuts);
                let directions = match args.directions {
                    Directions::Axes(axes) => host::Directions::Axes(axes.host()?),
                    Directions::Vectors(vectors) => host::Directions::Vectors(vectors.host()?),
                };
                let (means, shape) = (args.means.host()?, args.shape.host()?);
                let of = host::Gaussians { means, directions, values, shape, rest };
                let (masses, locations) = (args.masses.host_mut()?, args.locations.host_mut()?);
                let quantizers = host::Quantizers { points, distortions };
                host::grid(dims, of, quantizers, masses, locations, args.distances.host_mut()?)
            }
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => {
                let sizes = [dims.components, stride(dims.width) / 4, dims.cuts, dims.points, dims.points, pairs, 0, 0];
                let params = sizes.map(|size| size as u32);
                let (kernel, directions) = match args.directions {
                    Directions::Axes(axes) => (&self.by_axis, axes.raw()?),
                    Directions::Vectors(vectors) => (&self.by_vector, vectors.raw()?),
                };
                let (means, values, shape) = (args.means.raw()?, args.values.raw()?, args.shape.raw()?);
                let (masses, locations) = (args.masses.raw()?, args.locations.raw()?);
                let quantizers = self.quantizers.raw()?;
                let bindings = [means, directions, values, shape, quantizers, masses, locations, args.distances.raw()?];
                kernel.run(recorder, bytemuck::cast_slice(&params), &bindings, dims.locations_len() / 4)
            }
        }
    }
}
