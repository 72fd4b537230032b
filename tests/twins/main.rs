//! The host twins against golden values, quadrature, Monte Carlo, differences and textbook loops.
//!
//! Golden values (`BURES_FIXTURES`) come from other programs; everything else here needs no files.

mod activation_moments;
mod boundaries;
mod conv;
mod covariance;
mod determinism;
mod differences;
mod gather;
mod golden_full;
mod golden_layer;
mod golden_mixtures;
mod golden_moments;
mod golden_training;
mod gradients;
#[path = "../certify/math_support.rs"]
#[allow(dead_code, reason = "each test crate uses the part it needs")]
mod math_support;
mod monte_carlo;
mod optimizers;
mod products;
mod random;
mod relu_moments;
#[path = "../common/skip.rs"]
mod skip;
mod stochastic;
mod support;
#[path = "../common/twin_tolerances.rs"]
mod tolerances;
mod weights;
