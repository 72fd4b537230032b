//! Lemma 5: neurons far from linear borrow smoothness from the Gaussian noise of their layer.

use super::gaussian::Gaussian;
use super::layer::{Moved, Neurons, scaled_columns};
use super::matrix::{defect, transposed, upper_product};
use super::prepared::Hidden;
use super::rounding::{add_up, dot_up, gamma, mul_up, sum_up};
use super::types::Shared;

/// Neurons that borrow, and what it costs.
pub(super) struct Sharing {
    /// `Σ_j ‖M_:j‖² η_j²` or more: the second step's squared distance.
    pub(super) cost: f64,
    /// `c_j²` or more; 0 for the neurons that do not borrow.
    whole: Vec<f64>,
}

impl Sharing {
    /// Replaces the moments of the neurons named by those of what stands for them: nothing is left to linearise, and their share of the
    /// covariance is `c_j² − ν_j`. `None` where a neuron cannot borrow, or is named twice.
    pub(super) fn new(layer: &Hidden, z: &Gaussian, neurons: &mut Neurons, wanted: &[Shared]) -> Option<Self> {
        let mut whole = vec![0.0; layer.inputs];
        let mut distances = vec![0.0; layer.inputs];
        for &Shared { neuron, level } in wanted {
            let j = neuron as usize;
            let moments = neurons.moments.get_mut(j).filter(|_| whole[j] == 0.0)?;
            let variance = z.variance(j);
            let smoothed = layer.activation.smoothed(z.mean[j], variance, level)?;
            (moments.slope, moments.residual) = (smoothed.slope, 0.0);
            whole[j] = mul_up(smoothed.whole, variance);
            distances[j] = mul_up(mul_up(smoothed.distance, smoothed.distance), variance);
        }
        Some(Self { cost: dot_up(&layer.columns, &distances), whole })
    }

    /// Whether the layer's own noise holds what is borrowed: `Σ_j ν_j M_:jM_:jᵀ ⪯ P`, which is `Σ' − Σ_j c_j² M_:jM_:jᵀ ⪰ 0` for the new
    /// covariance `Σ'`.
    pub(super) fn holds(&self, layer: &Hidden, moved: &Moved) -> bool {
        let rows = layer.outputs;
        let borrowing: Vec<usize> = (0..layer.inputs).filter(|&j| self.whole[j] > 0.0).collect();
        let column = |&j: &usize| layer.mean_turned[j * rows..][..rows].iter().copied();
        let columns: Vec<f64> = borrowing.iter().flat_map(column).collect();
        let whole: Vec<f64> = borrowing.iter().map(|&j| self.whole[j]).collect();
        let left = scaled_columns(&transposed(&columns, whole.len(), rows), &whole);
        let taken = upper_product(&left, &columns, rows, whole.len());
        let mut rest = moved.next.matrix();
        rest.iter_mut().zip(&taken).for_each(|(x, y)| *x -= y);
        let size = add_up(
            dot_up(&layer.columns, &self.whole),
            sum_up(&(0..rows).map(|i| moved.next.variance(i)).collect::<Vec<f64>>()),
        );
        let off = add_up(moved.off_variance, mul_up(gamma(whole.len() + 8), size));
        let margin = add_up(mul_up(2.0, off), mul_up(1e-12, size));
        (0..rows).for_each(|i| rest[i * rows + i] -= margin);
        defect(&mut rest, rows).is_some_and(|defect| add_up(off, defect) < margin)
    }
}
