//! Networks of the fixtures, and golden values.

use std::path::PathBuf;

use bures::certify::core::{Layer, LayerWitness, Method, Network, Proof, Witness};
use bures::io::{TensorData, Tensors};

use crate::skip::folder_or_skip;

/// The folder of golden values of stochastic networks, or `None` after a skip.
pub(crate) fn fixtures() -> Option<PathBuf> {
    Some(folder_or_skip("BURES_FIXTURES")?.join("snn"))
}

/// A file of golden values.
pub(crate) struct Golden(pub(crate) Tensors);

impl Golden {
    pub(crate) fn read(path: PathBuf) -> Self {
        Self(Tensors::read(path).expect("a golden file"))
    }

    pub(crate) fn floats(&self, name: &str) -> Vec<f64> {
        match &self.0.tensors[name].data {
            TensorData::F64(values) => values.clone(),
            TensorData::F32(values) => values.iter().map(|&x| f64::from(x)).collect(),
            other => panic!("{name} holds no floats: {other:?}"),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.0.tensors.contains_key(name)
    }

    /// The network of tensors `{prefix}layers.k.weight_mean`, with standard deviations or variances or neither.
    pub(crate) fn network(&self, prefix: &str, activation: &str, dropout: f64) -> Network {
        let spread = |stem: &str, len: usize| match () {
            () if self.has(&format!("{stem}_var")) => self.floats(&format!("{stem}_var")),
            () if self.has(&format!("{stem}_std")) => {
                self.floats(&format!("{stem}_std")).iter().map(|s| s * s).collect()
            }
            () => vec![0.0; len],
        };
        let count = (0..).take_while(|k| self.has(&format!("{prefix}layers.{k}.weight_mean"))).count();
        let layers = (0..count).map(|k| {
            let stem = format!("{prefix}layers.{k}.");
            let shape = &self.0.tensors[&format!("{stem}weight_mean")].shape;
            let last = k + 1 == count;
            Layer {
                inputs: shape[1],
                outputs: shape[0],
                mean: self.floats(&format!("{stem}weight_mean")),
                variance: spread(&format!("{stem}weight"), shape[0] * shape[1]),
                bias_mean: self.floats(&format!("{stem}bias_mean")),
                bias_variance: spread(&format!("{stem}bias"), shape[0]),
                activation: if last { "none" } else { activation }.to_owned(),
                dropout: if last { 0.0 } else { dropout },
            }
        });
        Network { layers: layers.collect() }
    }
}

/// No splits, no compression.
pub(crate) fn plain_witness(network: &Network) -> Witness {
    Witness { method: Method::Tight, layers: vec![LayerWitness::default(); network.layers.len() - 1] }
}

/// Largest difference in parts of the largest entry.
pub(crate) fn distance(got: &[f64], want: &[f64]) -> f64 {
    assert_eq!(got.len(), want.len());
    let size = want.iter().fold(0.0, |most, x| f64::max(most, x.abs()));
    got.iter().zip(want).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) / size
}

/// What every proof must be: finite, its terms not negative and summing to its bound.
pub(crate) fn check_proof(proof: &Proof) {
    let sum: f64 = proof.terms.iter().map(|term| term.value).sum();
    assert!(proof.bound.is_finite() && proof.terms.iter().all(|term| term.value >= 0.0));
    assert!((sum - proof.bound).abs() <= 1e-14 * proof.bound, "terms sum to {sum}, not {}", proof.bound);
    assert!(proof.relative_bound >= proof.bound / proof.second_moment.sqrt());
}
