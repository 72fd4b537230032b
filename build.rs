//! Tells the program which commit it was built from: results record it.

use std::path::Path;
use std::process::Command;

fn main() {
    // The log of HEAD grows with every commit and checkout; a packaged source has neither file.
    for file in [".git/HEAD", ".git/logs/HEAD"] {
        if Path::new(file).exists() {
            println!("cargo:rerun-if-changed={file}");
        }
    }
    println!("cargo:rerun-if-changed=build.rs");
    let commit = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output();
    if let Some(commit) =
        commit.ok().filter(|out| out.status.success()).and_then(|out| String::from_utf8(out.stdout).ok())
    {
        println!("cargo:rustc-env=BURES_COMMIT={}", commit.trim());
    }
}
