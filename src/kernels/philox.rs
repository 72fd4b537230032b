//! Counter-based random words.

use super::Kernel;
use crate::Result;
use crate::device::{Buffer, Device, Stream};
use crate::reference::philox;

/// Fills arrays with the words of a Philox stream; see [`philox::Philox`].
pub struct PhiloxFill {
    #[cfg_attr(not(feature = "gpu"), allow(dead_code))]
    kernel: Kernel,
}

/// Arguments of [`PhiloxFill`].
pub struct PhiloxFillArgs<'a> {
    /// The stream's seed.
    pub seed: u64,
    /// The stream's number.
    pub stream_id: u64,
    /// Block of four words to begin with.
    pub first_block: u64,
    /// The words, overwritten.
    pub words: &'a mut Buffer<u32>,
}

impl PhiloxFill {
    /// The operation on `device`.
    ///
    /// # Errors
    /// [`crate::Error::Gpu`] where the driver refuses the shader.
    pub fn new(device: &Device) -> Result<Self> {
        Ok(Self { kernel: Kernel::new(device, "philox", &[])? })
    }

    /// Records it.
    ///
    /// # Errors
    /// What the driver reports.
    pub fn record(&self, stream: &mut Stream, args: PhiloxFillArgs<'_>) -> Result<()> {
        let split = |wide: u64| [wide as u32, (wide >> 32) as u32];
        let (key, id) = (split(args.seed), split(args.stream_id));
        match stream {
            Stream::Cpu => {
                let blocks = (0u64..).map(|i| args.first_block.wrapping_add(i));
                for (number, words) in blocks.zip(args.words.host_mut()?.chunks_mut(4)) {
                    let [low, high] = split(number);
                    words.copy_from_slice(&philox::block(key, [low, high, id[0], id[1]])[..words.len()]);
                }
                Ok(())
            }
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => {
                let first = split(args.first_block);
                let len = args.words.len();
                let params = [key[0], key[1], id[0], id[1], first[0], first[1], len as u32, 0];
                self.kernel.run(recorder, bytemuck::cast_slice(&params), &[args.words.raw()?], len.div_ceil(4))
            }
        }
    }
}
