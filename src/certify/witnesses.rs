//! `witness.safetensors`: what the proofs of all inputs need beside network and inputs.
//!
//! Lists of different lengths lie one after the other, with offsets: rows are (input, hidden layer), inputs outermost, and
//! the entries of row `r` are `offsets[r]..offsets[r + 1]`. `labels` u32; `coupling [·,2]` u32 with `coupling_mass` f64;
//! `splits [·,3]` u32 (component, coordinate, points); `sharing [·,2]` u32 (neuron, level); `shapes` u32, whose rows are lists themselves, ended by
//! `shape_ends`.

use std::path::Path;

use super::core::{LayerWitness, Method, Shared, Split, Witness};
use super::record::{method_name, method_of};
use crate::io::{TensorData, Tensors};
use crate::{Error, Result};

/// The file's contents for the witnesses of inputs that have `layers` hidden layers each.
pub(super) fn pack<'a>(witnesses: impl Iterator<Item = &'a Witness> + Clone, method: Method, layers: usize) -> Tensors {
    let mut file = Tensors::default();
    file.metadata.insert("method".to_owned(), method_name(method).to_owned());
    file.metadata.insert("hidden_layers".to_owned(), layers.to_string());
    let rows = || witnesses.clone().flat_map(|witness| &witness.layers);
    let mut ragged = |name: &str, width: usize, lengths: Vec<usize>, values: TensorData| {
        let mut offsets = vec![0_u64];
        let mut end = 0;
        offsets.extend(lengths.iter().map(|&length| {
            end += length as u64;
            end
        }));
        let shape = if width == 1 { vec![values.len()] } else { vec![values.len() / width, width] };
        file.insert(name, &shape, values);
        file.insert(format!("{name}_offsets"), &[offsets.len()], TensorData::U64(offsets));
    };
    let labels = rows().flat_map(|row| row.labels.iter().copied()).collect();
    ragged("labels", 1, rows().map(|row| row.labels.len()).collect(), TensorData::U32(labels));
    let pairs = rows().flat_map(|row| row.coupling.iter().flat_map(|&(from, to, _)| [from, to])).collect();
    ragged("coupling", 2, rows().map(|row| row.coupling.len()).collect(), TensorData::U32(pairs));
    let splits = rows().flat_map(|row| row.splits.iter().flat_map(|s| [s.component, s.coordinate, s.points])).collect();
    ragged("splits", 3, rows().map(|row| row.splits.len()).collect(), TensorData::U32(splits));
    let shared = rows().flat_map(|row| row.sharing.iter().flat_map(|s| [s.neuron, s.level])).collect();
    ragged("sharing", 2, rows().map(|row| row.sharing.len()).collect(), TensorData::U32(shared));
    let shapes = rows().flat_map(|row| row.shapes.iter().flatten().copied()).collect();
    ragged("shapes", 1, rows().map(|row| row.shapes.iter().map(Vec::len).sum()).collect(), TensorData::U32(shapes));
    let mut end = 0;
    let ends = rows().flat_map(|row| row.shapes.iter().map(Vec::len)).map(|length| {
        end += length as u64;
        end
    });
    let ends: Vec<u64> = ends.collect();
    file.insert("shape_ends", &[ends.len()], TensorData::U64(ends));
    let masses: Vec<f64> = rows().flat_map(|row| row.coupling.iter().map(|&(.., mass)| mass)).collect();
    file.insert("coupling_mass", &[masses.len()], TensorData::F64(masses));
    file
}

/// The witnesses in a file, for `inputs` inputs and networks of `layers` hidden layers.
///
/// # Errors
/// [`Error::Format`] where the file is for other numbers of either, or its offsets are not of its lists.
pub(super) fn unpack(file: &Tensors, inputs: usize, layers: usize, path: &Path) -> Result<Vec<Witness>> {
    let bad = |what: String| Error::format(path, what);
    let said = |key: &str| file.metadata.get(key).map_or("", String::as_str);
    let method = method_of(said("method")).ok_or_else(|| bad(format!("method {:?} is not known", said("method"))))?;
    if said("hidden_layers") != layers.to_string() {
        return Err(bad(format!("it is for {} hidden layers; the network has {layers}", said("hidden_layers"))));
    }
    let rows = inputs * layers;
    let labels = Ragged::read(file, "labels", 1, rows, path)?;
    let coupling = Ragged::read(file, "coupling", 2, rows, path)?;
    let splits = Ragged::read(file, "splits", 3, rows, path)?;
    let sharing = Ragged::read(file, "sharing", 2, rows, path)?;
    let shapes = Ragged::read(file, "shapes", 1, rows, path)?;
    let ends = u64s(file, "shape_ends", path)?;
    let TensorData::F64(masses) = &file.get("coupling_mass", path)?.data else {
        return Err(bad("tensor coupling_mass must hold f64".to_owned()));
    };
    if masses.len() * 2 != coupling.values.len() {
        return Err(bad("coupling and coupling_mass have different lengths".to_owned()));
    }
    let layer = |row: usize| -> Result<LayerWitness> {
        let pairs = coupling.row(row).as_chunks::<2>().0.iter();
        let masses = &masses[coupling.offsets[row]..coupling.offsets[row + 1]];
        let cuts = splits.row(row).as_chunks::<3>().0.iter();
        let cut = |&[component, coordinate, points]: &[u32; 3]| Split { component, coordinate, points };
        Ok(LayerWitness {
            labels: labels.row(row).to_vec(),
            coupling: pairs.zip(masses).map(|(&[from, to], &mass)| (from, to, mass)).collect(),
            splits: cuts.map(cut).collect(),
            sharing: sharing
                .row(row)
                .as_chunks::<2>()
                .0
                .iter()
                .map(|&[neuron, level]| Shared { neuron, level })
                .collect(),
            shapes: cut_at(&shapes, row, &ends).ok_or_else(|| bad("shape_ends are not of shapes".to_owned()))?,
        })
    };
    let witness = |input: usize| -> Result<Witness> {
        let layers = (input * layers..(input + 1) * layers).map(layer).collect::<Result<_>>()?;
        Ok(Witness { method, layers })
    };
    (0..inputs).map(witness).collect()
}

/// Row `row` of `shapes`, cut where lists end.
fn cut_at(shapes: &Ragged, row: usize, ends: &[usize]) -> Option<Vec<Vec<u32>>> {
    let (mut start, stop) = (shapes.offsets[row], shapes.offsets[row + 1]);
    let from = ends.partition_point(|&end| end <= start);
    let mut lists = Vec::new();
    for &end in ends[from..].iter().take_while(|&&end| end <= stop) {
        lists.push(shapes.values.get(start..end)?.to_vec());
        start = end;
    }
    (start == stop).then_some(lists)
}

/// Lists one after the other.
struct Ragged<'a> {
    values: &'a [u32],
    width: usize,
    offsets: Vec<usize>,
}

impl<'a> Ragged<'a> {
    fn read(file: &'a Tensors, name: &str, width: usize, rows: usize, path: &Path) -> Result<Self> {
        let bad = |what: &str| Error::format(path, format!("tensor {name}{what}"));
        let TensorData::U32(values) = &file.get(name, path)?.data else { return Err(bad(" must hold u32")) };
        let offsets = u64s(file, &format!("{name}_offsets"), path)?;
        let fits = offsets.len() == rows + 1
            && offsets.first() == Some(&0)
            && offsets.last().and_then(|end| end.checked_mul(width)) == Some(values.len())
            && offsets.is_sorted();
        if !fits {
            return Err(bad("_offsets are not of its lists or not of the inputs"));
        }
        Ok(Self { values, width, offsets })
    }

    fn row(&self, row: usize) -> &'a [u32] {
        &self.values[self.offsets[row] * self.width..self.offsets[row + 1] * self.width]
    }
}

fn u64s(file: &Tensors, name: &str, path: &Path) -> Result<Vec<usize>> {
    let bad = || Error::format(path, format!("tensor {name} must hold u64 offsets in order"));
    let TensorData::U64(values) = &file.get(name, path)?.data else { return Err(bad()) };
    if !values.is_sorted() {
        return Err(bad());
    }
    values.iter().map(|&value| usize::try_from(value).map_err(|_| bad())).collect()
}
