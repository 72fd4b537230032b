//! The built-in data set: 28×28 pictures of digits written by a shaky synthetic pen.
//!
//! It needs no file and no network, is made in well under a second, and has the same bits on every
//! platform. Measured when its difficulty was set (20,000 + 4,000 images, global normalisation): a
//! linear classifier has 14.7 % test error, a 784-128-10 ReLU network 1.1 %, a Gaussian-mixture
//! layer of 20 components 2.5 % after 25 epochs of `bures train`.

mod glyphs;
mod pen;

use glam::{Mat2, Vec2};
use rayon::prelude::*;

use super::rng::Stream;
use super::set::{Dataset, Features, ImageShape, Split, Targets};
use pen::{Canvas, SIDE};

/// Images to train on.
pub const TRAIN: usize = 20_000;
/// Images to test on.
pub const TEST: usize = 4_000;

/// Values per image.
const INPUTS: usize = SIDE * SIDE;
/// Digits 0 to 9.
const CLASSES: usize = 10;
/// The data set is one fixed draw: the seed of a training run does not change it.
const SEED: u64 = 1;

// How far the hand wanders. These constants set the difficulty stated above: shifts and turns are
// what a linear classifier cannot follow, wobble is what larger models still get wrong.
/// Largest turn to either side, in radians.
const TURN: f32 = 0.35;
/// Largest slant: how much x moves per unit of height.
const SLANT: f32 = 0.35;
/// Half the size of a digit in pixels before scaling, and the range of the scale per axis.
const HALF_SIZE: f32 = 9.5;
const SCALE: [f32; 2] = [0.7, 1.05];
/// Largest shift off the centre along each axis, in pixels.
const SHIFT: f32 = 2.2;
/// Standard deviation of each control point, where a digit is 2 high.
const WOBBLE: f32 = 0.08;
/// Radius of the pen in pixels.
const PEN: [f32; 2] = [0.6, 1.4];
/// Brightness of the ink, where 1 is white.
const INK: [f32; 2] = [0.75, 1.0];
/// Largest relative change of a pixel's ink.
const GRAIN: f32 = 0.05;
/// Share of pictures with a stray stroke.
const STRAY: f32 = 0.25;

/// Makes the data set: [`TRAIN`] + [`TEST`] images with labels 0 to 9, each class equally often.
pub fn generate() -> Dataset {
    Dataset {
        name: "strokes".to_owned(),
        train: split(0, TRAIN),
        test: split(TRAIN, TEST),
        inputs: INPUTS,
        image: Some(ImageShape { height: SIDE, width: SIDE, channels: 1 }),
        source: Vec::new(),
    }
}

/// Images `first..first + n` of the endless sequence; `first` and `n` are multiples of ten.
fn split(first: usize, n: usize) -> Split {
    let mut pixels = vec![0; n * INPUTS];
    let labels = labels(first, n);
    pixels.par_chunks_exact_mut(INPUTS).zip(&labels).enumerate().for_each(|(i, (image, &label))| {
        write_digit(&mut Stream::new(SEED, (first + i) as u64), label as usize, image);
    });
    Split { n, features: Features::U8(pixels), targets: Targets::Classes { labels, classes: CLASSES } }
}

/// Every block of ten images holds each digit once, in random order.
fn labels(first: usize, n: usize) -> Vec<u32> {
    let blocks = first / CLASSES..(first + n) / CLASSES;
    blocks
        .flat_map(|block| {
            // Streams from the top are those that no image uses.
            let mut stream = Stream::new(SEED, u64::MAX - block as u64);
            let mut digits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
            for last in (1..digits.len()).rev() {
                digits.swap(last, stream.below(last + 1));
            }
            digits
        })
        .collect()
}

fn write_digit(random: &mut Stream, digit: usize, image: &mut [u8]) {
    let ways = glyphs::ways(digit);
    let glyph = ways.get(random.below(ways.len())).copied().unwrap_or_default();
    let (posture, centre) = posture(random);
    let radius = between(random, PEN);
    let ink = between(random, INK);
    let mut canvas = Canvas::new();
    for stroke in glyph {
        let points: Vec<Vec2> = stroke
            .points
            .iter()
            .map(|&point| {
                let wobble = Vec2::new(random.normal() as f32, random.normal() as f32) * WOBBLE;
                centre + posture * (Vec2::from(point) + wobble)
            })
            .collect();
        canvas.draw(&pen::polyline(&points, stroke.smooth), radius, ink);
    }
    if random.chance(STRAY) {
        draw_stray(random, &mut canvas);
    }
    canvas.write(image, |ink| ink * (1.0 + GRAIN * random.between(-1.0, 1.0)));
}

/// Where this hand puts a digit: turn, slant and size, and the centre in pixels.
fn posture(random: &mut Stream) -> (Mat2, Vec2) {
    let turn = random.between(-TURN, TURN);
    let slant = random.between(-SLANT, SLANT);
    let size = Vec2::new(between(random, SCALE), between(random, SCALE)) * HALF_SIZE;
    let (sin, cos) = (libm::sinf(turn), libm::cosf(turn));
    let turned = Mat2::from_cols(Vec2::new(cos, sin), Vec2::new(-sin, cos));
    let slanted = Mat2::from_cols(Vec2::new(size.x, 0.0), Vec2::new(-slant * size.x, size.y));
    let middle = (SIDE - 1) as f32 / 2.0;
    let shift = Vec2::new(random.between(-SHIFT, SHIFT), random.between(-SHIFT, SHIFT));
    (turned * slanted, Vec2::splat(middle) + shift)
}

/// A short faint line that belongs to no digit.
fn draw_stray(random: &mut Stream, canvas: &mut Canvas) {
    let from = Vec2::new(random.between(2.0, 25.0), random.between(2.0, 25.0));
    let angle = random.between(0.0, std::f32::consts::TAU);
    let length = random.between(2.0, 6.0);
    let to = from + Vec2::new(libm::cosf(angle), libm::sinf(angle)) * length;
    canvas.draw(&[from, to], random.between(0.3, 0.8), random.between(0.3, 0.8));
}

fn between(random: &mut Stream, [low, high]: [f32; 2]) -> f32 {
    random.between(low, high)
}
