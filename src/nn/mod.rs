//! Networks as values: what layers they have, where their parameters lie, how they start, how they are stored, and
//! how they run on a device.

mod init;
mod model;
mod network;
mod pass;
mod spec;

pub use init::{DenseInit, GmInit, Init, initialize};
pub use model::{Model, Provenance};
pub use network::Network;
pub use pass::Pass;
pub use spec::{Activation, LayerSpec, NetworkSpec, TensorSpec};
