//! Collections of JPEG and PNG files: archives made by `tests/fixtures/make_pictures.py`, and folders.

use std::path::{Path, PathBuf};

use crate::common::refused;
use bures::data::{Dataset, Features, ImageShape, LoadOptions, Targets, load};
use bures::{Error, Result};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn of(path: &Path) -> Result<Dataset> {
    load(&path.to_string_lossy(), &LoadOptions::default())
}

/// The planes of picture `number` with `label`, five rows of six pixels.
fn planes(number: u8, label: u8) -> Vec<u8> {
    let plane = |value: fn(u8, u8) -> u8| (0..30).map(move |at| 20 * number + value(at % 6, at / 6));
    plane(|x, _| x).chain(plane(|_, y| y)).chain(std::iter::repeat_n(label, 30)).collect()
}

#[track_caller]
fn check(set: &Dataset) {
    assert_eq!(set.image, Some(ImageShape { height: 5, width: 6, channels: 3 }));
    assert_eq!(set.train.targets, Targets::Classes { labels: vec![0, 0, 1, 1], classes: 2 });
    assert_eq!(set.test.targets, Targets::Classes { labels: vec![0, 1], classes: 2 });
    assert_eq!(set.test.features, Features::U8([planes(4, 0), planes(5, 1)].concat()));
    let Features::U8(train) = &set.train.features else { panic!("pixels") };
    assert_eq!(train[..90], planes(0, 0));
    assert!(train[90..180].iter().all(|pixel| pixel.abs_diff(130) <= 1), "a grey JPEG");
    assert_eq!(train[180..], [planes(2, 1), planes(3, 1)].concat());
}

#[test]
fn archives_packed_by_xz_and_gzip() {
    for name in ["pictures.tar.xz", "pictures.tar.gz"] {
        check(&of(&fixture(name)).unwrap());
    }
}

/// The same files in a folder; the name `cifar10` finds the archive.
#[test]
fn folders_and_the_name_of_a_set() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("deep/down/here");
    let put = |name: &str, picture: &image::RgbImage| {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        picture.save(path).unwrap();
    };
    let picture = |number: u8, label: u8| {
        image::RgbImage::from_fn(6, 5, |x, y| image::Rgb([20 * number + x as u8, 20 * number + y as u8, label]))
    };
    put("train/cat/1.png", &picture(0, 0));
    put("train/cat/3.jpg", &image::RgbImage::from_pixel(6, 5, image::Rgb([130; 3])));
    put("train/dog/1.png", &picture(2, 1));
    put("train/dog/2.png", &picture(3, 1));
    put("test/cat/1.png", &picture(4, 0));
    put("test/dog/1.png", &picture(5, 1));
    std::fs::write(folder.join("train/dog/notes.txt"), "no picture").unwrap();
    check(&of(place.path()).unwrap());

    put("test/dog/2.png", &image::RgbImage::new(5, 5));
    refused("another size", of(place.path()), "is 5×5 pixels large and");
    std::fs::write(folder.join("test/dog/2.png"), "no picture").unwrap();
    refused("no picture", of(place.path()), "test/dog/2.png is no picture");

    let named = tempfile::tempdir().unwrap();
    std::fs::create_dir(named.path().join("cifar10")).unwrap();
    let options = LoadOptions { folders: vec![named.path().into()], ..LoadOptions::default() };
    refused("empty", load("cifar10", &options), "data set cifar10 not found");
    std::fs::copy(fixture("pictures.tar.xz"), named.path().join("cifar10/any.tar.xz")).unwrap();
    check(&load("cifar10", &options).unwrap());
}

/// Every cut and every flipped byte is found or harmless, and nothing panics.
#[test]
fn damaged_archives_are_refused() {
    let place = tempfile::tempdir().unwrap();
    for name in ["pictures.tar.xz", "pictures.tar.gz"] {
        let (whole, path) = (std::fs::read(fixture(name)).unwrap(), place.path().join(name));
        let attempt = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            of(&path)
        };
        for part in 0..12 {
            let cut = part * whole.len() / 13;
            assert!(attempt(&whole[..cut]).is_err(), "{name} cut to {cut} bytes");
        }
        for part in 1..40 {
            let mut bytes = whole.clone();
            let at = part * (whole.len() - 60) / 41;
            bytes[at] ^= 0x10;
            match attempt(&bytes) {
                Ok(set) => check(&set),
                Err(Error::Format { .. } | Error::Data { .. }) => {}
                Err(other) => panic!("{name}, byte {at}: {other}"),
            }
        }
    }
    let path = place.path().join("no.tar");
    std::fs::write(&path, [7; 2000]).unwrap();
    refused("no archive", of(&path), "no whole tar archive");
    std::fs::write(&path, [0; 1024]).unwrap();
    refused("an empty archive", of(&path), "it holds no pictures");
}
