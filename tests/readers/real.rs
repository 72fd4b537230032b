//! The published files themselves, where this machine has them.

use std::path::Path;

use crate::common::{real_data, skip};
use bures::data::{Dataset, Features, LoadOptions, Normalization, NormalizationKind, Targets, load};

/// Loads a real set or says why not.
fn real(name: &str, split: Option<usize>) -> Option<Dataset> {
    let Some(folder) = real_data() else {
        skip("BURES_DATA is not set");
        return None;
    };
    match load(name, &LoadOptions { split, folders: vec![folder], ..LoadOptions::default() }) {
        Ok(set) => Some(set),
        Err(bures::Error::MissingData { .. }) => {
            skip(&format!("BURES_DATA holds no {name}"));
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Unpacks the four files and reads them with the `mnist` crate.
fn by_mnist_crate(set: &Dataset, folder: &Path) -> mnist::Mnist {
    for source in &set.source {
        let mut reader = flate2::read::MultiGzDecoder::new(std::fs::File::open(&source.path).unwrap());
        let name = source.path.file_name().unwrap().to_string_lossy();
        let path = folder.join(name.trim_end_matches(".gz"));
        if name.ends_with(".gz") {
            std::io::copy(&mut reader, &mut std::fs::File::create(path).unwrap()).unwrap();
        } else {
            std::fs::copy(&source.path, path).unwrap();
        }
    }
    mnist::MnistBuilder::new()
        .base_path(&folder.to_string_lossy())
        .label_format_digit()
        .training_set_length(60_000)
        .test_set_length(10_000)
        .finalize()
}

#[test]
fn the_mnist_crate_reads_the_same() {
    for (name, mean, std) in [("mnist", 0.1307, 0.3081), ("fashion-mnist", 0.2860, 0.3530)] {
        let Some(set) = real(name, None) else { continue };
        let folder = tempfile::tempdir().unwrap();
        let other = by_mnist_crate(&set, folder.path());
        for (split, images, labels) in
            [(&set.train, &other.trn_img, &other.trn_lbl), (&set.test, &other.tst_img, &other.tst_lbl)]
        {
            assert!(split.features == Features::U8(images.clone()), "{name}: images differ");
            let labels = labels.iter().map(|&l| u32::from(l)).collect();
            assert!(split.targets == Targets::Classes { labels, classes: 10 }, "{name}: labels differ");
        }
        let fitted = Normalization::fit(NormalizationKind::Global, &set.train.features, set.inputs);
        let Normalization::Global { mean: m, std: s } = fitted else { panic!("wrong kind") };
        assert!((m - mean).abs() < 5e-5 && (s - std).abs() < 5e-5, "{name}: mean {m}, std {s}");
    }
}

#[test]
fn every_published_uci_split_loads() {
    for (name, rows, inputs) in [("kin8nm", 8192, 8), ("energy", 768, 8), ("concrete", 1030, 8), ("boston", 506, 13)] {
        for split in 0..20 {
            let Some(set) = real(name, Some(split)) else { break };
            assert_eq!((set.train.n + set.test.n, set.inputs), (rows, inputs), "{name} split {split}");
        }
    }
}

/// Six thousand pictures of each of ten classes, whether from the binary files or from JPEG in an archive packed by xz.
#[test]
fn cifar10_is_whole() {
    let Some(set) = real("cifar10", None) else { return };
    assert_eq!((set.train.n, set.test.n, set.inputs), (50_000, 10_000, 3072));
    for (split, each) in [(&set.train, 5000), (&set.test, 1000)] {
        let Targets::Classes { labels, classes: 10 } = &split.targets else { panic!("ten classes") };
        for class in 0..10 {
            assert_eq!(labels.iter().filter(|&&label| label == class).count(), each, "class {class}");
        }
    }
    let fitted = Normalization::fit(NormalizationKind::Global, &set.train.features, set.inputs);
    let Normalization::Global { mean, std } = fitted else { panic!("wrong kind") };
    // The published means are 0.4914, 0.4822, 0.4465, the deviations 0.2470, 0.2435, 0.2616; JPEG keeps them to three digits.
    assert!((mean - 0.4734).abs() < 2e-3 && (std - 0.2515).abs() < 4e-3, "mean {mean}, std {std}");
}
