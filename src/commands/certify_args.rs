//! Options of `bures certify`.

use std::ops::Range;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::nn::Activation;

/// Options of `bures certify`.
#[derive(Args, Debug)]
pub(super) struct CertifyArgs {
    /// The model, a safetensors file
    pub(super) model: PathBuf,
    /// Inputs: a .npy file [n, …], a .npz file (x_test), or the name of a data set (its test split)
    #[arg(long, value_name = "X.npy|X.npz|NAME")]
    pub(super) inputs: String,
    /// Folder for the certificate [default: runs/certify-MODEL]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// What follows the dense layers of a model that does not say so itself
    #[arg(long, value_name = "relu|tanh|none", value_parser = super::predict::activation)]
    pub(super) activation: Option<Activation>,
    /// Probability with which every hidden activation is dropped (the others are divided by 1 − P)
    #[arg(long, value_name = "P")]
    pub(super) dropout: Option<f64>,
    /// How the mixture is made and its distance bounded
    #[arg(long, value_enum, default_value = "tight")]
    pub(super) method: MethodName,
    /// With --method paper: points of a component's signature, at most
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(super) points: usize,
    /// With --method paper: where these points lie
    #[arg(long, value_enum, default_value = "grid")]
    pub(super) placement: Placement,
    /// With --method paper: components after compression, at most
    #[arg(long, value_name = "M", default_value_t = 3)]
    pub(super) components: usize,
    /// Split components until the relative bound is at most E
    #[arg(long, value_name = "E")]
    pub(super) epsilon: Option<f64>,
    /// Components that splitting may use for an input
    #[arg(long, value_name = "C", default_value_t = 64)]
    pub(super) max_components: usize,
    /// Inputs A to B − 1 only, numbered from 0: a share of the work, for bures merge
    #[arg(long, value_name = "A..B", value_parser = range)]
    pub(super) range: Option<Range<usize>>,
    /// All inputs at once: one mixture for the joint law of their outputs under one network (with --method paper)
    #[arg(long, conflicts_with = "range")]
    pub(super) joint: bool,
    /// Which published split of a UCI set [default: 0]
    #[arg(long, value_name = "I")]
    pub(super) split: Option<usize>,
    /// Also measure the distance with N samples of both laws, by exact transport; this is no part of the proof. It takes about
    /// a second of a core for an input (or a joint set) with N = 2000, and ten with 5000
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub(super) samples: usize,
    /// Seed of the samples
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub(super) seed: u64,
    /// Replace results in the folder
    #[arg(long)]
    pub(super) force: bool,
}

/// Names of the methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum MethodName {
    /// One Gaussian a component, with the tightest proven bound
    Tight,
    /// Adams et al., Algorithms 1 to 3 and Theorem 17: signatures on grids, merged components
    Paper,
}

/// Where the points of a signature lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Placement {
    /// On a grid along the leading eigenvectors (Algorithm 2)
    Grid,
    /// On all axes, in shells (Algorithms 4 and 5): keeps the covariance, has a worse bound
    Cross,
}

impl Placement {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::Cross => "cross",
        }
    }
}

impl MethodName {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Tight => "tight",
            Self::Paper => "paper",
        }
    }
}

/// Parses `A..B`.
fn range(text: &str) -> Result<Range<usize>, String> {
    let parts = text.split_once("..").and_then(|(a, b)| Some((a.trim().parse().ok()?, b.trim().parse().ok()?)));
    match parts {
        Some((a, b)) if a < b => Ok(a..b),
        _ => Err("a range is A..B with A below B, such as 0..1000; B is not part of it".to_owned()),
    }
}
