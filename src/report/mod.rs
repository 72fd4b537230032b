//! Reports that stand alone: one HTML file with its pictures inside.

mod certificate;
mod paper;
mod style;

pub use crate::certify::kind_text;
pub use certificate::certificate;
pub use paper::paper;
