//! Certification: the mathematics under it against golden values, theory and brute force.
//!
//! Golden values (`BURES_FIXTURES`) come from other programs; everything else here needs no files.

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
