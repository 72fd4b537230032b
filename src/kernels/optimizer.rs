//! Stochastic gradient descent and Adam on flat parameters.

use super::Kernel;
use crate::device::{Buffer, Device, Stream};
use crate::reference::optimizer as host;
pub use crate::reference::optimizer::{AdamSettings, Group};
use crate::shape::expect_len;
use crate::{Error, Result};

/// Which optimiser a kernel is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptimizerKind {
    /// Plain gradient descent.
    Sgd,
    /// Gradient descent with momentum.
    Momentum,
    /// Adam.
    Adam,
}

impl OptimizerKind {
    /// `MODE` of `shaders/common/optimizer.wgsl`.
    pub(super) fn mode(self) -> u32 {
        match self {
            Self::Sgd => 1,
            Self::Momentum => 2,
            Self::Adam => 3,
        }
    }
}

/// An optimiser's constants and state for one step. State arrays are `[R, P]`, zero before the first step.
pub enum Update<'a> {
    /// `θ ← θ − rate (g + l2 θ)`.
    Sgd,
    /// `b ← decay b + g + l2 θ`, `θ ← θ − rate b`.
    Momentum {
        /// Share of the old direction that is kept.
        decay: f32,
        /// The direction `b`.
        buffer: &'a mut Buffer<f32>,
    },
    /// Adam with bias correction.
    Adam {
        /// Its constants.
        settings: AdamSettings,
        /// Number of this step; the first is 1.
        step: u64,
        /// Running mean of gradients.
        first: &'a mut Buffer<f32>,
        /// Running mean of squared gradients.
        second: &'a mut Buffer<f32>,
    },
}

impl<'a> Update<'a> {
    /// The optimiser that this is a step of.
    pub fn kind(&self) -> OptimizerKind {
        match self {
            Self::Sgd => OptimizerKind::Sgd,
            Self::Momentum { .. } => OptimizerKind::Momentum,
            Self::Adam { .. } => OptimizerKind::Adam,
        }
    }

    pub(super) fn check(&self, op: &'static str, kind: OptimizerKind, len: usize) -> Result<()> {
        if self.kind() != kind {
            let (expected, got) = (format!("a step of {kind:?}"), format!("one of {:?}", self.kind()));
            return Err(Error::Shape { op, expected, got });
        }
        match self {
            Self::Sgd => Ok(()),
            Self::Momentum { buffer, .. } => expect_len(op, "momentum [R,P]", buffer.len(), len),
            Self::Adam { first, second, .. } => {
                expect_len(op, "first moments [R,P]", first.len(), len)?;
                expect_len(op, "second moments [R,P]", second.len(), len)
            }
        }
    }

    /// The factor of the rates, and `settings` of `shaders/common/optimizer.wgsl`.
    #[cfg(feature = "gpu")]
    pub(super) fn uniform(&self) -> (f32, [f32; 4]) {
        match self {
            Self::Sgd => (1.0, [0.0; 4]),
            Self::Momentum { decay, .. } => (1.0, [*decay, 0.0, 0.0, 0.0]),
            Self::Adam { settings, step, .. } => {
                let (scale, root_scale) = host::adam_corrections(*settings, *step);
                (scale as f32, [settings.beta1, settings.beta2, settings.epsilon, root_scale as f32])
            }
        }
    }

    /// The state arrays in the shaders' order, with `unused` where there is none.
    #[cfg(feature = "gpu")]
    pub(super) fn state<'b>(&'b self, unused: &'b [Buffer<f32>; 2]) -> [&'b Buffer<f32>; 2] {
        match self {
            Self::Sgd => [&unused[0], &unused[1]],
            Self::Momentum { buffer, .. } => [&**buffer, &unused[1]],
            Self::Adam { first, second, .. } => [&**first, &**second],
        }
    }

    /// The host twin's rule and state arrays.
    pub(super) fn host(self) -> Result<(host::Rule<f32>, [&'a mut [f32]; 2])> {
        Ok(match self {
            Self::Sgd => (host::Rule::Sgd, Default::default()),
            Self::Momentum { decay, buffer } => {
                (host::Rule::Momentum { decay }, [buffer.host_mut()?, Default::default()])
            }
            Self::Adam { settings, step, first, second } => {
                (host::Rule::adam(settings, step), [first.host_mut()?, second.host_mut()?])
            }
        })
    }
}

/// Most groups that one dispatch takes.
pub const MAX_GROUPS: usize = 4;

/// A step of an optimiser on the parameters of one layer.
pub struct Optimizer {
    kind: OptimizerKind,
    #[cfg_attr(not(feature = "gpu"), allow(dead_code))]
    kernel: Kernel,
    #[cfg(feature = "gpu")]
    unused: Option<[Buffer<f32>; 2]>,
}

/// Arguments of [`Optimizer`].
pub struct OptimizerArgs<'a> {
    /// Length `P` of one run's parameters, a multiple of 4.
    pub params_len: usize,
    /// At most 4 ranges of a run's parameters with their rates, disjoint, bounds multiples of 4; the rest stays as it is.
    pub groups: &'a [Group],
    /// Parameters `[R, P]`, updated.
    pub params: &'a mut Buffer<f32>,
    /// Gradients `[R, P]`.
    pub grads: &'a Buffer<f32>,
    /// The optimiser's constants and state.
    pub update: Update<'a>,
}

impl Optimizer {
    /// An optimiser of `kind` on `device`.
    ///
    /// # Errors
    /// [`Error::Gpu`] where the driver refuses the shader.
    pub fn new(device: &Device, kind: OptimizerKind) -> Result<Self> {
        Ok(Self {
            kind,
            kernel: Kernel::new(device, "optimizer", &[("MODE", kind.mode())])?,
            #[cfg(feature = "gpu")]
            unused: if device.is_cpu() { None } else { Some([Buffer::zeros(device, 4)?, Buffer::zeros(device, 4)?]) },
        })
    }

    /// Records the step.
    ///
    /// # Errors
    /// [`Error::Shape`] where an array or a group does not fit; otherwise what the driver reports.
    pub fn record(&self, stream: &mut Stream, args: OptimizerArgs<'_>) -> Result<()> {
        const OP: &str = "optimiser step";
        expect_len(OP, "gradients [R,P]", args.grads.len(), args.params.len())?;
        args.update.check(OP, self.kind, args.params.len())?;
        check_groups(OP, &args)?;
        match stream {
            Stream::Cpu => {
                let (rule, state) = args.update.host()?;
                host::step(&rule, args.params_len, args.groups, args.params.host_mut()?, args.grads.host()?, state)
            }
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => self.run(recorder, &args),
        }
    }

    #[cfg(feature = "gpu")]
    fn run(&self, recorder: &mut crate::gpu::Recorder, args: &OptimizerArgs<'_>) -> Result<()> {
        let (scale, settings) = args.update.uniform();
        let mut params = Params { settings, ..Params::default() };
        params.sizes = [(args.params_len / 4) as u32, (args.params.len() / 4) as u32, 0, 0];
        for (i, group) in args.groups.iter().enumerate() {
            params.starts[i] = (group.range.start / 4) as u32;
            params.ends[i] = (group.range.end / 4) as u32;
            params.rates[i] = group.rate * scale;
            params.l2[i] = group.l2;
        }
        let Some(unused) = &self.unused else { return Err(wrong_executor()) };
        let [first, second] = args.update.state(unused);
        let bindings = [args.grads.raw()?, args.params.raw()?, first.raw()?, second.raw()?];
        self.kernel.run(recorder, bytemuck::bytes_of(&params), &bindings, args.params.len() / 4)
    }
}

/// Mirrors `Params` of `shaders/optimizer.wgsl`.
#[cfg(feature = "gpu")]
#[repr(C)]
#[derive(Clone, Copy, Default, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    starts: [u32; 4],
    ends: [u32; 4],
    sizes: [u32; 4],
    rates: [f32; 4],
    l2: [f32; 4],
    settings: [f32; 4],
}

#[cfg(feature = "gpu")]
fn wrong_executor() -> Error {
    Error::Shape { op: "optimiser step", expected: "an optimiser made for a GPU".into(), got: "one for the CPU".into() }
}

fn check_groups(op: &'static str, args: &OptimizerArgs<'_>) -> Result<()> {
    let aligned = |group: &Group| {
        let range = &group.range;
        range.start <= range.end
            && range.end <= args.params_len
            && range.start.is_multiple_of(4)
            && range.end.is_multiple_of(4)
    };
    let whole =
        args.params_len.is_multiple_of(4) && args.params_len > 0 && args.params.len().is_multiple_of(args.params_len);
    if whole && args.groups.len() <= MAX_GROUPS && args.groups.iter().all(aligned) {
        return Ok(());
    }
    Err(Error::Shape {
        op,
        expected: format!("at most {MAX_GROUPS} groups within P, all multiples of 4"),
        got: format!("P = {}, {} parameters, groups {:?}", args.params_len, args.params.len(), args.groups),
    })
}
