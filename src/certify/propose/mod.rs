//! What is proposed to the prover. Nothing here is trusted: a bad proposal gives a larger bound, never a wrong one.

mod moments;
pub mod paper;
mod search;

use super::core::{LayerWitness, Method, Network, Witness};

pub(super) use search::split;

/// One Gaussian a component, nothing split and nothing merged.
pub(super) fn plain(network: &Network) -> Witness {
    let hidden = network.layers.len().saturating_sub(1);
    Witness { method: Method::Tight, layers: vec![LayerWitness::default(); hidden] }
}
