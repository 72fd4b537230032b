//! Layers of convolutional networks at shapes of the VGG-like network. On a software adapter narrower ones: it is there for tests.

use bures::device::Device;
use bures::kernels::batch_norm::{BatchNorm, BatchNormBackwardArgs, Statistics};
use bures::kernels::conv::{Conv, ConvBackwardArgs, ConvForwardArgs};
use bures::kernels::max_pool::MaxPool;
use bures::shape::{ConvDims, ImageDims};
use criterion::Criterion;

use super::{devices, noise, time};

pub(super) fn convolutions(c: &mut Criterion) {
    for (device_name, device) in devices() {
        let narrow = if device_name == "software" { 8 } else { 1 };
        for [channels, outputs, side] in [[3, 64, 32], [64, 128, 32], [128, 256, 16], [256, 256, 16]] {
            let (channels, outputs) = (channels.max(narrow) / narrow, outputs / narrow);
            let images = ImageDims { runs: 1, batch: 64, channels, height: side, width: side };
            let name = format!("{device_name}/{channels}-{outputs}/{side}x{side}");
            convolution(c, &name, &device, ConvDims { images, outputs });
            normalization(c, &name, &device, images.with_channels(outputs));
        }
    }
}

fn convolution(c: &mut Criterion, name: &str, device: &Device, dims: ConvDims) {
    let (x, params) = (noise(device, dims.images.len(), 1.0), noise(device, dims.params_len(), 0.1));
    let (dh, mut h) = (noise(device, dims.made().len(), 1.0), noise(device, dims.made().len(), 0.0));
    let (mut grads, mut dx) = (noise(device, dims.params_len(), 0.0), noise(device, dims.images.len(), 0.0));
    let mut layer = Conv::new(device, dims, true).expect("kernels");
    time(c, &format!("conv_forward/{name}"), device, |stream| {
        layer.forward(stream, ConvForwardArgs { x: &x, slot: 0, params: &params, h: &mut h })
    });
    time(c, &format!("conv_backward/{name}"), device, |stream| {
        let (x, params, dh) = (&x, &params, &dh);
        layer.backward(stream, ConvBackwardArgs { x, slot: 0, params, dh, grads: &mut grads, dx: Some(&mut dx) })
    });
}

fn normalization(c: &mut Criterion, name: &str, device: &Device, dims: ImageDims) {
    let (x, dh) = (noise(device, dims.len(), 1.0), noise(device, dims.len(), 1.0));
    let (mut h, mut dx) = (noise(device, dims.len(), 0.0), noise(device, dims.len(), 0.0));
    let params = noise(device, dims.norm_params_len(), 1.0);
    let mut grads = noise(device, dims.norm_params_len(), 0.0);
    let mut layer = BatchNorm::new(device, dims).expect("kernels");
    time(c, &format!("batch_norm_forward/{name}"), device, |stream| {
        layer.forward(stream, Statistics::Minibatch, &x, &params, &mut h)
    });
    time(c, &format!("batch_norm_backward/{name}"), device, |stream| {
        let (x, params, dh) = (&x, &params, &dh);
        layer.backward(stream, BatchNormBackwardArgs { x, params, dh, grads: &mut grads, dx: Some(&mut dx) })
    });
    let pool = MaxPool::new(device, dims).expect("kernels");
    let mut small = noise(device, dims.pooled().len(), 0.0);
    time(c, &format!("max_pool_forward/{name}"), device, |stream| pool.forward(stream, &x, &mut small));
    time(c, &format!("max_pool_backward/{name}"), device, |stream| pool.backward(stream, &x, &small, &mut dx));
}
