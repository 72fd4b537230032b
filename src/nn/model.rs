//! Model files: safetensors with the layers in the metadata, and files of other programs that have only tensors.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::inferred::inferred;
use super::metadata::{Description, described};
use super::network_spec::NetworkSpec;
use super::spec::Activation;
use super::tensor_spec::TensorSpec;
use crate::data::{Dataset, Normalization, TargetScale};
use crate::device::Device;
use crate::io::{TensorData, Tensors};
use crate::{Error, Result};

/// Where a result comes from. No field depends on where files lie or when a run took place, so that equal runs write
/// equal files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// Version of bures.
    pub version: String,
    /// Commit it was built from, where known.
    pub commit: String,
    /// Name of the adapter, or of the CPU executor.
    pub adapter: String,
    /// Its driver.
    pub driver: String,
    /// Seed of the run.
    pub seed: u64,
    /// Data set.
    pub data: String,
    /// SHA-256 of its files, in the order in which they were read.
    pub inputs: Vec<String>,
}

impl Provenance {
    /// Of a run of this program on `device` with `data`; the seed is 0 until a run sets its own.
    pub fn of(device: &Device, data: &Dataset) -> Self {
        let (adapter, driver) = device.name_and_driver();
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: option_env!("BURES_COMMIT").unwrap_or_default().to_owned(),
            adapter,
            driver,
            seed: 0,
            data: data.name.clone(),
            inputs: data.source.iter().map(|source| source.sha256.clone()).collect(),
        }
    }
}

/// A trained network on the host.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Its layers.
    pub spec: NetworkSpec,
    /// Classes that its outputs tell apart; none for a regression.
    pub classes: Option<usize>,
    /// What is done to inputs before the first layer.
    pub normalize: Normalization,
    /// How outputs of a regression are brought back to their units.
    pub targets: Option<TargetScale>,
    /// Where it comes from.
    pub provenance: Provenance,
    /// For every layer its flat parameters, with pads (layout: [`super::LayerSpec::tensors`]).
    pub params: Vec<Vec<f32>>,
}

impl Model {
    /// Whether the outputs are logits against a reference class 0 with logit 0.
    pub fn has_reference_class(&self) -> bool {
        self.classes == Some(self.spec.outputs() + 1)
    }

    /// The parameters as named tensors without pads.
    pub fn tensors(&self) -> Tensors {
        let mut tensors = Tensors::default();
        for (i, (layer, params)) in self.spec.layers.iter().zip(&self.params).enumerate() {
            for tensor in layer.tensors() {
                let name = format!("layers.{i}.{}", tensor.name);
                tensors.insert(name, &tensor.shape, TensorData::F32(tensor.unpack(params)));
            }
        }
        tensors
    }

    /// Writes the model, whole or not at all. Equal models give equal bytes.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let json = super::metadata::describe(self)
            .map_err(|why| Error::format(&path, format!("the model cannot be described: {why}")))?;
        let mut tensors = self.tensors();
        tensors.metadata.insert("bures".to_owned(), json);
        tensors.write(path)
    }

    /// Reads a model. A file without bures' metadata is understood from its tensors' names; `activation` is what
    /// follows its dense layers, all but the last.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read; otherwise as for [`Model::from_tensors`].
    pub fn read(path: impl AsRef<Path>, activation: Option<Activation>) -> Result<Self> {
        Self::from_tensors(path.as_ref(), &Tensors::read(path.as_ref())?, activation)
    }

    /// The model in a file that has been read; `path` is only named in errors.
    ///
    /// # Errors
    /// [`Error::Format`] and [`Error::Data`] naming the tensor that is missing, misshapen, not finite, or a negative
    /// deviation; [`Error::Config`] when dense layers come without metadata and without `activation`.
    pub fn from_tensors(path: &Path, file: &Tensors, activation: Option<Activation>) -> Result<Self> {
        let (about, names) = match file.metadata.get("bures") {
            Some(json) => {
                let about = described(path, json, file)?;
                let names = (0..about.layers.layers.len()).map(|i| format!("layers.{i}.")).collect();
                (about, names)
            }
            None => inferred(path, file, activation)?,
        };
        let mut params = Vec::new();
        for (layer, prefix) in about.layers.layers.iter().zip(&names) {
            // The file bounds what is allocated: metadata that promises a huge layer is found out first.
            let tensors = layer.tensors();
            let found: Vec<Option<String>> =
                tensors.iter().map(|tensor| find(path, file, prefix, tensor)).collect::<Result<_>>()?;
            let mut flat = layer.blank_params();
            for (tensor, name) in tensors.iter().zip(&found) {
                if let Some(name) = name {
                    let (_, values) = file.finite_f32(name, path)?;
                    check_deviations(path, tensor, name, &values)?;
                    check_weights(path, tensor, name, &values)?;
                    tensor.pack(&values, &mut flat);
                }
            }
            params.push(flat);
        }
        let Description { layers: spec, classes, normalize, targets, provenance } = about;
        Ok(Self { spec, classes, normalize, targets, provenance, params })
    }
}

/// The tensor's name in the file, its shape checked. A deviation that is not there is 0 everywhere; a mean may be
/// called as the weights of a layer that is not random are.
fn find(path: &Path, file: &Tensors, prefix: &str, wanted: &TensorSpec) -> Result<Option<String>> {
    let name = format!("{prefix}{}", wanted.name);
    let plain = || wanted.name.strip_suffix("_mean").map(|name| format!("{prefix}{name}"));
    let name = match plain() {
        Some(plain) if !file.tensors.contains_key(&name) && file.tensors.contains_key(&plain) => plain,
        _ => name,
    };
    match file.tensors.get(&name) {
        None if wanted.name.ends_with("_std") => Ok(None),
        None => Err(Error::format(path, format!("tensor {name} is missing"))),
        Some(tensor) if tensor.shape != wanted.shape => {
            let (shape, wanted) = (&tensor.shape, &wanted.shape);
            Err(Error::format(path, format!("tensor {name} has shape {shape:?}; the model's layers want {wanted:?}")))
        }
        Some(_) => Ok(Some(name)),
    }
}

/// Weights of components are on the simplex, up to the rounding of a file.
fn check_weights(path: &Path, tensor: &TensorSpec, name: &str, values: &[f32]) -> Result<()> {
    let sum: f64 = values.iter().map(|&weight| f64::from(weight)).sum();
    if tensor.name != "weights" || (values.iter().all(|&weight| weight >= 0.0) && (sum - 1.0).abs() < 1e-3) {
        return Ok(());
    }
    let what = format!("tensor {name} holds weights of sum {sum}; they must not be negative and sum to 1");
    Err(Error::data(path, what))
}

fn check_deviations(path: &Path, tensor: &TensorSpec, name: &str, values: &[f32]) -> Result<()> {
    match values.iter().position(|&value| value < 0.0) {
        Some(at) if tensor.name.ends_with("_std") => {
            let what = format!("tensor {name}, value {at}: {}; a standard deviation cannot be negative", values[at]);
            Err(Error::data(path, what))
        }
        Some(at) if tensor.name == "running_var" => {
            let what = format!("tensor {name}, value {at}: {}; a variance cannot be negative", values[at]);
            Err(Error::data(path, what))
        }
        _ => Ok(()),
    }
}
