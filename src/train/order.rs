//! Which training example comes when.

use std::path::Path;

use crate::io::read_npy;
use crate::reference::philox::Philox;
use crate::{Error, Result};

/// Philox streams of shuffling, above those of initialisation.
const SHUFFLE_STREAM: u64 = 1 << 32;

/// The order of the examples of a training set of `n` rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Shuffled afresh every epoch, by seed.
    Shuffled {
        /// Rows of the training set.
        n: u32,
    },
    /// As they come.
    Sequential {
        /// Rows of the training set.
        n: u32,
    },
    /// Minibatches given one by one, the same for every seed and every epoch.
    Given {
        /// Row numbers, `[steps, batch]`.
        rows: Vec<u32>,
    },
}

impl Order {
    /// Reads minibatches from an integer array `[steps, batch]`.
    ///
    /// # Errors
    /// [`Error::Format`] when the file holds no such array, [`Error::Data`] naming an index beyond the `n` rows.
    pub fn read(path: &Path, batch: usize, n: usize) -> Result<Self> {
        let array = read_npy(path)?;
        let Some(values) = array.integers() else {
            return Err(Error::format(path, "an order must hold integers"));
        };
        if array.shape.len() != 2 || array.shape[1] != batch || array.shape[0] == 0 {
            let what = format!("an order must have shape [steps, {batch}] (the batch size), not {:?}", array.shape);
            return Err(Error::format(path, what));
        }
        let rows = values.iter().enumerate().map(|(at, &row)| match u32::try_from(row) {
            Ok(row) if (row as usize) < n => Ok(row),
            _ => {
                let what = format!("step {}, row {}: index {row} is not in 0..{n}", at / batch, at % batch);
                Err(Error::data(path, what))
            }
        });
        Ok(Self::Given { rows: rows.collect::<Result<_>>()? })
    }

    /// Steps of an epoch. The last minibatch of an epoch is filled up from the beginning of the same order, so that
    /// all have `batch` rows.
    pub fn steps_per_epoch(&self, batch: usize) -> u64 {
        match self {
            Self::Shuffled { n } | Self::Sequential { n } => (*n as usize).div_ceil(batch) as u64,
            Self::Given { rows } => (rows.len() / batch) as u64,
        }
    }

    /// The row numbers of one epoch (the first is 0) for one seed, `[steps, batch]`.
    pub fn epoch(&self, seed: u64, epoch: u64, batch: usize) -> Vec<u32> {
        let length = self.steps_per_epoch(batch) as usize * batch;
        let rows = match self {
            Self::Shuffled { n } => Philox::new(seed, SHUFFLE_STREAM + epoch).permutation(*n),
            Self::Sequential { n } => (0..*n).collect(),
            Self::Given { rows } => return rows.clone(),
        };
        rows.iter().cycle().take(length).copied().collect()
    }
}
