//! The trusted core: turns stored numbers into the printed bound. No GPU, no unsafe code; beside the standard library only
//! `libm`, and [`crate::reference`]'s product of matrices in a fixed order and transposes. What it takes from [`crate::math`] are guesses,
//! whose defects it bounds.
//!
#![doc = include_str!("../../docs/trusted_core.md")]
#![doc = include_str!("../../docs/joint_inputs.md")]
#![allow(
    clippy::neg_cmp_op_on_partial_ord,
    reason = "a NaN must fall on the side of caution: `!(a > b)` is not `a <= b`"
)]

mod activation;
mod carry;
mod gaussian;
mod identity;
mod joint;
mod layer;
pub(super) mod matrix;
mod merge;
mod noise;
mod normal;
mod paper;
mod prepared;
mod prove;
mod relu;
mod rounding;
mod sharing;
pub(super) mod smoothed;
mod split;
mod tanh;

use super::types;

pub use joint::{joint_bytes, prove_joint};
pub use paper::{Stacked, prove_paper, replay_paper};
pub use prepared::Prepared;
pub use prove::{Arriving, prove, prove_tight};
pub(in crate::certify) use split::MOST_POINTS;
pub use types::{Layer, LayerWitness, Method, Mixture, Network, Proof, Shared, Split, Term, TermKind, Witness};
