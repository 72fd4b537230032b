//! The stored quantizers: `assets/quantizers/normal-1-1000.bin`.
//!
//! Only the positive half of every quantizer is stored, as multiples of 2⁻⁵²: all points lie below 8, and between 1 and 2 this is the spacing of
//! `f64`. The points of a quantizer lie on a smooth curve, so that their eighth differences are small integers. They are written in bytes
//! of seven bits, low first, the sign folded into the lowest bit, and the whole is a raw deflate stream. Integers come back exactly, and
//! the file is a quarter of the two megabytes that the plain numbers take.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use crate::{Error, Result};

/// Stored quantizers have 1 to this many points.
pub const LARGEST: usize = 1000;

/// The unit in which points are stored.
const UNIT: f64 = 1.0 / (1u64 << 52) as f64;

/// How often differences are taken.
const ORDER: usize = 8;

/// The nearest number that the asset can hold.
pub fn rounded(point: f64) -> f64 {
    (point / UNIT).round() * UNIT
}

/// Writes positive halves, in order.
///
/// # Errors
/// [`Error::Numeric`] when the compressor fails.
pub fn encode(halves: &[Vec<f64>]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for half in halves {
        let mut values: Vec<i64> = half.iter().map(|&point| (point / UNIT).round() as i64).collect();
        for _ in 0..ORDER {
            for i in (1..values.len()).rev() {
                values[i] = values[i].wrapping_sub(values[i - 1]);
            }
        }
        values.into_iter().for_each(|value| push(&mut bytes, value));
    }
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&bytes).and_then(|()| encoder.finish()).map_err(broken)
}

/// Undoes [`encode`]: the positive halves of the quantizers of `1..=count` points.
///
/// # Errors
/// [`Error::Numeric`] when the bytes end too early.
pub fn decode(asset: &[u8], count: usize) -> Result<Vec<Vec<f64>>> {
    let mut bytes = Vec::new();
    DeflateDecoder::new(asset).read_to_end(&mut bytes).map_err(broken)?;
    let mut bytes = bytes.into_iter();
    let half = |n: usize| {
        let mut values = (0..n / 2).map(|_| pull(&mut bytes)).collect::<Option<Vec<i64>>>()?;
        for _ in 0..ORDER {
            for i in 1..values.len() {
                values[i] = values[i].wrapping_add(values[i - 1]);
            }
        }
        Some(values.into_iter().map(|value| value as f64 * UNIT).collect())
    };
    let halves: Option<Vec<Vec<f64>>> = (1..=count).map(half).collect();
    halves.ok_or_else(|| Error::numeric("quantizers", "the stored table ends too early"))
}

fn push(bytes: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest > 0x7f {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
}

fn pull(bytes: &mut impl Iterator<Item = u8>) -> Option<i64> {
    let mut folded = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = bytes.next()?;
        folded |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some((folded >> 1) as i64 ^ -((folded & 1) as i64));
        }
    }
    None
}

fn broken(error: std::io::Error) -> Error {
    Error::numeric("quantizers", format!("the stored table is damaged: {error}"))
}
