//! Activations between layers: ReLU, tanh and the unit norm.

use super::Kernel;
use crate::Result;
use crate::device::{Buffer, Device, Stream};
use crate::reference::activation as host;
use crate::shape::{expect_len, stride};

/// Which activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActivationKind {
    /// `max(h, 0)`, gradient 0 at 0.
    Relu,
    /// `tanh h`.
    Tanh,
    /// `h/‖h‖` for every row of `columns` entries (rows lie `stride(columns)` apart); a zero row stays zero.
    UnitNorm {
        /// Entries of a row, pads not counted.
        columns: usize,
    },
}

/// An activation and its gradient.
#[cfg_attr(not(feature = "gpu"), allow(dead_code))]
pub struct Activation {
    kind: ActivationKind,
    forward: Kernel,
    backward: Kernel,
}

impl Activation {
    /// The activation `kind` on `device`.
    ///
    /// # Errors
    /// [`crate::Error::Gpu`] where the driver refuses a shader.
    pub fn new(device: &Device, kind: ActivationKind) -> Result<Self> {
        let (forward, backward) = match kind {
            ActivationKind::Relu => ("relu", "relu_backward"),
            ActivationKind::Tanh => ("tanh", "tanh_backward"),
            ActivationKind::UnitNorm { .. } => ("unit_norm", "unit_norm_backward"),
        };
        Ok(Self { kind, forward: Kernel::new(device, forward, &[])?, backward: Kernel::new(device, backward, &[])? })
    }

    /// Records `z` from `h`, both of rows padded to a multiple of 4.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] where the lengths differ or are no whole rows; otherwise what the driver reports.
    pub fn forward(&self, stream: &mut Stream, h: &Buffer<f32>, z: &mut Buffer<f32>) -> Result<()> {
        const OP: &str = "activation, forward";
        expect_len(OP, "z", z.len(), h.len())?;
        self.units(OP, h.len())?;
        match stream {
            Stream::Cpu => match self.kind {
                ActivationKind::Relu => host::relu(h.host()?, z.host_mut()?),
                ActivationKind::Tanh => host::tanh(h.host()?, z.host_mut()?),
                ActivationKind::UnitNorm { columns } => host::unit_norm(columns, h.host()?, z.host_mut()?),
            },
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => {
                let [units, width] = self.units(OP, h.len())?;
                let params = [units as u32, width as u32, 0, 0];
                self.forward.run(recorder, bytemuck::cast_slice(&params), &[h.raw()?, z.raw()?], units)
            }
        }
    }

    /// Records `dh` from `h` and `dz`.
    ///
    /// # Errors
    /// As [`Activation::forward`].
    pub fn backward(&self, stream: &mut Stream, h: &Buffer<f32>, dz: &Buffer<f32>, dh: &mut Buffer<f32>) -> Result<()> {
        const OP: &str = "activation, backward";
        expect_len(OP, "dz", dz.len(), h.len())?;
        expect_len(OP, "dh", dh.len(), h.len())?;
        self.units(OP, h.len())?;
        match stream {
            Stream::Cpu => {
                let (h, dz, dh) = (h.host()?, dz.host()?, dh.host_mut()?);
                match self.kind {
                    ActivationKind::Relu => host::relu_backward(h, dz, dh),
                    ActivationKind::Tanh => host::tanh_backward(h, dz, dh),
                    ActivationKind::UnitNorm { columns } => host::unit_norm_backward(columns, h, dz, dh),
                }
            }
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => {
                let [units, width] = self.units(OP, h.len())?;
                let params = [units as u32, width as u32, 0, 0];
                let bindings = [h.raw()?, dz.raw()?, dh.raw()?];
                self.backward.run(recorder, bytemuck::cast_slice(&params), &bindings, units)
            }
        }
    }

    /// What one thread takes (vec4s, or rows) and how many vec4s that is.
    fn units(&self, op: &'static str, len: usize) -> Result<[usize; 2]> {
        let width = match self.kind {
            ActivationKind::Relu | ActivationKind::Tanh => 4,
            ActivationKind::UnitNorm { columns } => stride(columns.max(1)),
        };
        expect_len(op, "h of whole rows", len, len / width * width)?;
        Ok([len / width, width / 4])
    }
}
