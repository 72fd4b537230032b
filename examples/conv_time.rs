//! Times the convolutions of the VGG-like network of the paper's Figure 8 on the CPU, forward and backward. Prints a line of JSON for each.
//!
//! `benches/peers/conv_compare.py` runs it beside PyTorch.

use std::time::Instant;

use bures::reference::philox::Philox;
use bures::reference::{awake, conv};
use bures::shape::{ConvDims, ImageDims};

/// Channels in and out, and the side of the pictures.
const SHAPES: [[usize; 3]; 4] = [[3, 64, 32], [64, 128, 32], [128, 256, 16], [256, 256, 16]];

fn main() -> bures::Result<()> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse().expect("arguments are numbers: batch, repeats"));
    let (batch, repeats): (usize, usize) = (numbers.next().unwrap_or(64), numbers.next().unwrap_or(3));
    for [channels, outputs, side] in SHAPES {
        let dims = ConvDims { images: ImageDims { runs: 1, batch, channels, height: side, width: side }, outputs };
        let mut random = Philox::new(1, 0);
        let mut values = |len: usize| -> Vec<f32> { (0..len).map(|_| random.uniform() as f32 - 0.5).collect() };
        let (x, params, dh) = (values(dims.images.len()), values(dims.params_len()), values(dims.made().len()));
        let (mut h, mut grads, mut dx) = (vec![0.0; dh.len()], vec![0.0; params.len()], vec![0.0; x.len()]);
        let time = |pass: &mut dyn FnMut() -> bures::Result<()>| -> bures::Result<f64> {
            pass()?;
            let start = Instant::now();
            for _ in 0..repeats {
                pass()?;
            }
            Ok(1e3 * start.elapsed().as_secs_f64() / repeats as f64)
        };
        let (forward, backward) = awake(|| -> bures::Result<_> {
            let forward = time(&mut || conv::forward(dims, &x, &params, &mut h))?;
            // The first layer's input is data: nobody asks for its gradient.
            let wanted = channels > 3;
            let backward = time(&mut || conv::backward(dims, &x, &params, &dh, &mut grads, wanted.then_some(&mut dx)))?;
            Ok((forward, backward))
        })?;
        println!("{{\"shape\":[{channels},{outputs},{side}],\"forward\":{forward:.3},\"backward\":{backward:.3}}}");
    }
    Ok(())
}
