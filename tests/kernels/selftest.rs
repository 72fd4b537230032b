//! The start-up self-test passes on a sound driver.

use bures::device::Device;

use crate::device::gpu;

#[test]
fn passes_on_the_software_adapter() {
    let Device::Gpu(gpu) = gpu() else { panic!("a GPU") };
    bures::selftest::run(&gpu).expect("a sound driver");
}
