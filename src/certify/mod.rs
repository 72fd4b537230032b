//! Certification: a stochastic network becomes a Gaussian mixture with a proven 2-Wasserstein bound.
//!
//! A certificate is made in two steps. What may be anything (clusters, splits, couplings) is *proposed*; it is written down as a
//! [`core::Witness`]. What the bound rests on is *proved* by [`core`] from the network, the input and the witness alone, in `f64`
//! with outward rounding. A bad proposal loosens a bound and never falsifies it.
//!
//! | step | see |
//! | --- | --- |
//! | the network and the inputs that a certificate speaks of | [`Subject`], [`Inputs`] |
//! | proposing and proving, for every input | [`run()`] |
//! | the folder that keeps it | [`Certificate`] |
//! | proving it again from the folder alone | [`verify()`] |
//! | joining the shares of several machines | [`merge()`] |

pub mod core;
mod empirical;
mod folder;
mod inputs;
mod manifest;
mod merge;
mod mixtures;
pub mod propose;
mod record;
mod run;
pub mod sample;
mod settings;
mod sizes;
mod subject;
mod summary;
mod types;
mod verify;
mod witnesses;

pub use empirical::{Empirical, measure};
pub use folder::{Certificate, Folder};
pub use inputs::Inputs;
pub use manifest::{About, AboutInputs, AboutModel, Failed, Manifest};
pub use merge::merge;
pub use record::{Record, RecordTerm, Stop, kind_text};
pub use run::{Certified, Outcome, Progress, failure, run};
pub use settings::Settings;
pub use subject::Subject;
pub use summary::{Share, Summary, median, round_up};
pub use verify::verify;
