//! What follows a layer.

use serde::{Deserialize, Serialize};

/// What follows a dense layer, or one of a convolutional network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// Nothing.
    #[default]
    None,
    /// `max(h, 0)`.
    Relu,
    /// `tanh h`.
    Tanh,
}

impl Activation {
    /// Its name in files and options.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Relu => "relu",
            Self::Tanh => "tanh",
        }
    }
}
