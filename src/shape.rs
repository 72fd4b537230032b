//! Shapes shared by the host twins, the kernels and the networks.
//!
//! One layout serves both executors. A matrix is row major and its row stride is the column count rounded up
//! to a multiple of four (so that a GPU thread can load four neighbours at once); pads are zero and stay zero:
//! a zero input and a zero parameter have a zero gradient.

mod images;

use std::ops::Range;

pub use images::{ConvDims, ImageDims, KERNEL, TAPS};

use crate::{Error, Result};

/// The row stride, in elements, of a matrix with `columns` columns.
pub const fn stride(columns: usize) -> usize {
    columns.next_multiple_of(4)
}

/// Sizes of a Gaussian-mixture layer applied to one minibatch of each of several independent runs.
///
/// Parameters of a run lie in one flat array, `mu [K,dp] | sigma [K,dp] | u [K,L,dp] | v [K,Lp] | root [K,R,dp]`, where
/// `dp` and `Lp` are the padded `inputs` and `outputs`; runs follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GmDims {
    /// Independent networks trained at once (the leading dimension of every array).
    pub runs: usize,
    /// Rows `B` of the minibatch of each run.
    pub batch: usize,
    /// Components `K` of the mixture.
    pub components: usize,
    /// Inputs `d`.
    pub inputs: usize,
    /// Outputs `L` (classes less the reference class).
    pub outputs: usize,
    /// Rows `R` of `root_k`, by which a covariance is more than its diagonal: `Σ_k = diag(σ_k²) + root_kᵀ root_k`; 0 for none.
    pub rank: usize,
}

impl GmDims {
    /// Row stride of the inputs and of every parameter that has `d` columns.
    pub const fn input_stride(&self) -> usize {
        stride(self.inputs)
    }

    /// Row stride of the outputs and of `v`.
    pub const fn output_stride(&self) -> usize {
        stride(self.outputs)
    }

    /// Where `mu [K, dp]` lies in a run's parameters.
    pub const fn mu(&self) -> Range<usize> {
        0..self.components * self.input_stride()
    }

    /// Where `sigma [K, dp]` lies in a run's parameters.
    pub const fn sigma(&self) -> Range<usize> {
        let n = self.components * self.input_stride();
        n..2 * n
    }

    /// Where `u [K, L, dp]` lies in a run's parameters.
    pub const fn u(&self) -> Range<usize> {
        let n = self.components * self.input_stride();
        2 * n..(2 + self.outputs) * n
    }

    /// Where `v [K, Lp]` lies in a run's parameters.
    pub const fn v(&self) -> Range<usize> {
        let start = self.u().end;
        start..start + self.components * self.output_stride()
    }

    /// Where `root [K, R, dp]` lies in a run's parameters.
    pub const fn root(&self) -> Range<usize> {
        let start = self.v().end;
        start..start + self.components * self.rank * self.input_stride()
    }

    /// Row stride of what has a column for each row of `root_k`.
    pub const fn rank_stride(&self) -> usize {
        stride(self.rank)
    }

    /// Length of the projections of all runs, `[R, K, B+L, Rp]`: of the minibatch and of `u_k` on the rows of `root_k`.
    pub const fn projections_len(&self) -> usize {
        self.runs * self.components * (self.batch + self.outputs) * self.rank_stride()
    }

    /// Length of one run's parameters, pads included.
    pub const fn params_len(&self) -> usize {
        self.root().end
    }

    /// Length of the inputs of all runs, `[R, B, dp]`.
    pub const fn x_len(&self) -> usize {
        self.runs * self.batch * self.input_stride()
    }

    /// Length of the outputs of all runs, `[R, B, Lp]`.
    pub const fn h_len(&self) -> usize {
        self.runs * self.batch * self.output_stride()
    }

    /// Refuses a layer in which some size is zero.
    ///
    /// # Errors
    /// [`Error::Shape`] naming the sizes.
    pub fn check(&self, op: &'static str) -> Result<()> {
        let sizes = [self.runs, self.batch, self.components, self.inputs, self.outputs];
        if sizes.contains(&0) {
            return Err(Error::Shape { op, expected: "every size at least 1".into(), got: format!("{self:?}") });
        }
        Ok(())
    }

    /// Refuses covariances that are more than their diagonals, which the fused step does not know.
    ///
    /// # Errors
    /// [`Error::Shape`] naming the rank.
    pub fn check_diagonal(&self, op: &'static str) -> Result<()> {
        if self.rank == 0 {
            return Ok(());
        }
        Err(Error::Shape { op, expected: "diagonal covariances, rank 0".into(), got: format!("rank {}", self.rank) })
    }
}

/// Sizes of a dense layer; a run's parameters are `weight [L, dp] | bias [Lp]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DenseDims {
    /// Independent networks trained at once.
    pub runs: usize,
    /// Rows of the minibatch of each run.
    pub batch: usize,
    /// Inputs `d`.
    pub inputs: usize,
    /// Outputs `L`.
    pub outputs: usize,
}

impl DenseDims {
    /// Row stride of the inputs and of the weights.
    pub const fn input_stride(&self) -> usize {
        stride(self.inputs)
    }

    /// Row stride of the outputs; also the padded length of the bias.
    pub const fn output_stride(&self) -> usize {
        stride(self.outputs)
    }

    /// Where `weight [L, dp]` lies in a run's parameters.
    pub const fn weight(&self) -> Range<usize> {
        0..self.outputs * self.input_stride()
    }

    /// Where `bias [Lp]` lies in a run's parameters.
    pub const fn bias(&self) -> Range<usize> {
        let start = self.outputs * self.input_stride();
        start..start + self.output_stride()
    }

    /// Length of one run's parameters, pads included.
    pub const fn params_len(&self) -> usize {
        self.bias().end
    }

    /// Length of the inputs of all runs, `[R, B, dp]`.
    pub const fn x_len(&self) -> usize {
        self.runs * self.batch * self.input_stride()
    }

    /// Length of the outputs of all runs, `[R, B, Lp]`.
    pub const fn h_len(&self) -> usize {
        self.runs * self.batch * self.output_stride()
    }
}

/// Refuses an array whose length is not the one that its shape asks for.
///
/// # Errors
/// [`Error::Shape`] naming the array and both lengths.
pub fn expect_len(op: &'static str, array: &str, got: usize, expected: usize) -> Result<()> {
    if got == expected {
        return Ok(());
    }
    Err(Error::Shape { op, expected: format!("{array} of {expected} elements"), got: format!("{got}") })
}
