//! The choices among which a run's settings choose.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Which kind of network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelKind {
    /// Gaussian-mixture layers.
    Gm,
    /// The same with one output, whose weights are jointly Gaussian with those of the last layer's inputs (Appendix A.1).
    GmJoint,
    /// Dense layers with ReLU.
    Fc,
    /// The VGG-like convolutional network of the paper's Figure 8.
    Vgg,
}

/// Which optimiser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimizerChoice {
    /// Gradient descent, with momentum where it is not 0.
    Sgd,
    /// Adam.
    Adam,
}

/// Which loss. The targets decide, so that this is a promise about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LossChoice {
    /// Softmax and logarithm, for classes.
    Logistic,
    /// Mean of squared residuals, for values.
    Squared,
}

/// How the learning rate moves over the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// It stays.
    Constant,
    /// It falls to 0 along half a cosine.
    Cosine,
}

/// In which order training examples come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OrderChoice {
    /// A fresh random order every epoch.
    Shuffled,
    /// The order of the data set.
    Sequential,
    /// Minibatches from an integer array `[steps, batch]` in an `.npy` file.
    File(PathBuf),
}

/// Whose choices of optimiser, rates and start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Recipe {
    /// The paper's: SGD at 0.1 (σ at 1), γ = 1/2.
    Paper,
    /// Ours, chosen on a validation split.
    Tuned,
}
