//! bures: Gaussian-mixture layers, trained on any GPU and without one.
//!
//! A Gaussian-mixture layer (Chewi, Rigollet and Yan) is a two-layer network with infinitely many neurons, whose weights
//! follow a Gaussian mixture; what is trained is the mixture. [`reference::gm_layer`] derives the layer and its gradient.
//!
//! The crate is also the program `bures`, and whatever the program does is a call to the library:
//!
//! | to | see |
//! | --- | --- |
//! | train a network and keep model, metrics and checkpoints | [`train::train`], [`train::Settings`], [`train::RunFolder`] |
//! | read and write models | [`nn::Model`] |
//! | predict, evaluate | [`train::predict`], [`train::Evaluator`] |
//! | build one's own network and training loop | [`nn::NetworkSpec`], [`nn::Network`], [`nn::Pass`], [`kernels`] |
//! | load data | [`data::load`] |
//! | choose where it runs | [`device::Device`] |
//!
//! An operation is recorded into a [`device::Stream`]. On a GPU it becomes dispatches of WGSL shaders; on the CPU its twin in
//! [`mod@reference`] runs at once. Without the feature `gpu` (on by default) only the CPU is there, and wgpu is not built.
//!
//! ```
//! use bures::data::Features;
//! use bures::device::Device;
//! use bures::nn::{Model, NetworkSpec, Provenance, initialize};
//! use bures::train::{ModelKind, Recipe, Settings, predict};
//!
//! // An untrained layer of 3 components from 8 inputs to the logits of classes 1 and 2; class 0 has logit 0.
//! let spec = NetworkSpec::gm(8, &[], 2, 3);
//! let start = Settings::recipe(Recipe::Paper, ModelKind::Gm).start();
//! let params = initialize(&spec, &start, 0);
//! let normalize = bures::data::Normalization::None;
//! let provenance = Provenance::default();
//! let model = Model { spec, classes: Some(3), normalize, targets: None, provenance, params };
//!
//! let rows = Features::F32(vec![0.5; 5 * 8]);
//! let logits = predict(&Device::Cpu, &model, rows)?;
//! assert_eq!(logits.len(), 5 * 2);
//! # Ok::<(), bures::Error>(())
//! ```
//!
//! `examples/` has a whole run through the library, and a network with a training loop of its own.
#![forbid(unsafe_code)]

pub mod certify;
pub mod commands;
pub mod data;
pub mod device;
pub mod error;
pub mod experiments;
#[cfg(feature = "gpu")]
pub mod gpu;
pub mod io;
pub mod kernels;
pub mod math;
mod memory;
pub mod nn;
pub mod plot;
pub mod reference;
pub mod report;
#[cfg(feature = "gpu")]
pub mod selftest;
pub mod shape;
pub mod train;

pub use error::{Error, Result};

/// The README's code, compiled with the other doc tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
