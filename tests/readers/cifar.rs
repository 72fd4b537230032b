//! The binary files of CIFAR-10 and CIFAR-100, on small files of the same format.

use crate::common::refused;
use bures::data::{Features, ImageShape, LoadOptions, Targets, load};

/// A record whose red, green and blue values are `first`, `first + 1`, `first + 2` everywhere.
fn record(label: u8, first: u8) -> Vec<u8> {
    let planes = (first..first + 3).flat_map(|value| [value; 1024]);
    std::iter::once(label).chain(planes).collect()
}

#[test]
fn reads_batches_plane_by_plane() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("cifar10/cifar-10-batches-bin");
    std::fs::create_dir_all(&folder).unwrap();
    let put = |name: &str, bytes: Vec<u8>| std::fs::write(folder.join(name), bytes).unwrap();
    for batch in 1..=5 {
        put(&format!("data_batch_{batch}.bin"), [record(batch, 10 * batch), record(0, 100)].concat());
    }
    put("test_batch.bin", record(9, 200));
    let options = LoadOptions { folders: vec![root.path().into()], ..LoadOptions::default() };
    let set = load("cifar10", &options).unwrap();
    assert_eq!((set.train.n, set.test.n, set.inputs), (10, 1, 3072));
    assert_eq!(set.image, Some(ImageShape { height: 32, width: 32, channels: 3 }));
    assert_eq!(set.train.targets, Targets::Classes { labels: vec![1, 0, 2, 0, 3, 0, 4, 0, 5, 0], classes: 10 });
    assert_eq!(set.test.features, Features::U8(record(9, 200)[1..].to_vec()));

    put("data_batch_3.bin", record(3, 0)[1..].to_vec());
    refused("cut", load("cifar10", &options), "3072 bytes are no whole number of records");
    put("data_batch_3.bin", vec![]);
    refused("empty", load("cifar10", &options), "0 bytes are no whole number");
    put("data_batch_3.bin", [record(3, 0), record(10, 0)].concat());
    refused("label", load("cifar10", &options), "label 10 of record 1");
    std::fs::remove_file(folder.join("data_batch_3.bin")).unwrap();
    refused("missing batch", load("cifar10", &options), "data_batch_3.bin is missing");
    std::fs::remove_file(folder.join("data_batch_1.bin")).unwrap();
    refused("missing set", load("cifar10", &options), "data set cifar10 not found: looked for data_batch_1.bin in");
}

/// The fine label counts, which is the second.
#[test]
fn reads_the_fine_labels_of_cifar100() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("cifar-100-binary");
    std::fs::create_dir_all(&folder).unwrap();
    let put = |name: &str, bytes: Vec<u8>| std::fs::write(folder.join(name), bytes).unwrap();
    let fine = |label: u8, first: u8| [vec![19], record(label, first)].concat();
    put("train.bin", [fine(99, 1), fine(0, 2)].concat());
    put("test.bin", fine(50, 3));
    let options = LoadOptions { folders: vec![root.path().into()], ..LoadOptions::default() };
    let set = load("cifar100", &options).unwrap();
    assert_eq!(set.train.targets, Targets::Classes { labels: vec![99, 0], classes: 100 });
    assert_eq!(set.test.targets, Targets::Classes { labels: vec![50], classes: 100 });
    assert_eq!(set.train.features, Features::U8([&record(0, 1)[1..], &record(0, 2)[1..]].concat()));
    put("test.bin", fine(100, 3));
    refused("label", load("cifar100", &options), "label 100 of record 0 is not below the 100 classes");
}
