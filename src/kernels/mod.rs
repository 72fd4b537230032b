//! Operations on either executor: one file per operation with its typed arguments, its shape checks and its dispatch.
//! On a GPU an operation runs a shader of `shaders/`; on the CPU its host twin in [`crate::reference`].

pub mod activation;
pub mod activation_moments;
pub mod augment;
pub mod batch_norm;
pub mod compression;
pub mod conv;
pub mod dense;
pub mod gather;
pub mod gaussian_w2;
pub mod gm_backward;
pub mod gm_forward;
pub mod gm_joint;
#[cfg(feature = "gpu")]
mod gm_params;
#[cfg(feature = "gpu")]
mod gm_root;
pub mod gm_state;
pub mod gm_step;
pub mod gm_weighted;
pub mod loss;
pub mod max_pool;
pub mod optimizer;
pub mod philox;
pub mod propagation;
pub mod relu_moments;
pub mod shift_columns;
pub mod signature;
pub mod simplex_step;
pub mod stochastic;
mod sweeps;
pub mod symmetric_eigen;

#[cfg(feature = "gpu")]
use crate::gpu::{Pipeline, PipelineSpec, RawBuffer, Recorder, fold};
use crate::{Result, device::Device};

/// Threads of a workgroup. On a software adapter a workgroup is one task, so that long threads want one SIMD register's
/// worth (to share the cores evenly) and short ones want many.
#[cfg(feature = "gpu")]
const LANES: u32 = 64;
#[cfg(feature = "gpu")]
const LONG_SOFTWARE_LANES: u32 = 8;

/// How long a thread of a kernel runs.
#[derive(Clone, Copy)]
pub(crate) enum Threads {
    /// A few loads and stores.
    Short,
    /// A loop over inputs or rows, or a workgroup that works together.
    Long,
}

/// A shader compiled for one device; nothing on the CPU.
pub(crate) struct Kernel {
    #[cfg(feature = "gpu")]
    compiled: Option<(Pipeline, u32)>,
}

impl Kernel {
    /// Compiles `shader`, whose threads are short, with the constants `consts` and `LANES`.
    pub(crate) fn new(device: &Device, shader: &'static str, consts: &[(&'static str, u32)]) -> Result<Self> {
        Self::of(device, shader, consts, Threads::Short)
    }

    /// Compiles `shader` with the constants `consts` and `LANES`.
    pub(crate) fn of(
        device: &Device,
        shader: &'static str,
        consts: &[(&'static str, u32)],
        threads: Threads,
    ) -> Result<Self> {
        match device {
            Device::Cpu => {
                let _ = (shader, consts, threads);
                Ok(Self {
                    #[cfg(feature = "gpu")]
                    compiled: None,
                })
            }
            #[cfg(feature = "gpu")]
            Device::Gpu(gpu) => {
                let lanes = match threads {
                    Threads::Long if gpu.is_software() => LONG_SOFTWARE_LANES,
                    _ => LANES,
                };
                let mut all = vec![("LANES", lanes)];
                all.extend_from_slice(consts);
                let pipeline = gpu.pipeline(PipelineSpec::new(shader, &all))?;
                Ok(Self { compiled: Some((pipeline, lanes)) })
            }
        }
    }

    /// Dispatches at least `threads` threads.
    #[cfg(feature = "gpu")]
    pub(crate) fn run(&self, to: &mut Recorder, params: &[u8], bindings: &[&RawBuffer], threads: usize) -> Result<()> {
        let (_, lanes) = self.compiled()?;
        self.run_groups(to, params, bindings, (threads as u64).div_ceil(u64::from(*lanes)))
    }

    /// Dispatches at least `groups` workgroups.
    #[cfg(feature = "gpu")]
    pub(crate) fn run_groups(
        &self,
        to: &mut Recorder,
        params: &[u8],
        bindings: &[&RawBuffer],
        groups: u64,
    ) -> Result<()> {
        to.dispatch(&self.compiled()?.0, params, bindings, fold(groups))
    }

    /// Threads of a workgroup.
    #[cfg(feature = "gpu")]
    pub(crate) fn lanes(&self) -> Result<u32> {
        Ok(self.compiled()?.1)
    }

    #[cfg(feature = "gpu")]
    fn compiled(&self) -> Result<&(Pipeline, u32)> {
        self.compiled.as_ref().ok_or_else(|| crate::Error::Shape {
            op: "executor",
            expected: "an operation made for a GPU".to_owned(),
            got: "one made for the CPU".to_owned(),
        })
    }
}

/// Where block `slot` of blocks of `len` elements lies in an array of `have` elements.
///
/// # Errors
/// [`crate::Error::Shape`] where the array has no such block or is no whole number of blocks.
pub(crate) fn slot_range(
    op: &'static str,
    array: &str,
    have: usize,
    len: usize,
    slot: usize,
) -> Result<std::ops::Range<usize>> {
    if len > 0 && have.is_multiple_of(len) && slot < have / len {
        return Ok(slot * len..(slot + 1) * len);
    }
    Err(crate::Error::Shape {
        op,
        expected: format!("{array} of blocks of {len} elements with a block {slot}"),
        got: format!("{have} elements"),
    })
}
