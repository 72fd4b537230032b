//! A person's own data: a `.npz` file with `x_train`, `y_train`, `x_test`, `y_test`.

use std::path::Path;

use super::set::{Dataset, Features, ImageShape, Source, Split, Targets};
use crate::io::{Array, ArrayData, Npz, sha256_file};
use crate::{Error, Result};

/// Labels above this are taken for a mistake (indices or values stored as integers).
const MAX_CLASSES: i64 = 1 << 20;

/// Reads the four arrays. `uint8` features are pixels (divided by 255 later), floats are taken as
/// they are; trailing dimensions are flattened. Integer `y` are labels, float `y` regression targets.
pub(super) fn load(path: &Path) -> Result<Dataset> {
    let sha256 = sha256_file(path)?;
    let mut archive = Npz::open(path)?;
    let mut array = |name: &str| archive.array(name);
    let (x_train, y_train) = (array("x_train")?, array("y_train")?);
    let (x_test, y_test) = (array("x_test")?, array("y_test")?);
    let inputs = width(path, "x_train", &x_train)?;
    let test_inputs = width(path, "x_test", &x_test)?;
    if inputs != test_inputs {
        return Err(Error::data(
            path,
            format!("x_train has {inputs} values per example, x_test {test_inputs}; they must agree"),
        ));
    }
    let image = picture(&x_train);
    let classes = classes(path, &y_train, &y_test)?;
    let train = split(path, ["x_train", "y_train"], x_train, &y_train, inputs, classes)?;
    let test = split(path, ["x_test", "y_test"], x_test, &y_test, inputs, classes)?;
    if train.targets.outputs() != test.targets.outputs() {
        return Err(Error::data(path, "y_train and y_test have different numbers of outputs; they must agree"));
    }
    let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let source = vec![Source { path: path.to_owned(), sha256 }];
    Ok(Dataset { name, train, test, inputs, image, source })
}

/// Values per row of a non-empty array.
fn width(path: &Path, name: &str, array: &Array) -> Result<usize> {
    let empty = || Error::data(path, format!("{name} has shape {:?}: it holds no examples", array.shape));
    let &n = array.shape.first().ok_or_else(empty)?;
    array.data.len().checked_div(n).filter(|&w| w > 0).ok_or_else(empty)
}

/// How rows are pictures, if they are: `[n, H, W]`, or channel by channel as `[n, C, H, W]`.
fn picture(x: &Array) -> Option<ImageShape> {
    match *x.shape.as_slice() {
        [_, height, width] => Some(ImageShape { height, width, channels: 1 }),
        [_, height, width, 1] => Some(ImageShape { height, width, channels: 1 }),
        [_, channels @ (1 | 3 | 4), height, width] => Some(ImageShape { height, width, channels }),
        _ => None,
    }
}

/// The number of classes over both splits, or `None` for regression.
fn classes(path: &Path, y_train: &Array, y_test: &Array) -> Result<Option<usize>> {
    let floats = |y: &Array| matches!(y.data, ArrayData::F32(_) | ArrayData::F64(_));
    match (floats(y_train), floats(y_test)) {
        (true, true) => return Ok(None),
        (false, false) => {}
        _ => {
            let what = "one of y_train, y_test holds integers (labels) and the other floats (values to predict)";
            return Err(Error::data(path, what));
        }
    }
    let mut most = 0;
    for (name, y) in [("y_train", y_train), ("y_test", y_test)] {
        let labels = y.integers().ok_or_else(|| too_large(path, name))?;
        for (at, &label) in labels.iter().enumerate() {
            if label < 0 {
                let what = format!("{name}[{at}] is {label}; labels count from 0");
                return Err(Error::data(path, what));
            }
            if label >= MAX_CLASSES {
                return Err(too_large(path, name));
            }
            most = most.max(label);
        }
    }
    let classes = usize::try_from(most).map_err(|_| too_large(path, "y_train"))? + 1;
    if classes < 2 {
        return Err(Error::data(path, "all labels are 0; two classes are needed (store y as floats for regression)"));
    }
    Ok(Some(classes))
}

fn too_large(path: &Path, name: &str) -> Error {
    Error::data(path, format!("{name}: a label is {MAX_CLASSES} or more; labels count from 0 (floats mean regression)"))
}

fn split(
    path: &Path,
    [x_name, y_name]: [&str; 2],
    x: Array,
    y: &Array,
    inputs: usize,
    classes: Option<usize>,
) -> Result<Split> {
    let (n, found) = (x.shape.first(), y.shape.first());
    if n != found {
        let count = |d: Option<&usize>| d.map_or_else(|| "no".to_owned(), ToString::to_string);
        let what = format!("{x_name} has {} examples, {y_name} {}; they must agree", count(n), count(found));
        return Err(Error::data(path, what));
    }
    let per_row = width(path, y_name, y)?;
    let targets = match classes {
        None => Targets::Values { values: y.finite_f32(path, y_name)?, outputs: per_row },
        Some(_) if per_row != 1 => {
            let what = format!("{y_name} has shape {:?}; labels need one integer per example", y.shape);
            return Err(Error::data(path, what));
        }
        Some(classes) => {
            let labels = y.integers().unwrap_or_default();
            let labels = labels.into_iter().filter_map(|l| u32::try_from(l).ok()).collect();
            Targets::Classes { labels, classes }
        }
    };
    let features = match x.data {
        ArrayData::U8(pixels) => Features::U8(pixels),
        _ => Features::F32(x.finite_f32(path, x_name)?),
    };
    Split::new(path, x_name, inputs, features, targets)
}
