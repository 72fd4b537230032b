//! The counting of skipped tests, which the continuous integration relies on.

#[path = "common/skip.rs"]
mod skip;

use std::fs;
use std::process::Command;

#[test]
fn a_skip_is_logged_with_its_test_and_reason() {
    // In a process of its own, because environment variables belong to all tests of this one.
    let log = tempfile::NamedTempFile::new().expect("a scratch file");
    let this = std::env::current_exe().expect("this test's program");
    let done = Command::new(this)
        .args(["--exact", "skips_when_asked"])
        .env("BURES_SKIP_LOG", log.path())
        .env("BURES_TRY_SKIP", "1")
        .env_remove("BURES_NO_SUCH_FOLDER")
        .output()
        .expect("the program runs");
    assert!(done.status.success());
    let text = fs::read_to_string(log.path()).expect("the log");
    assert_eq!(text, "SKIPPED skips_when_asked: BURES_NO_SUCH_FOLDER is not set\n");
}

#[test]
fn skips_when_asked() {
    if std::env::var_os("BURES_TRY_SKIP").is_some() {
        assert_eq!(skip::folder_or_skip("BURES_NO_SUCH_FOLDER"), None);
    }
}
