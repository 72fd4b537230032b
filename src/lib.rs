//! bures: Gaussian-mixture layers, trained on any GPU and without one.
#![forbid(unsafe_code)]

pub mod commands;
pub mod data;
pub mod device;
pub mod error;
#[cfg(feature = "gpu")]
pub mod gpu;
pub mod io;
pub mod kernels;
pub mod nn;
pub mod plot;
pub mod reference;
#[cfg(feature = "gpu")]
pub mod selftest;
pub mod shape;
pub mod train;

pub use error::{Error, Result};
