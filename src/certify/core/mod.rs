//! The trusted core: turns stored numbers into the printed bound. No GPU, no unsafe code; beside the standard library only
//! `libm`, and [`crate::reference`]'s product of matrices in a fixed order.
//!
#![doc = include_str!("../../docs/trusted_core.md")]
#![allow(
    clippy::neg_cmp_op_on_partial_ord,
    reason = "a NaN must fall on the side of caution: `!(a > b)` is not `a <= b`"
)]

mod activation;
mod affine;
mod bures_distance;
mod carry;
mod compression;
mod gaussian;
mod identity;
mod layer;
pub(super) mod matrix;
mod noise;
mod normal;
mod paper;
mod prepared;
mod prove;
mod relu;
mod rounding;
mod sharing;
mod signature;
pub(super) mod smoothed;
mod split;
mod stacked;
mod tanh;
mod types;

pub use paper::{prove_paper, replay_paper};
pub use prepared::Prepared;
pub use prove::{Arriving, prove, prove_tight};
pub use stacked::Stacked;
pub use types::{Layer, LayerWitness, Method, Mixture, Network, Proof, Shared, Split, Term, TermKind, Witness};
