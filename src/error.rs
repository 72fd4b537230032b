//! The one error type of the library. Every variant carries the facts a person needs to act:
//! what was wrong, where, and what to do about it.

use std::path::{Path, PathBuf};

/// What every fallible function of the library returns.
pub type Result<T> = std::result::Result<T, Error>;

/// Everything that input, files, settings or a driver can cause.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An operation was given arrays whose shapes do not fit together.
    #[error("{op}: expected {expected}, got {got}")]
    Shape {
        /// The operation that refused.
        op: &'static str,
        /// The shape it wants.
        expected: String,
        /// The shape it was given.
        got: String,
    },
    /// A run needs more of something than the device or this machine has.
    #[error("{what}: this run needs {need}, the device allows {have}")]
    Limit {
        /// The limit's name, as the device reports it.
        what: String,
        /// How much the run needs.
        need: u64,
        /// How much there is.
        have: u64,
    },
    /// No adapter answers to what was asked for.
    #[error("no adapter {wanted}: {}", describe_found(.found))]
    NoAdapter {
        /// What was asked for.
        wanted: String,
        /// The adapters that are there.
        found: Vec<String>,
    },
    /// A data set or data file is missing or says something impossible.
    #[error("{}: {what}", .path.display())]
    Data {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong and what to do.
        what: String,
    },
    /// A named data set is in none of the places where it is looked for.
    #[error("data set {name} not found: looked for {wanted} in {places}\n  {advice}")]
    MissingData {
        /// The data set's name.
        name: String,
        /// The file that was looked for.
        wanted: String,
        /// The folders, joined by "and".
        places: String,
        /// What to put where.
        advice: String,
    },
    /// A file is not in the format that its name or place promises.
    #[error("{}: {what}", .path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the tensor, array or offset it was found at.
        what: String,
    },
    /// A setting is out of range or contradicts another.
    #[error("{0}")]
    Config(String),
    /// A number that must be finite is not.
    #[error("{quantity} became {value} at step {step}{}", .advice)]
    NonFinite {
        /// Which quantity: a loss, a tensor.
        quantity: String,
        /// NaN or an infinity.
        value: f32,
        /// The step after which it was seen.
        step: u64,
        /// What to do, starting with its own punctuation.
        advice: String,
    },
    /// A computation cannot be done, or was done badly, with the numbers it was given.
    #[error("{op}: {what}")]
    Numeric {
        /// The operation that refused.
        op: &'static str,
        /// What is wrong with the numbers, with the place of the first bad one where there is one.
        what: String,
    },
    /// Reading or writing failed in the operating system.
    #[error("cannot {action} {}: {source}", .path.display())]
    Io {
        /// What was tried: "read", "write", "create".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The GPU or its driver refused or failed an operation.
    #[error("GPU: {op}: {what}")]
    Gpu {
        /// What was tried.
        op: String,
        /// What the driver said.
        what: String,
    },
    /// The GPU went away in the middle of a run.
    #[error("the GPU was lost ({0}); resume the run from its checkpoint with --resume")]
    DeviceLost(String),
    /// A driver computes wrong numbers.
    #[error(
        "self-test: kernel {kernel} on {adapter} is off by {error:.3e} (allowed {allowed:.3e}); choose another device with --adapter, or --adapter cpu"
    )]
    SelfTest {
        /// The kernel that disagrees with its host twin.
        kernel: String,
        /// The adapter it ran on.
        adapter: String,
        /// Largest difference seen.
        error: f64,
        /// Largest difference allowed.
        allowed: f64,
    },
}

fn describe_found(found: &[String]) -> String {
    if found.is_empty() { "none was found".to_owned() } else { format!("found {}", found.join(", ")) }
}

impl Error {
    /// A [`Error::Format`] about `path`.
    pub fn format(path: impl AsRef<Path>, what: impl Into<String>) -> Self {
        Self::Format { path: path.as_ref().to_owned(), what: what.into() }
    }

    /// A [`Error::Data`] about `path`.
    pub fn data(path: impl AsRef<Path>, what: impl Into<String>) -> Self {
        Self::Data { path: path.as_ref().to_owned(), what: what.into() }
    }

    /// A [`Error::Numeric`] of `op`.
    pub fn numeric(op: &'static str, what: impl Into<String>) -> Self {
        Self::Numeric { op, what: what.into() }
    }

    /// An adapter for `map_err`: the system's refusal to do `action` to `path`.
    pub fn io(action: &'static str, path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |source| Self::Io { action, path, source }
    }

    /// The process exit code that the binary ends with.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) => 2,
            Self::NoAdapter { .. } => 3,
            _ => 1,
        }
    }
}
