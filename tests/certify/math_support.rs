//! Golden files and random matrices.

use bures::io::{TensorData, Tensors};
use bures::reference::philox::Philox;

use crate::skip::folder_or_skip;

/// A file of golden values of stochastic networks.
pub(crate) struct Golden(Tensors);

impl Golden {
    /// `None` after a skip.
    pub(crate) fn read(name: &str) -> Option<Self> {
        let path = folder_or_skip("BURES_FIXTURES")?.join("snn").join(format!("{name}.safetensors"));
        Some(Self(Tensors::read(path).expect("a golden file")))
    }

    pub(crate) fn floats(&self, name: &str) -> &[f64] {
        match &self.0.tensors[name].data {
            TensorData::F64(values) => values,
            other => panic!("{name} holds no f64: {other:?}"),
        }
    }

    pub(crate) fn integers(&self, name: &str) -> Vec<u32> {
        match &self.0.tensors[name].data {
            TensorData::I64(values) => values.iter().map(|&x| u32::try_from(x).expect("a count or label")).collect(),
            other => panic!("{name} holds no integers: {other:?}"),
        }
    }

    /// What stands before the last part of the names that end in `last`, in order.
    pub(crate) fn cases(&self, last: &str) -> Vec<String> {
        let cases = self.0.tensors.keys().filter_map(|name| name.strip_suffix(last)?.strip_suffix('.'));
        let cases: Vec<String> = cases.map(str::to_owned).collect();
        assert!(!cases.is_empty(), "no case has {last}");
        cases
    }
}

/// Fails unless the two numbers are within `tolerance` of each other.
#[track_caller]
pub(crate) fn close(what: &str, got: f64, want: f64, tolerance: f64) {
    let off = (got - want).abs();
    assert!(off <= tolerance, "{what}: {got:e} instead of {want:e}, off by {off:.1e}, allowed {tolerance:.1e}");
}

pub(crate) fn normals(rng: &mut Philox, n: usize) -> Vec<f64> {
    (0..n).map(|_| rng.normal()).collect()
}

/// `Σ_j values_j q_j q_jᵀ` for a random orthonormal basis `q`.
pub(crate) fn with_eigenvalues(values: &[f64], rng: &mut Philox) -> Vec<f64> {
    let n = values.len();
    let mut basis: Vec<Vec<f64>> = Vec::new();
    while basis.len() < n {
        let mut row = normals(rng, n);
        for _ in 0..2 {
            for known in &basis {
                let along: f64 = row.iter().zip(known).map(|(x, y)| x * y).sum();
                row.iter_mut().zip(known).for_each(|(x, y)| *x -= along * y);
            }
        }
        let length = row.iter().map(|x| x * x).sum::<f64>().sqrt();
        basis.push(row.into_iter().map(|x| x / length).collect());
    }
    let entry = |i: usize, j: usize| basis.iter().zip(values).map(|(q, value)| value * q[i] * q[j]).sum::<f64>();
    let mut matrix = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            matrix[i * n + j] = entry(i, j);
            matrix[j * n + i] = matrix[i * n + j];
        }
    }
    matrix
}
