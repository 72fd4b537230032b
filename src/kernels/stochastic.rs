//! Samples of stochastic dense layers and of dropout.

use super::{Kernel, Threads};
use crate::device::{Buffer, Device, Stream};
use crate::reference::stochastic as host;
pub use crate::reference::stochastic::Draw;
use crate::shape::{DenseDims, expect_len};
use crate::{Error, Result};

/// Independent normal numbers with given means and variances; see [`host::gaussians`]. With the parameters of a layer for means and
/// variances they are weights, which [`Dense`](super::dense::Dense) takes as the parameters of so many runs.
pub struct GaussianDraws {
    #[cfg_attr(not(feature = "gpu"), allow(dead_code))]
    kernel: Kernel,
}

impl GaussianDraws {
    /// The operation on `device`.
    ///
    /// # Errors
    /// [`Error::Gpu`] where the driver refuses the shader.
    pub fn new(device: &Device) -> Result<Self> {
        Ok(Self { kernel: Kernel::new(device, "gaussian_draws", &[])? })
    }

    /// Records `out [rows, width]`, `width` a multiple of 4; row `r` has the law of row `r mod given` of `mean` and `variance`,
    /// `[given, width]`.
    ///
    /// # Errors
    /// [`Error::Shape`] where the lengths do not fit; otherwise what the driver reports.
    pub fn record(
        &self,
        stream: &mut Stream,
        width: usize,
        draw: Draw,
        [mean, variance]: [&Buffer<f32>; 2],
        out: &mut Buffer<f32>,
    ) -> Result<()> {
        host::check_draws(width, mean.len(), variance.len(), out.len())?;
        match stream {
            Stream::Cpu => host::gaussians(width, draw, mean.host()?, variance.host()?, out.host_mut()?),
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => {
                let mut params = stream_words(draw, width).to_vec();
                params.extend([out.len() / 4, mean.len() / 4].map(|size| size as u32));
                let bindings = [mean.raw()?, variance.raw()?, out.raw()?];
                self.kernel.run(recorder, bytemuck::cast_slice(&params), &bindings, out.len() / 4)
            }
        }
    }
}

/// One stochastic dense layer by local reparametrisation: `z = M a + b̄ + √(V a² + B) ∘ ξ`, every row with noise of its own. Keeps the law's
/// scratch.
#[cfg_attr(not(feature = "gpu"), allow(dead_code))]
pub struct StochasticDense {
    dims: DenseDims,
    law: Kernel,
    draws: GaussianDraws,
    mean: Buffer<f32>,
    variance: Buffer<f32>,
}

/// Arguments of [`StochasticDense`].
pub struct StochasticDenseArgs<'a> {
    /// Random numbers to take.
    pub draw: Draw,
    /// Inputs `[B, dp]`.
    pub x: &'a Buffer<f32>,
    /// `M` and `b̄`, layout of [`DenseDims`].
    pub means: &'a Buffer<f32>,
    /// `V` and `B`, the same layout, not negative.
    pub variances: &'a Buffer<f32>,
    /// Samples `[rows, Lp]`, overwritten: row `r` is one of input `r mod B`. Pads are 0.
    pub z: &'a mut Buffer<f32>,
}

impl StochasticDense {
    /// For inputs of sizes `dims`, of one run.
    ///
    /// # Errors
    /// [`Error::Shape`] for more runs; [`Error::Gpu`] where the driver refuses a shader; [`Error::Limit`] where the scratch does not fit.
    pub fn new(device: &Device, dims: DenseDims) -> Result<Self> {
        if dims.runs != 1 {
            let (expected, got) = ("one run".to_owned(), dims.runs.to_string());
            return Err(Error::Shape { op: "stochastic layer", expected, got });
        }
        Ok(Self {
            dims,
            law: Kernel::of(device, "stochastic_law", &[], Threads::Long)?,
            draws: GaussianDraws::new(device)?,
            mean: Buffer::zeros(device, dims.h_len())?,
            variance: Buffer::zeros(device, dims.h_len())?,
        })
    }

    /// Records samples of the layer's outputs.
    ///
    /// # Errors
    /// [`Error::Shape`] where an array does not fit the sizes; otherwise what the driver reports.
    pub fn record(&mut self, stream: &mut Stream, args: StochasticDenseArgs<'_>) -> Result<()> {
        const OP: &str = "stochastic layer";
        let dims = self.dims;
        expect_len(OP, "x [B,dp]", args.x.len(), dims.x_len())?;
        expect_len(OP, "means of the weights [P]", args.means.len(), dims.params_len())?;
        expect_len(OP, "variances of the weights [P]", args.variances.len(), dims.params_len())?;
        match stream {
            Stream::Cpu => {
                let (x, means, variances) = (args.x.host()?, args.means.host()?, args.variances.host()?);
                host::law(dims, x, means, variances, self.mean.host_mut()?, self.variance.host_mut()?)?;
            }
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => {
                let blocks = dims.batch.div_ceil(4);
                let sizes = [1, dims.batch, dims.input_stride() / 4, dims.outputs, blocks, 0, 0, 0];
                let params = sizes.map(|size| size as u32);
                let (means, variances) = (args.means.raw()?, args.variances.raw()?);
                let bindings = [args.x.raw()?, means, variances, self.mean.raw()?, self.variance.raw()?];
                let threads = blocks * dims.output_stride() / 4;
                self.law.run(recorder, bytemuck::cast_slice(&params), &bindings, threads)?;
            }
        }
        self.draws.record(stream, dims.output_stride(), args.draw, [&self.mean, &self.variance], args.z)
    }
}

/// Inverted dropout with random words that host and device agree on; see [`host::dropout`].
pub struct Dropout {
    p: f32,
    #[cfg_attr(not(feature = "gpu"), allow(dead_code))]
    kernel: Kernel,
}

impl Dropout {
    /// Drops entries with probability `p`.
    ///
    /// # Errors
    /// [`Error::Config`] for a probability outside `[0, 1)`; [`Error::Gpu`] where the driver refuses the shader.
    pub fn new(device: &Device, p: f32) -> Result<Self> {
        if !(0.0..1.0).contains(&p) {
            return Err(Error::Config(format!("dropout is {p}; a probability in [0, 1) is needed")));
        }
        Ok(Self { p, kernel: Kernel::new(device, "dropout", &[])? })
    }

    /// Records `out` from `x`, both `[rows, width]`, `width` a multiple of 4.
    ///
    /// # Errors
    /// [`Error::Shape`] where the lengths do not fit; otherwise what the driver reports.
    pub fn record(
        &self,
        stream: &mut Stream,
        width: usize,
        draw: Draw,
        x: &Buffer<f32>,
        out: &mut Buffer<f32>,
    ) -> Result<()> {
        self.record_runs(stream, width, &[draw], x, out)
    }

    /// Records `out` from `x`, both `[R, rows, width]`, each run with random numbers of its own.
    ///
    /// # Errors
    /// As [`Dropout::record`].
    pub fn record_runs(
        &self,
        stream: &mut Stream,
        width: usize,
        draws: &[Draw],
        x: &Buffer<f32>,
        out: &mut Buffer<f32>,
    ) -> Result<()> {
        host::check_draws(width, x.len(), x.len(), out.len())?;
        expect_len("dropout", "results", out.len(), x.len())?;
        let run = x.len() / width / draws.len().max(1) * width;
        expect_len("dropout", "rows of as many runs as there are seeds", x.len(), run * draws.len())?;
        match stream {
            Stream::Cpu => {
                let runs = x.host()?.chunks_exact(run).zip(out.host_mut()?.chunks_exact_mut(run));
                draws.iter().zip(runs).try_for_each(|(&draw, (x, out))| host::dropout(width, draw, self.p, x, out))
            }
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => {
                let scale = (1.0 / (1.0 - f64::from(self.p))) as f32;
                let sizes = [(run / 4) as u32, host::dropout_threshold(self.p), scale.to_bits()];
                draws.iter().enumerate().try_for_each(|(at, &draw)| {
                    let mut params = stream_words(draw, width).to_vec();
                    params.extend(sizes);
                    params.extend([(at * run / 4) as u32, 0, 0]);
                    self.kernel.run(recorder, bytemuck::cast_slice(&params), &[x.raw()?, out.raw()?], run / 4)
                })
            }
        }
    }
}

/// Seed, stream and first block, low words first, as the shaders take them.
#[cfg(feature = "gpu")]
fn stream_words(draw: Draw, width: usize) -> [u32; 6] {
    let split = |wide: u64| [wide as u32, (wide >> 32) as u32];
    let ([a, b], [c, d], [e, f]) = (split(draw.seed), split(draw.stream), split(draw.first_block(width / 4)));
    [a, b, c, d, e, f]
}
