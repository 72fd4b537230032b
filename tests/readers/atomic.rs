//! Files are old or complete.

use bures::io::{sha256_bytes, sha256_file, write_atomic};
use bures::{Error, Result};

fn names(folder: &std::path::Path) -> Vec<String> {
    std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn replaces_a_file_or_leaves_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("result.json");
    let put =
        |text: &'static str| write_atomic(&path, |out| out.write_all(text.as_bytes()).map_err(Error::io("write", "x")));
    put("old").unwrap();
    let failed: Result<()> = write_atomic(&path, |out| {
        out.write_all(&[0; 100_000]).unwrap();
        Err(Error::Config("stop".into()))
    });
    assert!(failed.is_err());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
    put("new").unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
    assert_eq!(names(folder.path()), ["result.json"], "no temporary file stays");
}

#[test]
fn says_what_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none/file");
    let error = write_atomic(&missing, |_| Ok(())).unwrap_err();
    assert!(matches!(error, Error::Io { action: "create", ref path, .. } if *path == missing), "{error}");
    assert!(write_atomic("..", |_| Ok(())).is_err());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    // The device that is always full stands in for a full disk under the writers of formats.
    let mut full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("big");
    let result = write_atomic(&path, |_| std::io::Write::write_all(&mut full, b"x").map_err(Error::io("write", &path)));
    assert!(matches!(result, Err(Error::Io { action: "write", .. })));
    assert!(names(folder.path()).is_empty());
}

#[test]
fn threads_do_not_share_temporary_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = &folder.path().join("shared");
    std::thread::scope(|scope| {
        for thread in 0..8u8 {
            scope.spawn(move || {
                for _ in 0..20 {
                    write_atomic(path, |out| out.write_all(&[thread; 5000]).map_err(Error::io("write", path))).unwrap();
                }
            });
        }
    });
    let bytes = std::fs::read(path).unwrap();
    assert!(bytes.len() == 5000 && bytes.iter().all(|b| b == &bytes[0]));
    assert_eq!(names(folder.path()), ["shared"]);
}

#[test]
fn hashes_by_the_standard() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("abc");
    std::fs::write(&path, "abc").unwrap();
    let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; // FIPS 180-2, appendix B.1
    assert_eq!(sha256_bytes(b"abc"), sum);
    assert_eq!(sha256_file(&path).unwrap(), sum);
}
