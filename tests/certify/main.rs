//! Certificates: the trusted core, and what proposes to it.

mod core_fixtures;
mod core_support;

#[path = "../common/skip.rs"]
mod skip;
