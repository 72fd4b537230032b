//! Model files: safetensors with the layers in the metadata, and files of other programs that have only tensors.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::spec::{Activation, LayerSpec, NetworkSpec, TensorSpec};
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

/// The JSON under the metadata key `bures`.
#[derive(Serialize, Deserialize)]
struct Metadata {
    format: u32,
    kind: String,
    layers: NetworkSpec,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    classes: Option<usize>,
    normalize: Normalization,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    targets: Option<TargetScale>,
    #[serde(default)]
    provenance: Provenance,
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
    /// For every layer its flat parameters, with pads (layout: [`LayerSpec::tensors`]).
    pub params: Vec<Vec<f32>>,
}

const FORMAT: u32 = 1;

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
        let gm = self.spec.layers.iter().any(|layer| matches!(layer, LayerSpec::Gm { .. }));
        let metadata = Metadata {
            format: FORMAT,
            kind: if gm { "gm" } else { "network" }.to_owned(),
            layers: self.spec.clone(),
            classes: self.classes,
            normalize: self.normalize.clone(),
            targets: self.targets.clone(),
            provenance: self.provenance.clone(),
        };
        let json = serde_json::to_string(&metadata)
            .map_err(|why| Error::format(&path, format!("the model cannot be described: {why}")))?;
        let mut tensors = self.tensors();
        tensors.metadata.insert("bures".to_owned(), json);
        tensors.write(path)
    }

    /// Reads a model. A file without bures' metadata is understood from its tensors' names; `activation` is what
    /// follows its dense layers, all but the last.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read; [`Error::Format`] and [`Error::Data`] naming the tensor that is missing,
    /// misshapen or not finite; [`Error::Config`] when dense layers come without metadata and without `activation`.
    pub fn read(path: impl AsRef<Path>, activation: Option<Activation>) -> Result<Self> {
        let path = path.as_ref();
        let file = Tensors::read(path)?;
        let (metadata, prefix) = match file.metadata.get("bures") {
            Some(json) => (described(path, json)?, "layers."),
            None => inferred(path, &file, activation)?,
        };
        let mut params = Vec::new();
        for (i, layer) in metadata.layers.layers.iter().enumerate() {
            // `nn.Sequential` counts the activations between dense layers too.
            let index = if prefix.is_empty() { 2 * i } else { i };
            // The file bounds what is allocated: metadata that promises a huge layer is found out first.
            let name = |tensor: &TensorSpec| format!("{prefix}{index}.{}", tensor.name);
            for tensor in layer.tensors() {
                check_shape(path, &file, &name(&tensor), &tensor)?;
            }
            let mut flat = vec![0.0; layer.params_len()];
            for tensor in layer.tensors() {
                tensor.pack(&file.finite_f32(&name(&tensor), path)?.1, &mut flat);
            }
            params.push(flat);
        }
        let Metadata { layers: spec, classes, normalize, targets, provenance, .. } = metadata;
        Ok(Self { spec, classes, normalize, targets, provenance, params })
    }
}

fn check_shape(path: &Path, file: &Tensors, name: &str, wanted: &TensorSpec) -> Result<()> {
    let found = file.tensors.get(name).map(|tensor| &tensor.shape);
    let Some(shape) = found else {
        return Err(Error::format(path, format!("tensor {name} is missing")));
    };
    if *shape != wanted.shape {
        let what = format!("tensor {name} has shape {shape:?}; the model's layers want {:?}", wanted.shape);
        return Err(Error::format(path, what));
    }
    Ok(())
}

/// The metadata, checked.
fn described(path: &Path, json: &str) -> Result<Metadata> {
    let bad = |what: String| Error::format(path, format!("metadata bures: {what}"));
    let metadata: Metadata = serde_json::from_str(json).map_err(|why| bad(why.to_string()))?;
    if metadata.format != FORMAT {
        return Err(bad(format!("format {} is not known; this version reads format {FORMAT}", metadata.format)));
    }
    metadata.layers.check().map_err(|why| bad(why.to_string()))?;
    metadata.normalize.validate(metadata.layers.inputs()).map_err(|why| bad(why.to_string()))?;
    if let Some(targets) = &metadata.targets {
        targets.validate(metadata.layers.outputs()).map_err(|why| bad(why.to_string()))?;
    }
    let outputs = metadata.layers.outputs();
    if metadata.classes.is_some_and(|classes| classes != outputs && classes != outputs + 1) {
        return Err(bad(format!("{:?} classes do not fit {outputs} outputs", metadata.classes)));
    }
    Ok(metadata)
}

/// Layers from tensor names: `layers.i.mu …`, `layers.i.weight …`, or `i.weight …` of PyTorch's `nn.Sequential`.
fn inferred(path: &Path, file: &Tensors, activation: Option<Activation>) -> Result<(Metadata, &'static str)> {
    let sequential = file.tensors.contains_key("0.weight");
    let prefix = if sequential { "" } else { "layers." };
    let indices: BTreeSet<usize> =
        file.tensors.keys().filter_map(|name| name.strip_prefix(prefix)?.split_once('.')?.0.parse().ok()).collect();
    let mut layers = Vec::new();
    for (position, &index) in indices.iter().enumerate() {
        let shape = |name: &str| file.tensors.get(&format!("{prefix}{index}.{name}")).map(|t| t.shape.clone());
        let expected = if sequential { 2 * position } else { layers.len() };
        // GM layers are stacked with a unit norm, which has an index and no tensors, between them.
        if !sequential && index == expected + 1 && !layers.is_empty() {
            let inputs = layers.last().map_or(0, LayerSpec::outputs);
            layers.push(LayerSpec::UnitNorm { inputs });
        } else if index != expected {
            return Err(Error::format(path, format!("tensors of layer {prefix}{expected} are missing")));
        }
        match (shape("u").as_deref(), shape("weight").as_deref()) {
            (Some(&[components, outputs, inputs]), None) => layers.push(LayerSpec::Gm { components, inputs, outputs }),
            (None, Some(&[outputs, inputs])) => {
                layers.push(LayerSpec::Dense { inputs, outputs, activation: Activation::None });
            }
            _ => {
                let what = format!("layer {prefix}{index} has neither u [K,L,d] nor weight [out,in]");
                return Err(Error::format(path, what));
            }
        }
    }
    activate(&mut layers, activation)?;
    let layers = NetworkSpec { layers };
    layers.check().map_err(|why| Error::format(path, why.to_string()))?;
    let kind = String::new();
    let (normalize, provenance) = (Normalization::None, Provenance::default());
    Ok((Metadata { format: FORMAT, kind, layers, classes: None, normalize, targets: None, provenance }, prefix))
}

/// Puts `activation` behind every dense layer but the last.
fn activate(layers: &mut [LayerSpec], given: Option<Activation>) -> Result<()> {
    let last = layers.len().saturating_sub(1);
    for layer in &mut layers[..last] {
        if let LayerSpec::Dense { activation, .. } = layer {
            *activation = given.ok_or_else(|| {
                let what = "the model does not say what follows its dense layers: give --activation relu or none";
                Error::Config(what.to_owned())
            })?;
        }
    }
    Ok(())
}
