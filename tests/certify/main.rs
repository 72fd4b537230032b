//! Certificates: the trusted core, and what proposes to it.

mod core_fixtures;
mod core_monte_carlo;
mod core_refusals;
mod core_soundness;
mod core_splits;
mod core_support;

#[path = "../common/skip.rs"]
mod skip;
