//! A step of the Fisher–Rao flow on weights that are positive and sum to 1.

use std::ops::Range;

use super::Kernel;
use crate::device::{Buffer, Device, Stream};
use crate::reference::gm_weights as host;
use crate::{Error, Result};

/// `w_k ∝ w_k exp(−rate (g_k − ḡ))`; see [`host::simplex_step`].
pub struct SimplexStep {
    #[cfg_attr(not(feature = "gpu"), allow(dead_code))]
    kernel: Kernel,
}

/// Arguments of [`SimplexStep`].
pub struct SimplexStepArgs<'a> {
    /// Where the weights lie in a run's parameters, pads left out.
    pub weights: Range<usize>,
    /// Length `P` of a run's parameters.
    pub params_len: usize,
    /// The rate.
    pub rate: f32,
    /// Parameters `[R, P]`, updated.
    pub params: &'a mut Buffer<f32>,
    /// Gradients `[R, P]`.
    pub grads: &'a Buffer<f32>,
}

impl SimplexStep {
    /// The operation on `device`.
    ///
    /// # Errors
    /// [`Error::Gpu`] where the driver refuses the shader.
    pub fn new(device: &Device) -> Result<Self> {
        Ok(Self { kernel: Kernel::new(device, "simplex_step", &[])? })
    }

    /// Records the step.
    ///
    /// # Errors
    /// [`Error::Shape`] where the arrays do not fit; otherwise what the driver reports.
    pub fn record(&self, stream: &mut Stream, args: SimplexStepArgs<'_>) -> Result<()> {
        let SimplexStepArgs { weights, params_len: len, rate, params, grads } = args;
        let whole = len > 0 && params.len().is_multiple_of(len) && grads.len() == params.len();
        if !whole || weights.is_empty() || weights.end > len {
            return Err(Error::Shape {
                op: "step on the simplex",
                expected: "parameters and gradients [R,P] with weights within P".into(),
                got: format!("P = {len}, {} and {} values, weights {weights:?}", params.len(), grads.len()),
            });
        }
        match stream {
            Stream::Cpu => {
                host::simplex_step(weights, len, rate, params.host_mut()?, grads.host()?);
                Ok(())
            }
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => {
                let runs = params.len() / len;
                let [a, b, c, d] = [runs, weights.len(), weights.start, len].map(|size| size as u32);
                let uniform = [a, b, c, d, rate.to_bits(), 0, 0, 0];
                let bindings = [grads.raw()?, params.raw()?];
                self.kernel.run(recorder, bytemuck::cast_slice(&uniform), &bindings, runs)
            }
        }
    }
}
