//! Random crops and mirror images of the gathered minibatches, named by seed and step: a resumed run sees the same ones.

use super::resident::Minibatches;
use crate::Result;
use crate::device::{Buffer, Device, Stream};
use crate::kernels::augment::Augment;
use crate::nn::Picture;
use crate::reference::augment::moves;
use crate::shape::ImageDims;

/// Philox streams of augmentation, one for each step, above those of dropout.
const AUGMENT_STREAM: u64 = 3 << 32;

/// Augments minibatches, several at a time.
pub(super) struct Augmenter {
    kernel: Augment,
    words: Buffer<u32>,
    /// Takes the places of the gathered inputs.
    spare: Buffer<f32>,
}

impl Augmenter {
    /// For the minibatches in `data`.
    pub(super) fn new(device: &Device, picture: Picture, data: &Minibatches) -> Result<Self> {
        let Picture { channels, height, width } = picture;
        let dims = ImageDims { runs: 1, batch: 1, channels, height, width };
        Ok(Self {
            kernel: Augment::new(device, dims)?,
            words: Buffer::zeros(device, data.x.len() / dims.stride())?,
            spare: Buffer::zeros(device, data.x.len())?,
        })
    }

    /// Records what becomes of the minibatches of `batch` rows in `data`, a run after the other, from step `first` on.
    pub(super) fn record(
        &mut self,
        stream: &mut Stream,
        seeds: &[u64],
        first: u64,
        batch: usize,
        data: &mut Minibatches,
    ) -> Result<()> {
        let steps = (self.words.len() / (seeds.len() * batch)) as u64;
        let of_step = |step: u64| seeds.iter().flat_map(move |&seed| moves(seed, AUGMENT_STREAM + step, batch));
        let words: Vec<u32> = (first..first + steps).flat_map(of_step).collect();
        stream.write(&mut self.words, 0, &words)?;
        self.kernel.record(stream, &self.words, &data.x, &mut self.spare)?;
        std::mem::swap(&mut data.x, &mut self.spare);
        Ok(())
    }
}
