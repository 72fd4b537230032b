//! What samples say of the distance. It is no part of the proof.

use serde::{Deserialize, Serialize};

/// Distances measured between samples of the network's true output law and of the mixture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Empirical {
    /// Samples of each law.
    pub samples: usize,
    /// W2 between the two samples, by exact transport. Its expectation is above the true distance.
    pub distance: f64,
    /// W2 between two samples of the true law: what `distance` would be about if the laws were equal.
    pub floor: f64,
    /// A lower limit of the true distance from the first two moments (Gelbrich), at `confidence`.
    pub lower: f64,
    /// Probability with which `lower` holds.
    pub confidence: f64,
}
