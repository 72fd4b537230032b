//! `.npy` and `.npz`.

use crate::common::{f32s, i64s, nowhere, npy, npy_header, npz, refused};
use bures::io::npy::parse;
use bures::io::{ArrayData, Npz, read_npy, write_npy_f32, write_npy_f64, write_npy_i64};

#[test]
fn reads_every_plain_type() {
    let cases: Vec<(&str, &str, Vec<u8>, ArrayData)> = vec![
        ("|b1", "(2,)", vec![0, 1], ArrayData::Bool(vec![false, true])),
        ("|u1", "(2,)", vec![0, 255], ArrayData::U8(vec![0, 255])),
        ("|i1", "(2,)", vec![1, 255], ArrayData::I32(vec![1, -1])),
        ("<i2", "(1,)", vec![254, 255], ArrayData::I32(vec![-2])),
        (">i2", "(1,)", vec![255, 254], ArrayData::I32(vec![-2])),
        (">u2", "(1,)", vec![1, 2], ArrayData::U32(vec![258])),
        ("<i4", "()", vec![1, 0, 0, 0], ArrayData::I32(vec![1])),
        (">u4", "(1,)", vec![0, 0, 1, 0], ArrayData::U32(vec![256])),
        ("<i8", "(1,1)", i64s(&[-5]), ArrayData::I64(vec![-5])),
        ("<u8", "(1,)", i64s(&[-1]), ArrayData::U64(vec![u64::MAX])),
        (
            "<f2",
            "(4,)",
            vec![0, 0x3c, 1, 0, 0xff, 0x7b, 0, 0xfc],
            ArrayData::F32(vec![1.0, 2f32.powi(-24), 65504.0, f32::NEG_INFINITY]),
        ),
        ("<f4", "(2,)", f32s(&[1.5, -2.0]), ArrayData::F32(vec![1.5, -2.0])),
        (">f4", "(1,)", 1.5f32.to_be_bytes().to_vec(), ArrayData::F32(vec![1.5])),
        (">f8", "(1,)", 0.1f64.to_be_bytes().to_vec(), ArrayData::F64(vec![0.1])),
        ("<f4", "(0, 3)", vec![], ArrayData::F32(vec![])),
    ];
    for (descr, shape, bytes, expected) in cases {
        assert_eq!(parse(&npy(descr, false, shape, &bytes), nowhere()).unwrap().data, expected, "{descr}");
    }
}

#[test]
fn reads_fortran_order_and_later_versions() {
    // The array [[[0,1,2,3],[4,5,6,7],[8,…]],[[12,…]]] of shape 2×3×4, first index fastest.
    let data: Vec<u8> =
        (0..4).flat_map(|k| (0..3).flat_map(move |j| (0..2).map(move |i| (i * 12 + j * 4 + k) as u8))).collect();
    let array = parse(&npy("|u1", true, "(2, 3, 4)", &data), nowhere()).unwrap();
    assert_eq!(array.data, ArrayData::U8((0..24).collect()));
    for version in [2, 3] {
        let header = b"{\"shape\":(1,),'fortran_order':False,'descr':'|u1'}";
        let mut bytes = b"\x93NUMPY".to_vec();
        bytes.extend([version, 0]);
        bytes.extend((header.len() as u32).to_le_bytes());
        bytes.extend(header);
        bytes.push(42);
        assert_eq!(parse(&bytes, nowhere()).unwrap().data, ArrayData::U8(vec![42]));
    }
}

#[test]
fn refuses_bad_arrays() {
    let good = npy("<f4", false, "(2,)", &f32s(&[1.0, 2.0]));
    let dict = |text: &str| npy_header(text, &[]);
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty", vec![], "\\x93NUMPY"),
        ("magic only", b"\x93NUMPY".to_vec(), "ends inside its header"),
        ("version 9", [b"\x93NUMPY\x09\x00", &good[8..]].concat(), "version 9.0"),
        ("header beyond the file", good[..20].to_vec(), "longer than the file"),
        ("huge header", b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}".to_vec(), "longer than the file"),
        ("no dictionary", dict("[]"), "'{' is missing"),
        ("missing key", dict("{'descr': '<f4', 'shape': (1,)}"), "fortran_order is missing"),
        ("odd key", dict("{'evil': 'x'}"), "\"evil\""),
        ("open quote", dict("{'descr"), "not closed"),
        ("trailing text", dict("{'descr':'<f4','fortran_order':False,'shape':()} x"), "follows the dictionary"),
        ("negative dimension", npy("<f4", false, "(-1,)", &[]), "not a number"),
        ("overflowing dimension", npy("<f4", false, "(99999999999999999999,)", &[]), "not a number"),
        ("overflowing shape", npy("<f4", false, "(4294967296, 4294967296, 4294967296)", &[]), "promises shape"),
        ("lying shape", npy("<f4", false, "(3,)", &f32s(&[1.0, 2.0])), "promises shape [3]"),
        ("trailing values", npy("<f4", false, "(1,)", &f32s(&[1.0, 2.0])), "promises shape [1]"),
        ("objects", npy("|O", false, "(1,)", &[0; 8]), "never loaded"),
        ("text", npy("<U5", false, "(1,)", &[0; 20]), "not a plain number"),
        ("no byte order", npy("f4", false, "(1,)", &[0; 4]), "byte order"),
        ("non-ASCII type", npy("<é", false, "(1,)", &[0; 4]), "not a plain number"),
        ("records", dict("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}"), "named fields"),
        ("many dimensions", npy("|u1", false, &format!("({})", "1,".repeat(65)), &[1]), "more than 64"),
    ];
    for (case, bytes, words) in cases {
        refused(case, parse(&bytes, nowhere()), words);
    }
}

#[test]
fn names_the_value_that_is_not_finite() {
    let array = parse(&npy("<f4", false, "(2, 2)", &f32s(&[1.0, 2.0, 3.0, f32::NAN])), nowhere()).unwrap();
    refused("NaN", array.finite_f32(nowhere(), "x_train"), "x_train[1, 1] is NaN");
    let wide = parse(&npy("<f8", false, "(1,)", &1e300f64.to_le_bytes()), nowhere()).unwrap();
    refused("beyond f32", wide.finite_f32(nowhere(), "x"), "x[0] is inf");
}

#[test]
fn writes_what_it_reads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npy");
    let values = [1.5f32, -0.0, f32::MIN_POSITIVE / 2.0, f32::MAX, 1e-45, 3.0];
    write_npy_f32(&path, &[2, 3], &values).unwrap();
    let read = read_npy(&path).unwrap();
    assert_eq!(read.shape, [2, 3]);
    let ArrayData::F32(back) = read.data else { panic!("wrong type") };
    assert!(back.iter().zip(&values).all(|(a, b)| a.to_bits() == b.to_bits()));
    assert_eq!(std::fs::metadata(&path).unwrap().len() % 64, 24, "the values start at a multiple of 64");
    write_npy_f64(&path, &[], &[0.1]).unwrap();
    assert_eq!(read_npy(&path).unwrap().data, ArrayData::F64(vec![0.1]));
    write_npy_i64(&path, &[2], &[i64::MIN, i64::MAX]).unwrap();
    assert_eq!(read_npy(&path).unwrap().data, ArrayData::I64(vec![i64::MIN, i64::MAX]));
    refused("shape and values differ", write_npy_f32(&path, &[7], &values), "[7]");
}

#[test]
fn reads_archives_and_refuses_bad_ones() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npz");
    let write = |bytes: &[u8]| std::fs::write(&path, bytes).unwrap();
    let array = npy("<f4", false, "(2,)", &f32s(&[1.0, 2.0]));
    for deflate in [false, true] {
        write(&npz(&[("b", array.clone()), ("a", array.clone())], deflate));
        let mut archive = Npz::open(&path).unwrap();
        assert_eq!(archive.names(), ["a", "b"]);
        assert_eq!(archive.array("a").unwrap().data, ArrayData::F32(vec![1.0, 2.0]));
        refused("missing array", archive.array("c"), "array c: not in the archive, which holds a, b");
    }
    write(&npz(&[("a", npy("|O", false, "(1,)", &[0; 8]))], true));
    refused("objects", Npz::open(&path).unwrap().array("a"), "array a: the array holds Python objects");
    write(b"not a zip archive");
    refused("no archive", Npz::open(&path), "not a readable .npz");
    write(&npz(&[("a", array)], true)[..40]);
    refused("cut archive", Npz::open(&path), "not a readable .npz");
    refused("no file", Npz::open(folder.path().join("none.npz")), "cannot read");
}

/// Both size fields of an entry's local and central headers are made to lie.
#[test]
fn refuses_an_archive_that_claims_the_impossible() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npz");
    let data = npy("|u1", false, "(1000,)", &[0; 1000]);
    for claim in [2_000_000_000u32, 5000, 10] {
        let mut bytes = npz(&[("a", data.clone())], true);
        let central = bytes.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
        bytes[22..26].copy_from_slice(&claim.to_le_bytes());
        bytes[central + 24..central + 28].copy_from_slice(&claim.to_le_bytes());
        std::fs::write(&path, &bytes).unwrap();
        refused("lying size", Npz::open(&path).and_then(|mut a| a.array("a")), "array a");
    }
}
