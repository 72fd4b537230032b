//! What covariances and weights the components of a GM layer have.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Covariances `Σ_k` of the components of a GM layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Covariance {
    /// `diag(σ_k²)`, the paper's.
    #[default]
    Diagonal,
    /// `diag(σ_k²) + root_kᵀ root_k` with `root_k [R, d]`.
    LowRank {
        /// Rows `R`; with 0 the layer is the diagonal one.
        rank: usize,
    },
    /// `C_k C_kᵀ` with `C_k [d, d]`.
    Full,
}

impl Covariance {
    /// Whether this is the paper's, which files do not mention.
    pub fn is_diagonal(&self) -> bool {
        *self == Self::Diagonal
    }

    /// Rows of what stands beside the diagonal for a layer of `inputs` inputs; a full covariance is all of it, its diagonal part 0.
    pub fn rank(self, inputs: usize) -> usize {
        match self {
            Self::Diagonal => 0,
            Self::LowRank { rank } => rank,
            Self::Full => inputs,
        }
    }
}

impl fmt::Display for Covariance {
    /// As options and settings spell it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Diagonal => f.write_str("diagonal"),
            Self::LowRank { rank } => write!(f, "low-rank:{rank}"),
            Self::Full => f.write_str("full"),
        }
    }
}

impl FromStr for Covariance {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("a covariance is diagonal, low-rank:R with a rank R, or full; not {text:?}");
        match text {
            "diagonal" => Ok(Self::Diagonal),
            "full" => Ok(Self::Full),
            _ => {
                let rank = text.strip_prefix("low-rank:").and_then(|rank| rank.parse().ok()).ok_or_else(bad)?;
                Ok(Self::LowRank { rank })
            }
        }
    }
}

/// Weights of the components of a GM layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weights {
    /// `1/K` each, the paper's.
    #[default]
    Equal,
    /// Parameters on the simplex, moved by the Fisher–Rao part of the Wasserstein–Fisher–Rao flow.
    Learned,
}

impl Weights {
    /// Whether these are the paper's, which files do not mention.
    pub fn are_equal(&self) -> bool {
        *self == Self::Equal
    }
}

/// For settings, where it stands as a word: `#[serde(with = "covariance_as_text")]`.
pub(crate) mod covariance_as_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::Covariance;

    pub(crate) fn serialize<S: Serializer>(covariance: &Covariance, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(covariance)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Covariance, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_json_read_back() {
        for (covariance, text, json) in [
            (Covariance::Diagonal, "diagonal", r#"{"kind":"diagonal"}"#),
            (Covariance::LowRank { rank: 3 }, "low-rank:3", r#"{"kind":"low-rank","rank":3}"#),
            (Covariance::Full, "full", r#"{"kind":"full"}"#),
        ] {
            assert_eq!(covariance.to_string(), text);
            assert_eq!(text.parse(), Ok(covariance));
            assert_eq!(serde_json::to_string(&covariance).ok().as_deref(), Some(json));
            assert_eq!(serde_json::from_str::<Covariance>(json).ok(), Some(covariance));
        }
        for text in ["", "low-rank", "low-rank:", "low-rank:-1", "low-rank:x", "Full"] {
            assert!(text.parse::<Covariance>().is_err(), "{text}");
        }
    }
}
