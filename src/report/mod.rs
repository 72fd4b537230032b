//! Reports that stand alone: one HTML file with its pictures inside.

mod certificate;

pub use certificate::{certificate, kind_text};
