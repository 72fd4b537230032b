//! Reports that stand alone: one HTML file with its pictures inside.

mod certificate;
mod paper;
mod style;

pub use certificate::{certificate, kind_text};
pub use paper::paper;
