//! Certification: the trusted core, what proposes to it, and the mathematics under both, against golden values, theory and brute
//! force.
//!
//! Golden values (`BURES_FIXTURES`) come from other programs; everything else here needs no files.

mod core_fixtures;
mod core_monte_carlo;
mod core_refusals;
mod core_sharing;
mod core_soundness;
mod core_splits;
mod core_support;
mod joint;
mod joint_fixtures;
mod joint_refusals;
mod joint_sampling;
mod joint_soundness;
mod math_allocation;
mod math_clusters;
mod math_cross;
mod math_distances;
mod math_eigen;
mod math_normal;
mod math_principal;
mod math_quantizer;
mod math_signature;
mod math_support;
mod math_transport;
mod nets_sharing;
mod nets_soundness;
mod paper;
mod paper_covariance;
mod paper_cross;
mod paper_dropout;
mod paper_joint;
mod samples;
mod shows_epsilon;
mod shows_gains;
mod shows_layers;
mod shows_points;
mod shows_samples;
#[path = "../common/skip.rs"]
mod skip;
