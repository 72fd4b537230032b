//! Every kernel on the software adapter against its host twin in f64: values, gradients, odd shapes, identical repeats, and
//! runs trained together against the same runs alone.
#![cfg(feature = "gpu")]

#[path = "common/device.rs"]
mod device;
#[path = "certify/math_support.rs"]
#[allow(dead_code, reason = "each test crate uses the part it needs")]
mod math_support;
#[path = "common/skip.rs"]
mod skip;
#[path = "common/tolerances.rs"]
mod tolerances;

#[path = "kernels/compression.rs"]
mod compression;
#[path = "kernels/conv.rs"]
mod conv;
#[path = "kernels/conv_network.rs"]
mod conv_network;
#[path = "kernels/distances.rs"]
mod distances;
#[path = "kernels/gm.rs"]
mod gm;
#[path = "kernels/gm_step.rs"]
mod gm_step;
#[path = "kernels/golden_networks.rs"]
mod golden_networks;
#[path = "kernels/joint.rs"]
mod joint;
#[path = "kernels/layers.rs"]
mod layers;
#[path = "kernels/loss.rs"]
mod loss;
#[path = "kernels/moments.rs"]
mod moments;
#[path = "kernels/orders.rs"]
mod orders;
#[path = "kernels/propagation.rs"]
mod propagation;
#[path = "kernels/random.rs"]
mod random;
#[path = "kernels/selftest.rs"]
mod selftest;
#[path = "kernels/signatures.rs"]
mod signatures;
#[path = "kernels/stochastic.rs"]
mod stochastic;
#[path = "kernels/update.rs"]
mod update;
#[path = "kernels/weights.rs"]
mod weights;
