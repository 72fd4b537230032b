//! The host twins against golden values, quadrature, Monte Carlo, differences and textbook loops.
//!
//! Golden values (`BURES_FIXTURES`) come from other programs; everything else here needs no files.

mod boundaries;
mod determinism;
mod differences;
mod gather;
mod golden_full;
mod golden_layer;
mod golden_moments;
mod golden_training;
mod gradients;
mod monte_carlo;
mod optimizers;
mod products;
mod random;
mod relu_moments;
#[path = "../common/skip.rs"]
mod skip;
mod support;
#[path = "../common/twin_tolerances.rs"]
mod tolerances;
