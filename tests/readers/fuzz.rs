//! Hostile bytes: every reader returns an error or a value that its bytes can hold, and never panics.
//!
//! `BURES_FUZZ_CASES` sets the number of cases per reader.

use std::path::Path;

use crate::common::{f32s, good_set, gzip, i64s, idx, nowhere, npy, npz, safetensors};
use bures::data::{LoadOptions, load};
use bures::io::{ArrayData, Npz, TensorData, Tensors};
use proptest::prelude::*;

/// Deflate's largest factor: what a packed file may grow by.
const GROWTH: usize = 1032;

fn config() -> ProptestConfig {
    let cases = std::env::var("BURES_FUZZ_CASES").ok().and_then(|c| c.parse().ok()).unwrap_or(300);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// A way to damage a file; positions are shares of its length.
#[derive(Debug, Clone)]
enum Damage {
    Set(f64, u8),
    Flip(f64, u8),
    Digit(f64, u8),
    Number32(f64, u32, bool),
    Number64(f64, u64),
    Cut(f64),
    Remove(f64, usize),
    Insert(f64, Vec<u8>),
    Repeat(f64, usize),
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>(),
        0..300u64,
        (0..64u32).prop_map(|shift| 1u64 << shift),
        (0..64u32).prop_map(|shift| (1u64 << shift).wrapping_sub(1)),
        (0..10u64).prop_map(|n| u64::MAX - n),
    ]
}

fn damage() -> impl Strategy<Value = Damage> {
    // Headers stand in front, so half of the damage is done there.
    let at = || prop_oneof![0.0..1.0f64, 0.0..0.1f64];
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(p, b)| Damage::Set(p, b)),
        (at(), 0..8u8).prop_map(|(p, b)| Damage::Flip(p, b)),
        (at(), b'0'..=b'9').prop_map(|(p, b)| Damage::Digit(p, b)),
        (at(), number(), any::<bool>()).prop_map(|(p, n, big)| Damage::Number32(p, n as u32, big)),
        (at(), number()).prop_map(|(p, n)| Damage::Number64(p, n)),
        at().prop_map(Damage::Cut),
        (at(), 1..40usize).prop_map(|(p, n)| Damage::Remove(p, n)),
        (at(), prop::collection::vec(any::<u8>(), 1..20)).prop_map(|(p, b)| Damage::Insert(p, b)),
        (at(), 1..60usize).prop_map(|(p, n)| Damage::Repeat(p, n)),
    ]
}

impl Damage {
    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let length = bytes.len();
        let place = |share: f64| ((share * length as f64) as usize).min(length - 1);
        let mut overwrite = |share: f64, new: &[u8]| {
            bytes.iter_mut().skip(place(share)).zip(new).for_each(|(b, n)| *b = *n);
        };
        match self {
            Self::Set(p, b) => overwrite(*p, &[*b]),
            Self::Flip(p, b) => bytes[place(*p)] ^= 1 << b,
            // The next decimal digit in a text header, so that it stays a number.
            Self::Digit(p, b) => {
                if let Some(digit) = bytes.iter_mut().skip(place(*p)).find(|d| d.is_ascii_digit()) {
                    *digit = *b;
                }
            }
            Self::Number32(p, n, true) => overwrite(*p, &n.to_be_bytes()),
            Self::Number32(p, n, false) => overwrite(*p, &n.to_le_bytes()),
            Self::Number64(p, n) => overwrite(*p, &n.to_le_bytes()),
            Self::Cut(p) => bytes.truncate(place(*p)),
            Self::Remove(p, n) => drop(bytes.drain(place(*p)..(place(*p) + n).min(length))),
            Self::Insert(p, new) => drop(bytes.splice(place(*p)..place(*p), new.iter().copied())),
            Self::Repeat(p, n) => {
                let part = bytes[place(*p)..(place(*p) + n).min(length)].to_vec();
                drop(bytes.splice(place(*p)..place(*p), part));
            }
        }
    }
}

/// One of `seeds` with damage, or (one time in eight) noise after a start that may be right.
fn hostile(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let starts: Vec<Vec<u8>> = seeds.iter().map(|s| s[..s.len().min(8)].to_vec()).chain([vec![]]).collect();
    let damaged = (prop::sample::select(seeds), prop::collection::vec(damage(), 0..5));
    prop_oneof![
        7 => damaged.prop_map(|(mut bytes, damages)| {
            damages.iter().for_each(|d| d.apply(&mut bytes));
            bytes
        }),
        1 => (prop::sample::select(starts), prop::collection::vec(any::<u8>(), 0..200))
            .prop_map(|(start, noise)| [start, noise].concat()),
    ]
}

fn idx_seeds() -> Vec<Vec<u8>> {
    vec![idx(&[3, 4, 5], &[9; 60]), idx(&[7], &[1, 2, 3, 4, 5, 6, 7]), idx(&[0], &[]), idx(&[2, 1, 1, 2], &[0; 4])]
}

fn npy_seeds() -> Vec<Vec<u8>> {
    vec![
        npy("<f4", false, "(2, 3)", &f32s(&[1.0; 6])),
        npy(">f8", true, "(2, 2, 2)", &[3; 64]),
        npy("|u1", true, "(4, 3)", &[5; 12]),
        npy("<i8", false, "(3,)", &i64s(&[0, 1, 2])),
        npy("|b1", false, "()", &[1]),
        npy("<f2", false, "(0, 9)", &[]),
    ]
}

fn safetensors_seeds() -> Vec<Vec<u8>> {
    let mut tensors = Tensors::default();
    tensors.metadata.insert("bures".into(), "{}".into());
    tensors.insert("a", &[2, 2], TensorData::F32(vec![1.0; 4]));
    tensors.insert("b", &[1], TensorData::F64(vec![2.0]));
    tensors.insert("c", &[0, 3], TensorData::U8(vec![]));
    let one = r#"{"t":{"dtype":"BF16","shape":[2,1],"data_offsets":[0,4]},"u":{"dtype":"I8","shape":[],"data_offsets":[4,5]}}"#;
    vec![tensors.to_bytes().unwrap(), safetensors(one, &[1; 5]), safetensors("{}", &[])]
}

/// A header of well-formed entries with numbers from nowhere.
fn lying_header() -> impl Strategy<Value = Vec<u8>> {
    let dtype = prop::sample::select(vec!["F32", "F64", "U8", "BF16", "I64", "BOOL", "F8_E4M3", "C64"]);
    let small = || prop_oneof![3 => 0..5u64, 1 => number()];
    let entry = (dtype, prop::collection::vec(small(), 0..4), prop_oneof![3 => 0..40u64, 1 => number()], small());
    (prop::collection::vec(entry, 0..10), 0..80usize, any::<bool>()).prop_map(|(entries, size, chained)| {
        let mut position = 0u64;
        let parts: Vec<String> = entries
            .iter()
            .enumerate()
            .map(|(i, (dtype, shape, length, gap))| {
                let start = if chained { position } else { *gap };
                position = start.wrapping_add(*length);
                format!("\"t{i}\":{{\"dtype\":\"{dtype}\",\"shape\":{shape:?},\"data_offsets\":[{start},{position}]}}")
            })
            .collect();
        safetensors(&format!("{{{}}}", parts.join(",")), &vec![0; size])
    })
}

fn holds(data: &ArrayData, shape: &[usize], available: usize) -> Result<(), TestCaseError> {
    prop_assert_eq!(data.len(), shape.iter().product::<usize>());
    prop_assert!(data.len() <= available, "{} values from {} bytes", data.len(), available);
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn idx_reader(bytes in hostile(idx_seeds()), pack in any::<bool>(), after in prop::collection::vec(damage(), 0..3)) {
        let mut bytes = bytes;
        if pack {
            bytes = gzip(&bytes);
            after.iter().for_each(|d| d.apply(&mut bytes));
        }
        if let Ok(read) = bures::data::idx::parse(&bytes, nowhere()) {
            prop_assert_eq!(read.data.len(), read.shape.iter().product::<usize>());
            prop_assert!(read.data.len() <= bytes.len() * GROWTH);
        }
    }

    #[test]
    fn npy_reader(bytes in hostile(npy_seeds())) {
        if let Ok(array) = bures::io::npy::parse(&bytes, nowhere()) {
            holds(&array.data, &array.shape, bytes.len())?;
            let _ = (array.finite_f32(nowhere(), "x"), array.integers());
        }
    }

    #[test]
    fn npz_reader(
        inner in hostile(npy_seeds()),
        deflate in any::<bool>(),
        after in prop::collection::vec(damage(), 0..4),
        whole in any::<bool>(),
    ) {
        let mut arrays = good_set();
        if !whole {
            arrays = vec![("a", npy("|u1", false, "(2,)", &[1, 2])), ("x_train", inner)];
        }
        let mut bytes = npz(&arrays, deflate);
        after.iter().for_each(|d| d.apply(&mut bytes));
        let file = tempfile::Builder::new().suffix(".npz").tempfile().unwrap();
        std::fs::write(file.path(), &bytes).unwrap();
        read_npz(file.path(), bytes.len())?;
    }

    #[test]
    fn safetensors_reader(bytes in prop_oneof![hostile(safetensors_seeds()), lying_header()]) {
        if let Ok(tensors) = Tensors::parse(&bytes, nowhere()) {
            let mut total = 0;
            for tensor in tensors.tensors.values() {
                prop_assert_eq!(tensor.data.len(), tensor.shape.iter().product::<usize>());
                total += tensor.data.len();
            }
            prop_assert!(total <= bytes.len());
            prop_assert!(safetensors::SafeTensors::deserialize(&bytes).is_ok(), "the reference reader refuses");
            // What was read can be written, and reads back as the same bytes.
            let written = tensors.to_bytes().unwrap();
            let again = Tensors::parse(&written, nowhere()).and_then(|t| t.to_bytes()).unwrap();
            prop_assert_eq!(again, written);
        }
    }
}

fn read_npz(path: &Path, size: usize) -> Result<(), TestCaseError> {
    if let Ok(mut archive) = Npz::open(path) {
        for name in archive.names() {
            if let Ok(array) = archive.array(&name) {
                holds(&array.data, &array.shape, size * GROWTH)?;
            }
        }
    }
    let _ = load(&path.to_string_lossy(), &LoadOptions::default());
    Ok(())
}
