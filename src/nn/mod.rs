//! Networks as values: what layers they have, where their parameters lie, how they start, how they are stored, and
//! how they run on a device.

mod activation;
mod inferred;
mod init;
mod metadata;
mod model;
mod network;
mod neurons;
mod pass;
mod picture_pass;
mod pictures;
mod spec;
mod tensor_spec;

pub use activation::Activation;
pub use init::{DenseInit, GmInit, Init, initialize};
pub use model::{Model, Provenance};
pub use network::Network;
pub(crate) use network::{check_finite, read_runs};
pub use neurons::{mean_neurons, sample_neurons};
pub use pass::Pass;
pub use pictures::{BatchNormSpec, ConvSpec, DropoutSpec, Picture, VggHead};
pub use spec::{LayerSpec, NetworkSpec};
pub use tensor_spec::TensorSpec;
