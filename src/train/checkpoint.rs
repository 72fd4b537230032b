//! Checkpoints: everything a run needs to go on as if it had never stopped.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::io::{TensorData, Tensors};
use crate::nn::NetworkSpec;
use crate::{Error, Result};

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Counters {
    /// Steps taken.
    pub(super) step: u64,
    /// Wall-clock seconds that they took.
    pub(super) seconds: f64,
}

/// One seed's state: named sets (`params`, and the optimiser's) of one flat array per layer.
pub(super) struct Checkpoint {
    pub(super) counters: Counters,
    pub(super) sets: Vec<(&'static str, Vec<Vec<f32>>)>,
}

fn current(folder: &Path) -> PathBuf {
    folder.join("checkpoint.safetensors")
}

fn previous(folder: &Path) -> PathBuf {
    folder.join("checkpoint.previous.safetensors")
}

impl Checkpoint {
    /// Writes the checkpoint into `folder`, whole or not at all. With `keep_previous` the one before it stays too: seeds
    /// that train together are written one after another, and a kill in between must leave a step that all of them have.
    pub(super) fn write(&self, spec: &NetworkSpec, folder: &Path, keep_previous: bool) -> Result<()> {
        let mut file = Tensors::default();
        for (set, layers) in &self.sets {
            for (i, (layer, params)) in spec.layers.iter().zip(layers).enumerate().filter(|(_, (_, p))| !p.is_empty()) {
                for tensor in layer.tensors() {
                    let name = format!("{set}.layers.{i}.{}", tensor.name);
                    file.insert(name, &tensor.shape, TensorData::F32(tensor.unpack(params)));
                }
            }
        }
        let path = current(folder);
        let counters = serde_json::to_string(&self.counters)
            .map_err(|why| Error::format(&path, format!("the counters cannot be described: {why}")))?;
        file.metadata.insert("counters".to_owned(), counters);
        if keep_previous && path.exists() {
            let older = previous(folder);
            fs::rename(&path, &older).map_err(Error::io("rename", &path))?;
        }
        file.write(&path)
    }

    /// The newest step for which every one of `folders` has a checkpoint.
    pub(super) fn newest_common(folders: &[PathBuf]) -> Result<u64> {
        let mut common: Option<Vec<u64>> = None;
        for folder in folders {
            let mut steps = Vec::new();
            for path in [current(folder), previous(folder)] {
                if path.exists() {
                    steps.push(counters(&path, &Tensors::read(&path)?)?.step);
                }
            }
            common = Some(match common {
                None => steps,
                Some(known) => known.into_iter().filter(|step| steps.contains(step)).collect(),
            });
        }
        common.and_then(|steps| steps.into_iter().max()).ok_or_else(|| {
            let what = "no checkpoint to resume from: the run had not reached its first; start it again with --force";
            Error::data(folders.first().map_or(Path::new("."), PathBuf::as_path), what)
        })
    }

    /// Reads the checkpoint of `step` from `folder`; `sets` are the names to look for. It becomes the current one, so that
    /// a second kill between two seeds' checkpoints again leaves a step that all have.
    pub(super) fn resume(spec: &NetworkSpec, folder: &Path, step: u64, sets: &[&'static str]) -> Result<Self> {
        for path in [current(folder), previous(folder)] {
            if !path.exists() {
                continue;
            }
            let file = Tensors::read(&path)?;
            let counters = counters(&path, &file)?;
            if counters.step == step {
                let sets: Result<_> = sets.iter().map(|&set| Ok((set, read_set(spec, &path, &file, set)?))).collect();
                let found = Self { counters, sets: sets? };
                if path != current(folder) {
                    fs::rename(&path, current(folder)).map_err(Error::io("rename", &path))?;
                }
                return Ok(found);
            }
        }
        Err(Error::data(folder, format!("no checkpoint of step {step}")))
    }
}

fn counters(path: &Path, file: &Tensors) -> Result<Counters> {
    let json = file.metadata.get("counters");
    json.and_then(|json| serde_json::from_str(json).ok())
        .ok_or_else(|| Error::format(path, "not a checkpoint: its metadata has no counters"))
}

fn read_set(spec: &NetworkSpec, path: &Path, file: &Tensors, set: &str) -> Result<Vec<Vec<f32>>> {
    let layer = |(i, layer): (usize, &crate::nn::LayerSpec)| {
        let mut flat = if set == "params" { layer.blank_params() } else { vec![0.0; layer.params_len()] };
        for tensor in layer.tensors() {
            let name = format!("{set}.layers.{i}.{}", tensor.name);
            let (shape, values) = file.finite_f32(&name, path)?;
            if shape != tensor.shape {
                let what = format!("tensor {name} has shape {shape:?}, not {:?}", tensor.shape);
                return Err(Error::format(path, what));
            }
            tensor.pack(&values, &mut flat);
        }
        Ok(flat)
    };
    spec.layers.iter().enumerate().map(layer).collect()
}
