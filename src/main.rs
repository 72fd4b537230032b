//! The `bures` program: parse, call the library, print.

use std::process::ExitCode;

fn main() -> ExitCode {
    bures::commands::main()
}
