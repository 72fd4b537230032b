//! safetensors files.

use crate::common::{f32s, nowhere, refused, safetensors};
use bures::io::{TensorData, Tensors};

fn example() -> Tensors {
    let mut tensors = Tensors::default();
    tensors.metadata.insert("bures".into(), "{\"format\":1}".into());
    tensors.metadata.insert("another".into(), "ü".into());
    tensors.insert("b", &[3], TensorData::U8(vec![1, 2, 3]));
    tensors.insert("layers.0.mu", &[2, 2], TensorData::F32(vec![1.5, -0.0, f32::NAN, f32::MIN_POSITIVE]));
    tensors.insert("weights", &[], TensorData::F64(vec![0.1]));
    tensors.insert("steps", &[1], TensorData::U64(vec![u64::MAX]));
    tensors.insert("labels", &[2, 1], TensorData::U32(vec![7, u32::MAX]));
    tensors.insert("signed", &[1], TensorData::I64(vec![i64::MIN]));
    tensors.insert("none", &[0, 5], TensorData::F32(vec![]));
    tensors
}

#[test]
fn round_trips_every_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    let tensors = example();
    tensors.write(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let back = Tensors::read(&path).unwrap();
    assert_eq!(back.metadata, tensors.metadata);
    assert_eq!(back.to_bytes().unwrap(), bytes, "equal contents are equal bytes, NaN included");
    assert_eq!(example().to_bytes().unwrap(), bytes);
}

#[test]
fn the_reference_implementation_agrees() {
    let bytes = example().to_bytes().unwrap();
    let reference = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(reference.len(), 7);
    let mu = reference.tensor("layers.0.mu").unwrap();
    assert_eq!((mu.dtype(), mu.shape()), (safetensors::Dtype::F32, &[2, 2][..]));
    assert_eq!(mu.data(), f32s(&[1.5, -0.0, f32::NAN, f32::MIN_POSITIVE]));
    let (_, metadata) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    assert_eq!(metadata.metadata().as_ref().unwrap()["another"], "ü");
    for (_, view) in reference.iter() {
        let offset = view.data().as_ptr() as usize - bytes.as_ptr() as usize;
        assert_eq!(offset % view.dtype().bitsize().div_ceil(8), 0, "tensors are aligned in the file");
    }

    let data = f32s(&[1.0, 2.0]);
    let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![2], &data).unwrap();
    let written = safetensors::serialize([("w", view)], None).unwrap();
    let read = Tensors::parse(&written, nowhere()).unwrap();
    assert_eq!(read.finite_f32("w", nowhere()).unwrap(), (&[2][..], vec![1.0, 2.0]));
}

#[test]
fn widens_small_types() {
    let cases: [(&str, &[u8], TensorData); 6] = [
        ("F16", &[0, 0xc0], TensorData::F32(vec![-2.0])),
        ("BF16", &[0x80, 0x3f], TensorData::F32(vec![1.0])),
        ("BOOL", &[1], TensorData::U8(vec![1])),
        ("I8", &[255], TensorData::I64(vec![-1])),
        ("I32", &[254, 255, 255, 255], TensorData::I64(vec![-2])),
        ("U16", &[1, 1], TensorData::U32(vec![257])),
    ];
    for (dtype, data, expected) in cases {
        let header = format!("{{\"t\":{{\"dtype\":\"{dtype}\",\"shape\":[1],\"data_offsets\":[0,{}]}}}}", data.len());
        let read = Tensors::parse(&safetensors(&header, data), nowhere()).unwrap();
        assert_eq!(read.get("t", nowhere()).unwrap().data, expected, "{dtype}");
    }
}

#[test]
fn refuses_bad_files() {
    let entry = |name: &str, dtype: &str, shape: &str, from: u64, to: u64| {
        format!("\"{name}\":{{\"dtype\":\"{dtype}\",\"shape\":{shape},\"data_offsets\":[{from},{to}]}}")
    };
    let file = |entries: &[String], size: usize| safetensors(&format!("{{{}}}", entries.join(",")), &vec![0; size]);
    let huge = u64::MAX;
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty", vec![], "shorter than 8 bytes"),
        ("huge header", [&huge.to_le_bytes()[..], b"{}"].concat(), "promises a header"),
        ("header beyond the file", [&[9, 0, 0, 0, 0, 0, 0, 0][..], b"{}"].concat(), "2 bytes follow"),
        ("no JSON", safetensors("}", &[]), "header is wrong"),
        ("deep JSON", safetensors(&"[".repeat(100_000), &[]), "header is wrong"),
        ("metadata of numbers", safetensors("{\"__metadata__\":{\"a\":1}}", &[]), "header is wrong"),
        ("offsets beyond the file", file(&[entry("t", "F32", "[4]", 0, 16)], 8), "tensor t claims bytes 0..16"),
        ("offsets reversed", file(&[entry("t", "F32", "[1]", 4, 0)], 4), "tensor t claims"),
        ("overlap", file(&[entry("a", "F32", "[2]", 0, 8), entry("b", "F32", "[1]", 4, 8)], 8), "tensor b claims"),
        ("gap", file(&[entry("a", "F32", "[1]", 0, 4), entry("b", "F32", "[1]", 8, 12)], 12), "tensor b claims"),
        ("bytes left", file(&[entry("a", "F32", "[1]", 0, 4)], 12), "8 bytes belong to no tensor"),
        ("lying shape", file(&[entry("t", "F32", "[3]", 0, 8)], 8), "does not fit the 8 bytes"),
        ("overflowing shape", file(&[entry("t", "F32", "[4294967296,4294967296]", 0, 8)], 8), "does not fit"),
        ("offset overflow", file(&[entry("t", "U8", "[18446744073709551615]", 0, huge)], 8), "tensor t claims"),
        ("negative shape", file(&[entry("t", "F32", "[-1]", 0, 8)], 8), "header is wrong"),
        ("odd type", file(&[entry("t", "C64", "[1]", 0, 8)], 8), "type C64"),
    ];
    for (case, bytes, words) in cases {
        refused(case, Tensors::parse(&bytes, nowhere()), words);
    }
}

#[test]
fn names_what_is_missing_or_not_finite() {
    let tensors = example();
    refused("missing", tensors.get("layers.0.sigma", nowhere()), "layers.0.sigma is missing; the file holds b, labels");
    refused("NaN", tensors.finite_f32("layers.0.mu", nowhere()), "tensor layers.0.mu, value 2: NaN");
    refused("integers", tensors.finite_f32("b", nowhere()), "holds U8");
    let mut wrong = Tensors::default();
    wrong.insert("t", &[2], TensorData::U8(vec![1]));
    refused("shape", wrong.to_bytes(), "tensor t");
    let mut reserved = Tensors::default();
    reserved.insert("__metadata__", &[1], TensorData::U8(vec![1]));
    refused("reserved name", reserved.to_bytes(), "__metadata__");
}
