//! UCI regression sets with published splits: a table and, per split, the rows of each part.

use std::path::PathBuf;

use super::find::find_folder;
use super::set::{Dataset, Features, Source, Split, Targets};
use crate::io::read_hashed;
use crate::{Error, Result};

/// Loads split number `split` of `name` from the first of `folders` that has it.
pub(super) fn load(name: &str, split: usize, folders: &[PathBuf]) -> Result<Dataset> {
    let published = if name == "boston" { "bostonHousing" } else { name };
    let names = [format!("uci/{name}"), format!("uci/{published}")];
    let names: Vec<&str> = names.iter().map(String::as_str).take(if name == published { 1 } else { 2 }).collect();
    let advice = format!(
        "Put data.txt and the index_*.txt files there, or set BURES_DATA to the folder that holds uci/. \
         They are published at the address that `bures data {name}` prints."
    );
    let folder = find_folder(name, folders, &names, "data.txt", false, &advice)?;
    let mut reader = Reader { folder, source: Vec::new() };
    let (table, columns) = reader.table()?;
    let rows = table.len() / columns;
    let features = reader.indices("index_features.txt", columns, "column")?;
    let target = reader.indices("index_target.txt", columns, "column")?;
    let [train, test] = reader.parts(split, rows)?;
    let pick = |rows: &[usize], columns_wanted: &[usize]| -> Vec<f32> {
        // Every index was compared with the table's size when it was read.
        rows.iter()
            .flat_map(|r| columns_wanted.iter().map(move |c| r * columns + c))
            .filter_map(|at| table.get(at).copied())
            .collect()
    };
    let part = |rows: &[usize], name: &str| {
        let targets = Targets::Values { values: pick(rows, &target), outputs: target.len() };
        Split::new(&reader.folder, name, features.len(), Features::F32(pick(rows, &features)), targets)
    };
    let (train, test) = (part(&train, "training set")?, part(&test, "test set")?);
    Ok(Dataset { name: name.to_owned(), train, test, inputs: features.len(), image: None, source: reader.source })
}

struct Reader {
    folder: PathBuf,
    source: Vec<Source>,
}

impl Reader {
    fn text(&mut self, name: &str) -> Result<(PathBuf, String)> {
        let path = self.folder.join(name);
        let (bytes, sha256) = read_hashed(&path)?;
        let text = String::from_utf8(bytes).map_err(|_| Error::format(&path, "it is not plain text"))?;
        self.source.push(Source { path: path.clone(), sha256 });
        Ok((path, text))
    }

    /// The values row by row, and how many stand in a row. Empty lines are skipped.
    fn table(&mut self) -> Result<(Vec<f32>, usize)> {
        let (path, text) = self.text("data.txt")?;
        let (mut values, mut columns) = (Vec::new(), None);
        for (line, row) in text.lines().enumerate().filter(|(_, row)| !row.trim().is_empty()) {
            let before = values.len();
            for word in row.split_ascii_whitespace() {
                values.push(finite(word).ok_or_else(|| {
                    Error::format(&path, format!("line {}: {word:?} is not a finite number", line + 1))
                })?);
            }
            let found = values.len() - before;
            let wanted = *columns.get_or_insert(found);
            if found != wanted {
                let what = format!("line {} has {found} numbers, the lines before have {wanted}", line + 1);
                return Err(Error::format(&path, what));
            }
        }
        let columns = columns.ok_or_else(|| Error::format(&path, "it holds no numbers"))?;
        Ok((values, columns))
    }

    /// Distinct indices below `bound`, at least one.
    fn indices(&mut self, name: &str, bound: usize, kind: &str) -> Result<Vec<usize>> {
        let (path, text) = self.text(name)?;
        let mut seen = vec![false; bound];
        let mut indices = Vec::new();
        for word in text.split_ascii_whitespace() {
            let index = integer(word)
                .filter(|&i| i < bound)
                .ok_or_else(|| Error::format(&path, format!("{word:?} is not a {kind} from 0 to {}", bound - 1)))?;
            if let Some(seen) = seen.get_mut(index).filter(|seen| !**seen) {
                *seen = true;
            } else {
                return Err(Error::format(&path, format!("{kind} {index} is listed twice")));
            }
            indices.push(index);
        }
        if indices.is_empty() {
            return Err(Error::format(&path, format!("it lists no {kind}")));
        }
        Ok(indices)
    }

    /// The rows of the training and the test set, which may not share any.
    fn parts(&mut self, split: usize, rows: usize) -> Result<[Vec<usize>; 2]> {
        let names = [format!("index_train_{split}.txt"), format!("index_test_{split}.txt")];
        let [train_name, test_name] = &names;
        if !self.folder.join(train_name).is_file() {
            let count = (0..).take_while(|i| self.folder.join(format!("index_train_{i}.txt")).is_file()).count();
            return Err(Error::Config(format!(
                "--split {split}: {} has splits 0 to {}",
                self.folder.display(),
                count.saturating_sub(1)
            )));
        }
        let train = self.indices(train_name, rows, "row")?;
        let test = self.indices(test_name, rows, "row")?;
        let mut used = vec![false; rows];
        train.iter().for_each(|&row| used.iter_mut().skip(row).take(1).for_each(|u| *u = true));
        if let Some(row) = test.iter().find(|&&row| used.get(row) == Some(&true)) {
            let what = format!("row {row} is also in {train_name}; a test row must not be trained on");
            return Err(Error::data(self.folder.join(test_name), what));
        }
        Ok([train, test])
    }
}

fn finite(word: &str) -> Option<f32> {
    word.parse::<f64>().ok().map(|v| v as f32).filter(|v| v.is_finite())
}

/// Some published index files write integers as `1.0000e+00`.
fn integer(word: &str) -> Option<usize> {
    if let Ok(index) = word.parse() {
        return Some(index);
    }
    let value = word.parse::<f64>().ok()?;
    // Below 2⁵³, where f64 holds every integer.
    (value.fract() == 0.0 && (0.0..9e15).contains(&value)).then_some(value as usize)
}
