//! What is proposed to the prover. Nothing here is trusted: a bad proposal gives a larger bound, never a wrong one.

mod moments;
pub mod paper;
mod search;
mod sharing;

use super::core::{LayerWitness, Method, Network, Prepared, Proof, Witness, prove, prove_tight};
use crate::Result;

pub(super) use search::split;
pub(super) use sharing::Pool;

/// One Gaussian a component, nothing split and nothing merged.
pub(super) fn plain(network: &Network) -> Witness {
    let hidden = network.layers.len().saturating_sub(1);
    Witness { method: Method::Tight, layers: vec![LayerWitness::default(); hidden] }
}

/// Where sharing noise promises the layer's error to be this part of what it was or less, nothing else is tried: Lemma 6, which goes
/// without sharing, gains less where rectifiers follow, and there is no later layer with a single one.
const SURE: [f64; 2] = [0.9, 0.35];

/// One Gaussian a component, noise shared in the first hidden layer where that is better.
pub(super) fn unsplit(
    prepared: &Prepared,
    network: &Network,
    pool: Option<&Pool>,
    row: &[f64],
) -> Result<(Witness, Proof)> {
    let mut promised = None;
    let shared = prove_tight(prepared, row, |index, arriving| {
        let plan = match (index, pool, arriving) {
            (0, Some(pool), [only]) => pool.plan(only.mean, only.variances),
            _ => None,
        };
        promised = plan.as_ref().map(|plan| plan.ratio).or(promised);
        Ok(LayerWitness { sharing: plan.map(|plan| plan.sharing).unwrap_or_default(), ..LayerWitness::default() })
    });
    let sure = SURE[usize::from(prepared.hidden_layers() > 1)];
    if let (Ok((proof, witness)), true) = (&shared, promised.is_none_or(|ratio| ratio <= sure)) {
        return Ok((witness.clone(), proof.clone()));
    }
    let witness = plain(network);
    let proof = prove(prepared, row, &witness)?;
    match shared {
        Ok((shared, sharing)) if shared.relative_bound < proof.relative_bound => Ok((sharing, shared)),
        _ => Ok((witness, proof)),
    }
}
