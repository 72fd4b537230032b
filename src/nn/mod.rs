//! Networks as values: what layers they have, where their parameters lie, how they start, how they are stored, and
//! how they run on a device.

mod activation;
mod covariance;
mod inferred;
mod init;
mod metadata;
mod model;
mod network;
mod network_spec;
mod neurons;
mod pass;
mod picture_pass;
mod pictures;
mod spec;
mod tensor_spec;

pub use activation::Activation;
pub(crate) use covariance::covariance_as_text;
pub use covariance::{Covariance, Weights};
pub use init::{DenseInit, GmInit, Init, initialize};
pub use model::{Model, Provenance};
pub use network::Network;
pub(crate) use network::{check_finite, read_runs};
pub use network_spec::NetworkSpec;
pub use neurons::{mean_neurons, sample_neurons};
pub use pass::Pass;
pub use pictures::{BatchNormSpec, ConvSpec, DropoutSpec, Picture, VggHead};
pub use spec::LayerSpec;
pub use tensor_spec::TensorSpec;
