//! Data sets of people, of UCI, and generated ones; and the list of names.

use std::path::Path;

use crate::common::{f32s, good_set, i64s, npy, npz, refused, skip};
use bures::data::{Dataset, Features, FileState, ImageShape, KNOWN, LoadOptions, Targets, check, known, load};
use bures::{Error, Result};

fn load_npz(folder: &Path, arrays: &[(&str, Vec<u8>)]) -> Result<Dataset> {
    let path = folder.join("mine.npz");
    std::fs::write(&path, npz(arrays, true)).unwrap();
    load(&path.to_string_lossy(), &LoadOptions::default())
}

#[test]
fn loads_classes_and_values() {
    let folder = tempfile::tempdir().unwrap();
    let set = load_npz(folder.path(), &good_set()).unwrap();
    assert_eq!((set.name.as_str(), set.train.n, set.test.n, set.inputs), ("mine", 4, 2, 4));
    assert_eq!(set.image, Some(ImageShape { height: 2, width: 2, channels: 1 }));
    assert_eq!(set.train.targets, Targets::Classes { labels: vec![0, 1, 2, 1], classes: 3 });
    assert_eq!(set.source[0].sha256, bures::io::sha256_file(folder.path().join("mine.npz")).unwrap());
    let regression = [
        ("x_train", npy("<f4", false, "(2, 1)", &f32s(&[0.5, 1.5]))),
        ("y_train", npy("<f4", false, "(2, 2)", &f32s(&[1.0, 2.0, 3.0, 4.0]))),
        ("x_test", npy("<f4", false, "(1, 1)", &f32s(&[2.5]))),
        ("y_test", npy("<f4", false, "(1, 2)", &f32s(&[5.0, 6.0]))),
    ];
    let set = load_npz(folder.path(), &regression).unwrap();
    assert_eq!(set.train.features, Features::F32(vec![0.5, 1.5]));
    assert_eq!(set.train.targets, Targets::Values { values: vec![1.0, 2.0, 3.0, 4.0], outputs: 2 });
    assert_eq!(set.train.targets.outputs(), 2);
}

#[test]
fn refuses_sets_that_make_no_sense() {
    let folder = tempfile::tempdir().unwrap();
    let nan = f32s(&[1.0, 2.0, 3.0, f32::NAN]);
    let cases: Vec<(&str, &str, Vec<u8>, &str)> = vec![
        ("NaN", "x_train", npy("<f4", false, "(4, 1)", &nan), "x_train has 1 values"),
        ("NaN in one column", "x_test", npy("<f4", false, "(2, 4)", &f32s(&[f32::INFINITY; 8])), "x_test[0, 0] is inf"),
        ("no examples", "x_train", npy("|u1", false, "(0, 2, 2)", &[]), "holds no examples"),
        ("a single number", "x_test", npy("|u1", false, "()", &[1]), "holds no examples"),
        ("empty rows", "x_train", npy("|u1", false, "(4, 0)", &[]), "holds no examples"),
        (
            "lengths differ",
            "y_train",
            npy("<i8", false, "(3,)", &i64s(&[0, 1, 2])),
            "x_train has 4 examples, y_train 3",
        ),
        ("negative label", "y_train", npy("<i8", false, "(4,)", &i64s(&[0, -1, 2, 1])), "y_train[1] is -1"),
        (
            "huge label",
            "y_test",
            npy("<i8", false, "(2,)", &i64s(&[0, i64::MAX])),
            "y_test: a label is 1048576 or more",
        ),
        ("beyond i64", "y_test", npy("<u8", false, "(2,)", &i64s(&[0, -1])), "y_test: a label is"),
        ("label rows", "y_train", npy("<i8", false, "(4, 2)", &i64s(&[0; 8])), "one integer per example"),
        ("mixed kinds", "y_test", npy("<f4", false, "(2,)", &f32s(&[0.0, 1.0])), "the other floats"),
        ("objects", "y_test", npy("|O", false, "(2,)", &[0; 16]), "array y_test: the array holds Python objects"),
    ];
    for (case, name, bytes, words) in cases {
        let mut set = good_set();
        set.iter_mut().filter(|(n, _)| *n == name).for_each(|(_, b)| *b = bytes.clone());
        refused(case, load_npz(folder.path(), &set), words);
    }
    refused("an array is missing", load_npz(folder.path(), &good_set()[..3]), "array y_test: not in the archive");
    refused("no such file", load("/nowhere/set.npz", &LoadOptions::default()), "cannot read");
}

/// A table of 4 rows whose last column is the target.
fn write_uci(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let put = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    put("data.txt", "1 2\t10\r\n3 4 20\n5 6 30\n  7 8 4e1 \n\n");
    put("index_features.txt", "0\n1\n");
    put("index_target.txt", "2\n");
    put("index_train_0.txt", "0\n2\n1.000e+00\n");
    put("index_test_0.txt", "3\n");
}

#[test]
fn reads_uci_tables() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("uci/bostonHousing");
    write_uci(&folder);
    let options = LoadOptions { folders: vec![root.path().into()], ..LoadOptions::default() };
    let set = load("boston", &options).unwrap();
    assert_eq!((set.inputs, set.train.n, set.test.n), (2, 3, 1));
    assert_eq!(set.train.features, Features::F32(vec![1.0, 2.0, 5.0, 6.0, 3.0, 4.0]));
    assert_eq!(set.test.targets, Targets::Values { values: vec![40.0], outputs: 1 });
    assert_eq!(set.source.len(), 5);

    refused("no such split", load("boston", &LoadOptions { split: Some(7), ..options.clone() }), "splits 0 to 0");
    let cases = [
        ("data.txt", "1 2 3\n4 five 6\n", "line 2: \"five\" is not a finite number"),
        ("data.txt", "1 2 3\n4 inf 6\n", "line 2: \"inf\""),
        ("data.txt", "1 2 3\n4 5\n", "line 2 has 2 numbers"),
        ("data.txt", "\n", "holds no numbers"),
        ("index_target.txt", "3\n", "\"3\" is not a column from 0 to 2"),
        ("index_target.txt", "", "lists no column"),
        ("index_features.txt", "-1", "\"-1\" is not a column"),
        ("index_features.txt", "0.5", "\"0.5\" is not a column"),
        ("index_train_0.txt", "0 0", "row 0 is listed twice"),
        ("index_train_0.txt", "4", "\"4\" is not a row from 0 to 3"),
        ("index_test_0.txt", "2", "row 2 is also in index_train_0.txt"),
    ];
    for (file, text, words) in cases {
        write_uci(&folder);
        std::fs::write(folder.join(file), text).unwrap();
        refused(words, load("boston", &options), words);
    }
    std::fs::remove_file(folder.join("data.txt")).unwrap();
    refused("missing", load("boston", &options), "data set boston not found: looked for data.txt in");
}

#[test]
fn noisy_sines_follow_their_formula() {
    let with_seed = |seed| load("noisy-sines", &LoadOptions { seed, ..LoadOptions::default() }).unwrap();
    let set = with_seed(3);
    assert_eq!((set.train.n, set.test.n, set.inputs), (1000, 200, 1));
    assert_eq!(set, with_seed(3));
    assert_ne!(set, with_seed(4));
    let (Features::F32(xs), Targets::Values { values, outputs: 1 }) = (&set.train.features, &set.train.targets) else {
        panic!("one number in, one out")
    };
    let turn = std::f64::consts::TAU;
    let residuals: Vec<f64> = xs
        .iter()
        .zip(values)
        .map(|(&x, &y)| {
            let x = f64::from(x);
            assert!((-1.0..=1.0).contains(&x));
            f64::from(y) - x - 0.3 * (turn * x).sin() - 0.3 * (2.0 * turn * x).sin()
        })
        .collect();
    let mean = residuals.iter().sum::<f64>() / 1000.0;
    let variance = residuals.iter().map(|r| r * r).sum::<f64>() / 1000.0;
    // Five standard errors: 0.1/√1000 and 0.01·√(2/1000).
    assert!(mean.abs() < 0.016 && (variance - 0.01).abs() < 0.0023, "mean {mean}, variance {variance}");
}

#[test]
fn names_are_known_or_refused() {
    refused("unknown", load("minst", &LoadOptions::default()), "choose strokes, noisy-sines, mnist");
    let split = LoadOptions { split: Some(1), ..LoadOptions::default() };
    refused("split", load("mnist", &split), "--split 1: mnist has one fixed split");
    assert!(matches!(known("minst"), Err(Error::Config(_))));
    for set in KNOWN {
        assert_eq!(known(set.name).unwrap().name, set.name);
        assert!(set.files.iter().all(|f| f.sha256.is_none_or(|sum| sum.len() == 64)));
        assert_eq!(set.files.is_empty(), set.address.is_empty());
    }
}

#[test]
fn checks_local_copies() {
    let root = tempfile::tempdir().unwrap();
    let set = known("energy").unwrap();
    let folders = [root.path().to_path_buf()];
    refused("missing", check(set, &folders), "published at https://");
    write_uci(&root.path().join("uci/energy"));
    std::fs::remove_file(root.path().join("uci/energy/index_target.txt")).unwrap();
    let states: Vec<FileState> = check(set, &folders).unwrap().into_iter().map(|(_, state)| state).collect();
    assert!(matches!(states.as_slice(), [FileState::Differs { .. }, FileState::Differs { .. }, FileState::Missing]));
    assert!(check(known("strokes").unwrap(), &folders).unwrap().is_empty());

    let mnist = root.path().join("mnist");
    std::fs::create_dir(&mnist).unwrap();
    std::fs::write(mnist.join("train-images-idx3-ubyte.gz"), [0x1f, 0x8b, 8, 0]).unwrap();
    let states = check(known("mnist").unwrap(), &folders).unwrap();
    assert!(matches!(states[0].1, FileState::Unreadable { .. }));

    let Some(real) = crate::common::real_data() else { return skip("BURES_DATA is not set") };
    for set in KNOWN.iter().filter(|set| !set.files.is_empty()) {
        match check(set, std::slice::from_ref(&real)) {
            Err(bures::Error::MissingData { .. }) => skip(&format!("BURES_DATA holds no {}", set.name)),
            Err(error) => panic!("{error}"),
            Ok(files) => {
                for (file, state) in files {
                    assert!(matches!(state, FileState::Ok | FileState::Unchecked { .. }), "{} {}", set.name, file.name);
                }
            }
        }
    }
}
