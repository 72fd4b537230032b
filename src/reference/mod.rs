//! Host twins of the kernels: textbook formulas on plain slices, generic over the float type.
//!
//! At `f64` they are the oracle of the tests; at `f32`, with faer's matrix product and rayon's threads, they are
//! the engine of a machine without a GPU. Work is cut into pieces whose number does not depend on the number of
//! threads, and every sum runs in a fixed order: the same seed gives the same bits on one core or on sixteen.

pub mod activation;
pub mod activation_moments;
pub mod augment;
pub mod batch_norm;
pub mod compression;
pub mod conv;
pub mod dense;
mod fast_moments;
pub mod full_covariance;
pub mod gather;
pub mod gaussian_w2;
pub mod gm_layer;
pub mod gm_weights;
pub mod joint_regression;
mod lanes;
pub mod loss;
mod matrix;
pub mod max_pool;
pub mod normal;
pub mod optimizer;
mod panel;
pub mod philox;
pub mod propagation;
mod real;
pub mod shift_columns;
pub mod signature;
pub mod stochastic;
mod sums;
mod tail_moments;
mod threads;

pub use lanes::Lanes;
pub(crate) use panel::{product_in_order, transposed};
pub use real::{Real, vectorized};
pub use threads::awake;
