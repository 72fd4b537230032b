//! How a certification is made.

use serde::{Deserialize, Serialize};

use super::core::Method;
use super::empirical;
use super::record::{method_name, method_of};
use crate::{Error, Result};

/// How mixtures and bounds are looked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `tight` or `paper`.
    pub method: String,
    /// Points of a component's signature, in the paper's method.
    pub points: usize,
    /// Where its points lie: on a `grid` or a `cross`.
    #[serde(default = "grid", skip_serializing_if = "is_grid")]
    pub placement: String,
    /// Components after compression, in the paper's method.
    pub components: usize,
    /// Split components until the relative bound is at most this; none for no splits.
    pub epsilon: Option<f64>,
    /// Components that splitting may use for an input.
    pub max_components: usize,
    /// Samples for the empirical distance; 0 for none.
    pub samples: usize,
    /// Seed of the samples.
    pub seed: u64,
    /// All inputs at once: the joint law of their outputs under one network.
    #[serde(default, skip_serializing_if = "is_false")]
    pub joint: bool,
}

fn grid() -> String {
    "grid".to_owned()
}

fn is_grid(placement: &str) -> bool {
    placement == "grid"
}

/// Left out of files, so that they read as before there were joint certificates.
fn is_false(value: &bool) -> bool {
    !value
}

impl Default for Settings {
    fn default() -> Self {
        let method = method_name(Method::Tight).to_owned();
        Self {
            method,
            points: 10,
            placement: grid(),
            components: 3,
            epsilon: None,
            max_components: 64,
            samples: 0,
            seed: 0,
            joint: false,
        }
    }
}

impl Settings {
    /// Refuses settings that no run can have.
    ///
    /// # Errors
    /// [`Error::Config`] saying which.
    pub fn check(&self) -> Result<Method> {
        let bad = |what: String| Err(Error::Config(what));
        if let Some(epsilon) = self.epsilon.filter(|e| !(*e > 0.0 && e.is_finite())) {
            return bad(format!("epsilon is {epsilon}; a positive number is needed"));
        }
        if self.max_components == 0 {
            return bad("max-components is 0; at least 1 is needed".to_owned());
        }
        if self.samples != 0 && !empirical::RANGE.contains(&self.samples) {
            let (least, most) = (empirical::RANGE.start(), empirical::RANGE.end());
            return bad(format!("samples is {}; between {least} and {most} are possible", self.samples));
        }
        for (name, value) in [("points", self.points), ("components", self.components)] {
            if value == 0 {
                return bad(format!("{name} is 0; at least 1 is needed"));
            }
        }
        match method_of(&self.method) {
            Some(Method::Tight) if self.placement != "grid" => {
                bad("the tight method has no points to place: --placement goes with --method paper".to_owned())
            }
            Some(Method::Tight) if self.joint && self.epsilon.is_some() => {
                bad("a joint law is not split: leave out --epsilon or --joint".to_owned())
            }
            Some(Method::Tight) => Ok(Method::Tight),
            Some(Method::PaperGrid) if self.epsilon.is_some() => {
                bad("epsilon splits the tight method's components; the paper's method has points and components"
                    .to_owned())
            }
            Some(Method::PaperGrid) => match self.placement.as_str() {
                "grid" => Ok(Method::PaperGrid),
                "cross" => Ok(Method::PaperCross),
                other => bad(format!("placement {other:?} is not known; choose grid or cross")),
            },
            _ => bad(format!("method {:?} is not known; choose tight or paper", self.method)),
        }
    }
}
