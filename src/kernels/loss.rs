//! Losses with their gradients, and the count of wrong predictions.

#[cfg(feature = "gpu")]
use super::Kernel;
use super::slot_range;
use crate::Result;
use crate::device::{Buffer, Device, Stream};
use crate::reference::loss as host;
pub use crate::reference::loss::LossDims;
use crate::shape::expect_len;

/// What the outputs are compared with.
#[derive(Clone, Copy)]
pub enum Target<'a> {
    /// Classes `[slots, R, B]`, multi-class logistic loss.
    Labels {
        /// The classes.
        labels: &'a Buffer<u32>,
        /// Whether class 0 is a reference with logit 0, so that `L` outputs serve `L + 1` classes.
        reference: bool,
    },
    /// Values `[slots, R, B, Lp]`, squared loss.
    Values(&'a Buffer<f32>),
}

/// Mean loss, its gradient and the number of errors of every run's minibatch.
pub struct Loss {
    dims: LossDims,
    #[cfg(feature = "gpu")]
    gpu: Option<GpuLoss>,
}

#[cfg(feature = "gpu")]
struct GpuLoss {
    logistic: Kernel,
    squared: Kernel,
    total: LossTotal,
}

/// Adds the rows' losses; shared with the fused training step.
#[cfg(feature = "gpu")]
pub(super) struct LossTotal {
    kernel: Kernel,
    pub(super) row_losses: Buffer<f32>,
    pub(super) row_errors: Buffer<u32>,
}

/// Arguments of [`Loss`].
pub struct LossArgs<'a> {
    /// Rows that count: the rest pads the last minibatch of an evaluation and gets a zero gradient.
    pub valid: usize,
    /// Outputs `[R, B, Lp]`.
    pub h: &'a Buffer<f32>,
    /// Labels or targets, of every slot.
    pub target: Target<'a>,
    /// The block of the target, of `losses` and of `errors` to take.
    pub slot: usize,
    /// `∂loss/∂h`, `[R, B, Lp]`, overwritten.
    pub dh: &'a mut Buffer<f32>,
    /// Mean losses `[slots, R]`; block `slot` is overwritten.
    pub losses: &'a mut Buffer<f32>,
    /// Numbers of errors `[slots, R]`; block `slot` is overwritten.
    pub errors: &'a mut Buffer<u32>,
}

impl Loss {
    /// For minibatches of sizes `dims` (of which `valid` is not used).
    ///
    /// # Errors
    /// [`crate::Error::Gpu`] where the driver refuses a shader or its scratch.
    #[cfg_attr(not(feature = "gpu"), allow(unused_variables))]
    pub fn new(device: &Device, dims: LossDims) -> Result<Self> {
        Ok(Self {
            dims,
            #[cfg(feature = "gpu")]
            gpu: match device {
                Device::Cpu => None,
                Device::Gpu(_) => Some(GpuLoss {
                    logistic: Kernel::new(device, "logistic", &[])?,
                    squared: Kernel::new(device, "squared", &[])?,
                    total: LossTotal::new(device, dims.runs * dims.batch)?,
                }),
            },
        })
    }

    /// Records the loss.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] where an array does not fit or, on the CPU, naming a label that is not a class;
    /// otherwise what the driver reports.
    pub fn record(&self, stream: &mut Stream, args: LossArgs<'_>) -> Result<()> {
        const OP: &str = "loss";
        let dims = LossDims { valid: args.valid, ..self.dims };
        if dims.valid == 0 || dims.valid > dims.batch {
            let expected = format!("between 1 and {} valid rows", dims.batch);
            return Err(crate::Error::Shape { op: OP, expected, got: dims.valid.to_string() });
        }
        expect_len(OP, "h [R,B,Lp]", args.h.len(), dims.h_len())?;
        expect_len(OP, "dh [R,B,Lp]", args.dh.len(), dims.h_len())?;
        let totals = slot_range(OP, "losses [slots,R]", args.losses.len(), dims.runs, args.slot)?;
        expect_len(OP, "errors [slots,R]", args.errors.len(), args.losses.len())?;
        let target = match args.target {
            Target::Labels { labels, .. } => {
                slot_range(OP, "labels [slots,R,B]", labels.len(), dims.runs * dims.batch, args.slot)?
            }
            Target::Values(targets) => {
                slot_range(OP, "targets [slots,R,B,Lp]", targets.len(), dims.h_len(), args.slot)?
            }
        };
        match stream {
            Stream::Cpu => {
                let (h, dh) = (args.h.host()?, args.dh.host_mut()?);
                let losses = &mut args.losses.host_mut()?[totals.clone()];
                let errors = &mut args.errors.host_mut()?[totals];
                match args.target {
                    Target::Labels { labels, reference } => {
                        host::logistic(dims, reference, h, &labels.host()?[target], dh, losses, errors)
                    }
                    Target::Values(targets) => host::squared(dims, h, &targets.host()?[target], dh, losses, errors),
                }
            }
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => self.run(recorder, dims, &args),
        }
    }

    #[cfg(feature = "gpu")]
    fn run(&self, recorder: &mut crate::gpu::Recorder, dims: LossDims, args: &LossArgs<'_>) -> Result<()> {
        let Some(gpu) = &self.gpu else {
            let (expected, got) = ("a loss made for a GPU".to_owned(), "one made for the CPU".to_owned());
            return Err(crate::Error::Shape { op: "loss", expected, got });
        };
        let (kernel, target, reference) = match args.target {
            Target::Labels { labels, reference } => (&gpu.logistic, labels.raw()?, reference),
            Target::Values(targets) => (&gpu.squared, targets.raw()?, false),
        };
        let params = uniform(&dims, reference, args.slot);
        let (row_losses, row_errors) = (gpu.total.row_losses.raw()?, gpu.total.row_errors.raw()?);
        let bindings = [args.h.raw()?, target, args.dh.raw()?, row_losses, row_errors];
        kernel.run(recorder, bytemuck::cast_slice(&params), &bindings, dims.runs * dims.batch)?;
        gpu.total.run(recorder, &dims, args.slot, args.losses, args.errors)
    }
}

/// `Params` of the loss shaders, in their order.
#[cfg(feature = "gpu")]
fn uniform(dims: &LossDims, reference: bool, slot: usize) -> [u32; 8] {
    let scale = 1.0 / dims.valid as f32;
    let sizes = [dims.runs, dims.batch, dims.outputs, dims.valid].map(|size| size as u32);
    [sizes[0], sizes[1], sizes[2], sizes[3], u32::from(reference), slot as u32, scale.to_bits(), 0]
}

#[cfg(feature = "gpu")]
impl LossTotal {
    pub(super) fn new(device: &Device, rows: usize) -> Result<Self> {
        Ok(Self {
            kernel: Kernel::new(device, "loss_total", &[])?,
            row_losses: Buffer::zeros(device, rows)?,
            row_errors: Buffer::zeros(device, rows)?,
        })
    }

    pub(super) fn run(
        &self,
        recorder: &mut crate::gpu::Recorder,
        dims: &LossDims,
        slot: usize,
        losses: &Buffer<f32>,
        errors: &Buffer<u32>,
    ) -> Result<()> {
        let params = uniform(dims, false, slot);
        let bindings = [self.row_losses.raw()?, self.row_errors.raw()?, losses.raw()?, errors.raw()?];
        self.kernel.run_groups(recorder, bytemuck::cast_slice(&params), &bindings, dims.runs as u64)
    }
}
