//! Figures and tables of papers, from settings in `assets/experiments` to data, pictures and a report: calls of the library only,
//! no mathematics of their own.

mod catalogue;
mod course;
mod curves;
mod expected;
mod flows;
mod reduction;
mod reproduce;
mod runs;

pub use catalogue::{Catalogue, Experiment, Figure, FigurePlan, RunPlan};
pub use expected::{Row, Verdict};
pub use reproduce::{Drawn, Reproduction, reproduce};
pub use runs::{Done, Stage};
