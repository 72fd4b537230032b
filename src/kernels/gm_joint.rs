//! The GM layer for regression whose output weight and β are jointly Gaussian (Appendix A.1).
//!
//! With the inputs `x̃ = (0, x)` and a component's weights `β̃ = (ω, β) ~ N(μ_k, C_k C_kᵀ)`, `⟨β̃, x̃⟩ = ⟨β, x⟩` and ω is the
//! function `⟨e_0, β̃⟩` of `β̃`. So `1/K Σ E[ω relu(⟨β, x⟩)] = 1/K Σ (μ_ω A + q F)` is the layer with full covariances at `x̃`
//! whose `U_k = e_0ᵀ` and `v_k = 0` stay: Stein's lemma gives the closed forms of the appendix. No kernel of its own is needed but
//! the one that puts the 0 before `x`; `reference::joint_regression` is written from the appendix and checks it.

use super::gm_backward::{GmBackward, GmBackwardArgs};
use super::gm_forward::{GmForward, GmForwardArgs};
use super::gm_state::GmState;
use super::shift_columns::{ShiftColumns, ShiftColumnsArgs};
use crate::Result;
use crate::device::{Buffer, Device, Stream};
use crate::shape::GmDims;

/// The layer at one minibatch size, with what the forward pass leaves for the backward pass.
pub struct GmJoint {
    inputs: usize,
    forward: GmForward,
    backward: GmBackward,
    shift: ShiftColumns,
    state: GmState,
    /// `(0, x)`, `[R, B, (1+d)p]`.
    x: Buffer<f32>,
    /// The gradient with respect to it; made when it is first asked for.
    dx: Option<Buffer<f32>>,
    device: Device,
}

/// Arguments of [`GmJoint::forward`].
pub struct GmJointForwardArgs<'a> {
    /// Inputs `[slots, R, B, dp]`.
    pub x: &'a Buffer<f32>,
    /// The block of `x` to take.
    pub slot: usize,
    /// Parameters `[R, P]`, layout of [`GmDims`] with `1 + d` inputs, of which `u` is `e_0`.
    pub params: &'a Buffer<f32>,
    /// Outputs `[R, B, 4]`, of which the first column counts; overwritten.
    pub h: &'a mut Buffer<f32>,
}

/// Arguments of [`GmJoint::backward`].
pub struct GmJointBackwardArgs<'a> {
    /// Parameters `[R, P]`, as in the forward pass.
    pub params: &'a Buffer<f32>,
    /// `∂loss/∂h`, `[R, B, 4]`.
    pub dh: &'a Buffer<f32>,
    /// Gradients `[R, P]`, overwritten; those of μ and root count.
    pub grads: &'a mut Buffer<f32>,
    /// `∂loss/∂x`, `[R, B, dp]`, overwritten.
    pub dx: Option<&'a mut Buffer<f32>>,
}

impl GmJoint {
    /// The sizes with which a layer of `inputs` inputs is run.
    pub fn dims(runs: usize, batch: usize, components: usize, inputs: usize) -> GmDims {
        GmDims { runs, batch, components, inputs: inputs + 1, outputs: 1, rank: inputs + 1 }
    }

    /// A layer of `components` components and `inputs` inputs for minibatches of `batch` rows of each of `runs` runs.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] where a size is 0; [`crate::Error::Limit`] or [`crate::Error::Gpu`] where the device cannot hold
    /// it or refuses a shader.
    pub fn new(device: &Device, runs: usize, batch: usize, components: usize, inputs: usize) -> Result<Self> {
        let dims = Self::dims(runs, batch, components, inputs);
        Ok(Self {
            inputs,
            forward: GmForward::new(device, dims)?,
            backward: GmBackward::new(device, dims)?,
            shift: ShiftColumns::new(device)?,
            state: GmState::new(device, dims)?,
            x: Buffer::zeros(device, dims.x_len())?,
            dx: None,
            device: device.clone(),
        })
    }

    /// Records the forward pass.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] where an array does not fit; otherwise what the driver reports.
    pub fn forward(&mut self, stream: &mut Stream, args: GmJointForwardArgs<'_>) -> Result<()> {
        let columns = [self.inputs, self.inputs + 1];
        let GmJointForwardArgs { x, slot, params, h } = args;
        self.shift.record(stream, ShiftColumnsArgs { columns, lead: 1, from: x, slot, to: &mut self.x })?;
        self.forward.record(stream, GmForwardArgs { x: &self.x, slot: 0, params, state: &mut self.state, h })
    }

    /// Records the backward pass of the last forward pass.
    ///
    /// # Errors
    /// As [`GmJoint::forward`].
    pub fn backward(&mut self, stream: &mut Stream, args: GmJointBackwardArgs<'_>) -> Result<()> {
        let GmJointBackwardArgs { params, dh, grads, dx } = args;
        if dx.is_some() && self.dx.is_none() {
            self.dx = Some(Buffer::zeros(&self.device, self.x.len())?);
        }
        let state = &mut self.state;
        let wanted = if dx.is_some() { self.dx.as_mut() } else { None };
        self.backward.record(stream, GmBackwardArgs { x: &self.x, slot: 0, params, state, dh, grads, dx: wanted })?;
        let (Some(to), Some(from)) = (dx, &self.dx) else { return Ok(()) };
        let columns = [self.inputs + 1, self.inputs];
        self.shift.record(stream, ShiftColumnsArgs { columns, lead: -1, from, slot: 0, to })
    }
}
