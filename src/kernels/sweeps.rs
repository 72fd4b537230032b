//! Sweeps of one-sided Jacobi.

use super::{Kernel, Threads};
use crate::Result;
use crate::device::Device;
#[cfg(feature = "gpu")]
use crate::gpu::{RawBuffer, Recorder};

/// Sweeps that are recorded; 6 to 10 are usual, and those after convergence return at once.
#[cfg(feature = "gpu")]
const SWEEPS: usize = 16;

/// Turns of a thread's loops in one dispatch. Mesa's software adapter ends every loop after 65,535, all loops of a thread together.
#[cfg(feature = "gpu")]
const TURNS: usize = 50_000;

/// A shader that includes `common/hestenes.wgsl`.
#[cfg_attr(not(feature = "gpu"), allow(dead_code))]
pub(super) struct Sweeps {
    kernel: Kernel,
}

impl Sweeps {
    pub(super) fn new(device: &Device, shader: &'static str) -> Result<Self> {
        Ok(Self { kernel: Kernel::of(device, shader, &[], Threads::Long)? })
    }

    /// Records sweeps over `count` matrices of `n` rows.
    #[cfg(feature = "gpu")]
    pub(super) fn run(&self, to: &mut Recorder, [n, count]: [usize; 2], bindings: &[&RawBuffer]) -> Result<()> {
        let rounds = n.next_multiple_of(2).saturating_sub(1);
        let pairs = n.div_ceil(2).div_ceil(self.kernel.lanes()? as usize);
        let at_once = (TURNS / (pairs * (2 * n + 2)).max(1)).max(1);
        for _ in 0..SWEEPS {
            for first in (0..rounds).step_by(at_once) {
                let params = [n, count, first, (first + at_once).min(rounds)].map(|size| size as u32);
                self.kernel.run_groups(to, bytemuck::cast_slice(&params), bindings, count as u64)?;
            }
        }
        Ok(())
    }
}
