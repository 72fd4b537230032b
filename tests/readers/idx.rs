//! The IDX reader and the folders of four files.

use crate::common::{gzip, idx, nowhere, refused};
use bures::data::idx::parse;
use bures::data::{Features, LoadOptions, Targets, load};

#[test]
fn reads_plain_and_gzipped() {
    let plain = idx(&[2, 2, 3], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    let read = parse(&plain, nowhere()).unwrap();
    assert_eq!(read.shape, [2, 2, 3]);
    assert_eq!(read.data, (1..=12).collect::<Vec<u8>>());
    assert_eq!(parse(&gzip(&plain), nowhere()).unwrap(), read);
}

#[test]
fn refuses_bad_files() {
    let good = idx(&[2, 3], &[1, 2, 3, 4, 5, 6]);
    let packed = gzip(&idx(&[100, 100], &vec![3; 10_000]));
    let mut corrupt = packed.clone();
    let last = corrupt.len() - 6;
    corrupt[last] ^= 0xff;
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty", vec![], "ends too early"),
        ("text", b"<html>".to_vec(), "not with 00 00 08"),
        ("wrong magic", [&[0, 1], &good[2..]].concat(), "not with 00 00 08"),
        ("float values", [&[0, 0, 13], &good[3..]].concat(), "not unsigned bytes"),
        ("no dimensions", vec![0, 0, 8, 0], "number of dimensions"),
        ("200 dimensions", vec![0, 0, 8, 200], "number of dimensions"),
        ("cut in the dimensions", good[..7].to_vec(), "ends too early"),
        ("cut in the data", good[..good.len() - 1].to_vec(), "it is cut off"),
        ("far too few bytes", idx(&[100], &[1; 9]), "more bytes than the file can hold"),
        ("trailing byte", [good.clone(), vec![0]].concat(), "more bytes follow"),
        ("overflowing dimensions", idx(&[u32::MAX; 4], &[0; 8]), "more bytes than the file can hold"),
        ("huge dimensions", idx(&[u32::MAX], &[0; 8]), "more bytes than the file can hold"),
        ("gzip cut", packed[..packed.len() / 2].to_vec(), "it ends too early"),
        ("gzip with a wrong sum", corrupt, "damaged gzip"),
        ("gzip with huge dimensions", gzip(&idx(&[u32::MAX; 2], &[0; 8])), "more bytes than the file can hold"),
        ("gzip with too few bytes", gzip(&idx(&[1000], &[0; 8])), "cut off"),
        ("gzip of zeros for a small array", gzip(&idx(&[4], &vec![0; 1 << 20])), "more bytes follow"),
    ];
    for (case, bytes, words) in cases {
        refused(case, parse(&bytes, nowhere()), words);
    }
}

/// Four files of 2×2 pictures in `folder/mnist`.
fn write_set(folder: &std::path::Path, train_labels: &[u8]) {
    let folder = folder.join("mnist");
    std::fs::create_dir_all(&folder).unwrap();
    let put = |name: &str, bytes: Vec<u8>| std::fs::write(folder.join(name), bytes).unwrap();
    put("train-images-idx3-ubyte.gz", gzip(&idx(&[3, 2, 2], &[8; 12])));
    put("train-labels-idx1-ubyte", idx(&[train_labels.len() as u32], train_labels));
    put("t10k-images-idx3-ubyte", idx(&[1, 2, 2], &[4; 4]));
    put("t10k-labels-idx1-ubyte.gz", gzip(&idx(&[1], &[9])));
}

#[test]
fn loads_a_folder_of_mixed_packing() {
    let folder = tempfile::tempdir().unwrap();
    write_set(folder.path(), &[0, 1, 9]);
    let options = LoadOptions { folders: vec!["nowhere".into(), folder.path().into()], ..LoadOptions::default() };
    let set = load("mnist", &options).unwrap();
    assert_eq!((set.train.n, set.test.n, set.inputs), (3, 1, 4));
    assert_eq!(set.train.features, Features::U8(vec![8; 12]));
    assert_eq!(set.train.targets, Targets::Classes { labels: vec![0, 1, 9], classes: 10 });
    assert_eq!(set.train.targets.outputs(), 9);
    assert_eq!(set.source.len(), 4);
    let sum = bures::io::sha256_file(&set.source[0].path).unwrap();
    assert_eq!(set.source[0].sha256, sum);
}

#[test]
fn refuses_folders_that_make_no_sense() {
    let folder = tempfile::tempdir().unwrap();
    let options = LoadOptions { folders: vec![folder.path().into()], ..LoadOptions::default() };
    write_set(folder.path(), &[0, 10, 9]);
    refused("label out of range", load("mnist", &options), "label 10 of example 1 is not below the 10 classes");
    write_set(folder.path(), &[0, 1]);
    refused("too few labels", load("mnist", &options), "2 labels for the 3 images");
    std::fs::remove_file(folder.path().join("mnist/train-labels-idx1-ubyte")).unwrap();
    refused("a file is missing", load("mnist", &options), "train-labels-idx1-ubyte[.gz] is missing");
}

#[test]
fn says_where_a_missing_set_was_looked_for() {
    let options = LoadOptions { folders: vec!["./data".into()], ..LoadOptions::default() };
    let text = load("mnist", &options).unwrap_err().to_string();
    assert_eq!(
        text.replace('\\', "/"),
        "data set mnist not found: looked for train-images-idx3-ubyte[.gz] in ./data/mnist\n  \
         Put the four IDX files there, or set BURES_DATA to the folder that holds mnist/. They are published at the \
         address that `bures data mnist` prints."
    );
}
