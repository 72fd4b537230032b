//! Where a layer's tensors lie in its flat parameters.

use std::ops::Range;

use crate::shape::stride;

/// A tensor of a layer: its name in files, its shape without pads, and where it lies in a run's flat parameters, with
/// rows padded to a multiple of four. A row runs over the last dimension, or over several.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorSpec {
    /// Name, such as `mu`; `layers.i.` stands before it in files.
    pub name: &'static str,
    /// Shape, last dimension fastest.
    pub shape: Vec<usize>,
    /// Its range in the flat parameters of one run, pads included.
    pub range: Range<usize>,
    /// Values of a row, its pad not counted.
    width: usize,
    /// Whether its matrices, which are square, lie transposed in the flat parameters.
    transposed: bool,
}

impl TensorSpec {
    pub(super) fn new(name: &'static str, shape: &[usize], range: Range<usize>) -> Self {
        Self { name, shape: shape.to_vec(), range, width: shape.last().copied().unwrap_or(1), transposed: false }
    }

    /// Square matrices that the flat parameters hold transposed: products want the rows of `C_kᵀ`.
    pub(super) fn transposed(name: &'static str, shape: &[usize], range: Range<usize>) -> Self {
        Self { transposed: true, ..Self::new(name, shape, range) }
    }

    /// The same tensor with rows over several of its last dimensions.
    pub(super) fn in_rows_of(self, width: usize) -> Self {
        Self { width, ..self }
    }

    /// Copies the tensor out of a run's flat parameters, without pads.
    pub fn unpack(&self, params: &[f32]) -> Vec<f32> {
        let width = self.width;
        let rows = params[self.range.clone()].chunks(stride(width));
        self.turned(rows.flat_map(|row| &row[..width]).copied().collect())
    }

    /// Copies the tensor's values, without pads, into a run's flat parameters. Lengths must agree.
    pub fn pack(&self, values: &[f32], params: &mut [f32]) {
        let width = self.width;
        let values = self.turned(values.to_vec());
        for (row, values) in params[self.range.clone()].chunks_mut(stride(width)).zip(values.chunks(width)) {
            row[..width].copy_from_slice(values);
        }
    }

    /// The values with every matrix transposed, where it lies so.
    fn turned(&self, mut values: Vec<f32>) -> Vec<f32> {
        if self.transposed {
            let n = self.width;
            for matrix in values.chunks_exact_mut(n * n) {
                for i in 0..n {
                    for j in 0..i {
                        matrix.swap(i * n + j, j * n + i);
                    }
                }
            }
        }
        values
    }
}
