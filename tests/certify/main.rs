//! Certification: the host mathematics, the trusted core and its soundness.

mod core_fixtures;
mod core_monte_carlo;
mod core_refusals;
mod core_soundness;
mod core_splits;
mod core_support;
mod math_allocation;
mod math_clusters;
mod math_cross;
mod math_distances;
mod math_eigen;
mod math_normal;
mod math_quantizer;
mod math_signature;
mod math_support;
mod math_transport;
#[path = "../common/skip.rs"]
mod skip;
