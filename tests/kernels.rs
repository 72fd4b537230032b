//! Every kernel on the software adapter against its host twin in f64: values, gradients, odd shapes, identical repeats, and
//! runs trained together against the same runs alone.
#![cfg(feature = "gpu")]

#[path = "common/device.rs"]
mod device;
#[path = "common/tolerances.rs"]
mod tolerances;

#[path = "kernels/gm.rs"]
mod gm;
#[path = "kernels/gm_step.rs"]
mod gm_step;
#[path = "kernels/layers.rs"]
mod layers;
#[path = "kernels/loss.rs"]
mod loss;
#[path = "kernels/moments.rs"]
mod moments;
#[path = "kernels/random.rs"]
mod random;
#[path = "kernels/selftest.rs"]
mod selftest;
#[path = "kernels/update.rs"]
mod update;
