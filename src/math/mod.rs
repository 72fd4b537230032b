//! Mathematics in `f64` on the host. Nothing here is part of a proof: what it computes is proposed, and
//! [`certify::core`](crate::certify::core) proves what follows from it.
//!
//! Equation numbers are those of Adams, Patanè, Lahijanian and Laurenti, *Finite neural networks as mixtures of Gaussian processes*.

pub mod allocation;
pub mod chi;
pub mod clusters;
pub mod compression;
pub mod cross;
pub mod eigen;
pub mod factors;
pub mod gamma;
pub mod gaussian_w2;
mod householder;
mod implicit_ql;
pub mod leading;
pub mod mixture;
pub mod mixture_w2;
pub mod normal;
pub mod principal;
mod quadrature;
pub mod quantizer;
pub mod rates;
pub mod signature;
pub mod singular;
pub mod statistics;
pub mod transport;
mod tridiagonal;
mod vector;
