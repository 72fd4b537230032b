//! The built-in data set is the same everywhere and balanced.

use bures::data::{Dataset, Features, ImageShape, LoadOptions, Split, Targets, load};
use bures::io::sha256_bytes;

fn parts(split: &Split) -> (&[u8], &[u32]) {
    match (&split.features, &split.targets) {
        (Features::U8(pixels), Targets::Classes { labels, classes: 10 }) => (pixels, labels),
        _ => panic!("strokes are u8 pictures of ten classes"),
    }
}

fn sum(set: &Dataset) -> String {
    let mut bytes = Vec::new();
    for split in [&set.train, &set.test] {
        let (pixels, labels) = parts(split);
        bytes.extend_from_slice(pixels);
        bytes.extend(labels.iter().map(|&l| l as u8));
    }
    sha256_bytes(&bytes)
}

#[test]
fn strokes_have_the_same_bits_everywhere() {
    let start = std::time::Instant::now();
    let set = load("strokes", &LoadOptions { seed: 7, ..LoadOptions::default() }).unwrap();
    println!("strokes made in {:.3} s", start.elapsed().as_secs_f64());
    assert_eq!((set.train.n, set.test.n, set.inputs), (20_000, 4_000, 784));
    assert_eq!(set.image, Some(ImageShape { height: 28, width: 28, channels: 1 }));
    assert_eq!(sum(&set), "bc1d078129e3e9284cc218a11f70ff2612a6dbf31280c2786276692c5d1c9b40");
}

#[test]
fn every_digit_is_drawn_equally_often() {
    let set = bures::data::strokes::generate();
    for (split, per_class) in [(&set.train, 2000), (&set.test, 400)] {
        let (pixels, labels) = parts(split);
        for digit in 0..10 {
            assert_eq!(labels.iter().filter(|&&l| l == digit).count(), per_class);
        }
        for image in pixels.chunks(784) {
            let ink = image.iter().filter(|&&p| p > 100).count();
            assert!((10..400).contains(&ink), "an image has {ink} inked pixels");
        }
    }
    let (train, _) = parts(&set.train);
    let (test, _) = parts(&set.test);
    let seen: std::collections::HashSet<&[u8]> = train.chunks(784).collect();
    assert!(seen.len() == 20_000 && test.chunks(784).all(|image| !seen.contains(image)));
}
