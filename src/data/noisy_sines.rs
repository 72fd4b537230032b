//! The one-dimensional regression problem on which predictive distributions are drawn.

use super::rng::Stream;
use super::set::{Dataset, Features, Split, Targets};
use std::f64::consts::PI;

/// Standard deviation of the noise.
const NOISE: f64 = 0.1;

/// x ~ U(−1, 1), y = x + 0.3 sin 2πx + 0.3 sin 4πx + N(0, 0.1²); 1,000 training and 200 test points.
pub(super) fn generate(seed: u64) -> Dataset {
    Dataset {
        name: "noisy-sines".to_owned(),
        train: split(seed, 0, 1000),
        test: split(seed, 1, 200),
        inputs: 1,
        image: None,
        source: Vec::new(),
    }
}

fn split(seed: u64, stream: u64, n: usize) -> Split {
    let mut random = Stream::new(seed, stream);
    let (xs, values) = (0..n)
        .map(|_| {
            let x = 2.0 * random.unit_f64() - 1.0;
            let sines = 0.3 * libm::sin(2.0 * PI * x) + 0.3 * libm::sin(4.0 * PI * x);
            (x as f32, (x + sines + NOISE * random.normal()) as f32)
        })
        .unzip();
    Split { n, features: Features::F32(xs), targets: Targets::Values { values, outputs: 1 } }
}
