//! Certification: a stochastic network becomes a Gaussian mixture with a proven 2-Wasserstein bound.
//!
//! A certificate is made in two steps. What may be anything (clusters, splits, couplings) is *proposed*; it is written down as a
//! [`core::Witness`]. What the bound rests on is *proved* by [`core`] from the network, the input and the witness alone, in `f64`
//! with outward rounding. A bad proposal loosens a bound and never falsifies it.

pub mod core;
pub mod propose_paper;
