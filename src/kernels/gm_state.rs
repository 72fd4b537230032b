//! What the forward pass of a GM layer leaves for its backward pass, and the scratch of both.

use crate::Result;
#[cfg(feature = "gpu")]
use crate::device::Buffer;
use crate::device::Device;
use crate::reference::gm_layer::Workspace;
use crate::shape::GmDims;

/// Scratch and intermediate results of one GM layer at one minibatch size, on one device.
pub struct GmState {
    dims: GmDims,
    pub(super) inner: Inner,
}

#[allow(clippy::large_enum_variant)] // one per layer
pub(super) enum Inner {
    Cpu(Workspace<f32>),
    #[cfg(feature = "gpu")]
    Gpu(GpuState),
}

/// Arrays of the shaders; shapes in their headers.
#[cfg(feature = "gpu")]
pub(super) struct GpuState {
    pub(super) plan: super::gm_params::GmPlan,
    /// With one split more than the plan has where covariances are not diagonal.
    pub(super) partial: Buffer<f32>,
    pub(super) sums: Buffer<f32>,
    pub(super) moments: Buffer<f32>,
    pub(super) coef: Buffer<f32>,
    pub(super) contraction: Buffer<f32>,
    pub(super) root: Option<super::gm_root::RootState>,
    /// Stands at the bindings that a variant of a shader does not use.
    pub(super) unused: [Buffer<f32>; 2],
}

impl GmState {
    /// Scratch for a layer of sizes `dims`.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] where a size is 0; [`crate::Error::Limit`] or [`crate::Error::Gpu`] where the device cannot hold it.
    pub fn new(device: &Device, dims: GmDims) -> Result<Self> {
        dims.check("GM layer")?;
        let inner = match device {
            Device::Cpu => Inner::Cpu(Workspace::new(dims)),
            #[cfg(feature = "gpu")]
            Device::Gpu(gpu) => {
                let plan = super::gm_params::GmPlan::of(gpu, &dims);
                let pairs = dims.runs * dims.batch * dims.components;
                let columns = dims.outputs + 2;
                let sums = dims.runs * (dims.batch + 1) * dims.components * columns;
                let row = dims.input_stride() + 4;
                Inner::Gpu(GpuState {
                    plan,
                    partial: Buffer::zeros(device, (plan.splits as usize + usize::from(dims.rank > 0)) * sums)?,
                    sums: Buffer::zeros(device, sums)?,
                    moments: Buffer::zeros(device, 4 * pairs)?,
                    coef: Buffer::zeros(device, 4 * pairs)?,
                    contraction: Buffer::zeros(device, dims.runs * dims.components * columns * row)?,
                    root: super::gm_root::RootState::new(device, &dims)?,
                    unused: [Buffer::zeros(device, 4)?, Buffer::zeros(device, 4)?],
                })
            }
        };
        Ok(Self { dims, inner })
    }

    /// The sizes that this scratch was made for.
    pub fn dims(&self) -> GmDims {
        self.dims
    }

    #[cfg(not(feature = "gpu"))]
    pub(super) fn host(&mut self) -> Result<&mut Workspace<f32>> {
        let Inner::Cpu(workspace) = &mut self.inner;
        Ok(workspace)
    }

    #[cfg(feature = "gpu")]
    pub(super) fn host(&mut self) -> Result<&mut Workspace<f32>> {
        match &mut self.inner {
            Inner::Cpu(workspace) => Ok(workspace),
            Inner::Gpu(_) => Err(wrong_executor("the CPU", "a GPU")),
        }
    }

    /// The plan, and the arrays of a layer whose covariances are not diagonal.
    #[cfg(feature = "gpu")]
    pub(super) fn root(&self) -> Result<(&super::gm_params::GmPlan, &super::gm_root::RootState)> {
        let state = self.gpu()?;
        Ok((&state.plan, state.root.as_ref().ok_or_else(no_root)?))
    }

    #[cfg(feature = "gpu")]
    pub(super) fn gpu(&self) -> Result<&GpuState> {
        match &self.inner {
            Inner::Gpu(state) => Ok(state),
            Inner::Cpu(_) => Err(wrong_executor("a GPU", "the CPU")),
        }
    }
}

#[cfg(feature = "gpu")]
fn no_root() -> crate::Error {
    crate::Error::Shape { op: "GM layer", expected: "a state of rank 1 or more".into(), got: "one of rank 0".into() }
}

#[cfg(feature = "gpu")]
fn wrong_executor(expected: &str, got: &str) -> crate::Error {
    crate::Error::Shape { op: "GM layer", expected: format!("a state of {expected}"), got: format!("one of {got}") }
}
