//! Tests that cannot run where they are say so, and are counted.
//!
//! Cargo swallows what a passing test prints, so each skip is also appended to the file that `BURES_SKIP_LOG` names;
//! `scripts/check-skips.sh` reads it after the tests.
#![allow(dead_code, reason = "each test crate uses the part it needs")]

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

/// Records that the running test is skipped, and why. The test then returns.
///
/// # Panics
/// When the log cannot be written: a skip that nobody counts would look like a pass.
pub(crate) fn skip(reason: &str) {
    let thread = std::thread::current();
    let line = format!("SKIPPED {}: {reason}\n", thread.name().unwrap_or("a test"));
    eprint!("{line}");
    if let Some(log) = std::env::var_os("BURES_SKIP_LOG") {
        // One write in append mode, so that tests running side by side do not cut into each other's lines.
        let mut file = OpenOptions::new().create(true).append(true).open(log).expect("the skip log opens");
        file.write_all(line.as_bytes()).expect("the skip log takes a line");
    }
}

/// The folder that the environment variable names (`BURES_DATA`, `BURES_FIXTURES`), or `None` after a skip.
///
/// # Panics
/// When the variable is set but names no folder: that is a mistake, not a reason to skip.
pub(crate) fn folder_or_skip(variable: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from) else {
        skip(&format!("{variable} is not set"));
        return None;
    };
    assert!(folder.is_dir(), "{variable}: {} is not a folder", folder.display());
    Some(folder)
}
