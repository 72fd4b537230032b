//! Gaussian mixtures as borrowed arrays.

use crate::{Error, Result};

/// `Σ_c weights_c N(means_c, covariances_c)`.
#[derive(Clone, Copy, Debug)]
pub struct Components<'a> {
    width: usize,
    weights: &'a [f64],
    means: &'a [f64],
    covariances: &'a [f64],
}

impl<'a> Components<'a> {
    /// `weights [C]`, `means [C, width]`, `covariances [C, width, width]`.
    ///
    /// # Errors
    /// [`Error::Shape`] when the lengths do not fit together.
    pub fn new(width: usize, weights: &'a [f64], means: &'a [f64], covariances: &'a [f64]) -> Result<Self> {
        let count = weights.len();
        let fits =
            |values: &[f64], each: Option<usize>| each.and_then(|each| each.checked_mul(count)) == Some(values.len());
        if !(fits(means, Some(width)) && fits(covariances, width.checked_mul(width))) {
            let expected = format!("{count} means of {width} and covariances of {width} × {width}");
            return Err(Error::Shape {
                op: "mixture",
                expected,
                got: format!("{} and {} numbers", means.len(), covariances.len()),
            });
        }
        Ok(Self { width, weights, means, covariances })
    }

    /// Dimensions of the space.
    pub fn width(&self) -> usize {
        self.width
    }

    /// `[C]`.
    pub fn weights(&self) -> &'a [f64] {
        self.weights
    }

    /// The mean of component `c`.
    pub fn mean(&self, c: usize) -> &'a [f64] {
        &self.means[c * self.width..][..self.width]
    }

    /// The covariance of component `c`.
    pub fn covariance(&self, c: usize) -> &'a [f64] {
        let size = self.width * self.width;
        &self.covariances[c * size..][..size]
    }
}
