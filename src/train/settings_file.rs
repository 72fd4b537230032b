//! Settings from a file that a person wrote: it may name only what differs from the recipe.

use std::path::Path;

use super::choices::{ModelKind, Recipe};
use super::settings::Settings;
use crate::{Error, Result};

/// A TOML file with some or all of the keys of [`Settings`].
#[derive(Clone, Debug)]
pub struct SettingsFile {
    path: String,
    table: toml::Table,
}

impl SettingsFile {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read, [`Error::Config`] with the line when it is not TOML.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
        let path = path.display().to_string();
        let table = text.parse().map_err(|why| Error::Config(format!("{path}: {}", one_line(&text, &why))))?;
        Ok(Self { path, table })
    }

    /// Whether the file sets `key`.
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// The kind of network, where the file says it.
    pub fn model(&self) -> Option<ModelKind> {
        self.table.get("model")?.clone().try_into().ok()
    }

    /// Whether the file asks for plain gradient descent, which goes with the paper's recipe.
    pub fn is_sgd(&self) -> bool {
        self.table.get("optimizer").and_then(toml::Value::as_str) == Some("sgd")
    }

    /// The recipe's settings, replaced where the file says something else.
    ///
    /// # Errors
    /// [`Error::Config`] naming a key that is not known or whose value does not fit.
    pub fn over(&self, recipe: Recipe, model: ModelKind) -> Result<Settings> {
        let bad = |why: &dyn std::fmt::Display| {
            // The parser's message has more lines with the key that it is about.
            let text = why.to_string();
            let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
            Error::Config(format!("{}: {}", self.path, lines.join(" ")))
        };
        let mut table = toml::Table::try_from(Settings::recipe(recipe, model)).map_err(|why| bad(&why))?;
        table.extend(self.table.clone());
        table.try_into().map_err(|why: toml::de::Error| bad(&why))
    }
}

/// An error of the TOML parser on one line, with the number of the line it is about.
pub(super) fn one_line(text: &str, why: &toml::de::Error) -> String {
    let message = why.message().lines().collect::<Vec<_>>().join(" ");
    match why.span().and_then(|span| text.get(..span.start)) {
        Some(before) => format!("line {}: {message}", before.lines().count().max(1)),
        None => message,
    }
}
