//! The JSON under the metadata key `bures` of a model file.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::model::{Model, Provenance};
use super::network_spec::NetworkSpec;
use super::spec::{Activation, LayerSpec};
use crate::data::{Normalization, TargetScale};
use crate::io::Tensors;
use crate::{Error, Result};

const FORMAT: u32 = 1;

/// The kind of a network with random weights.
const STOCHASTIC: &str = "stochastic";

/// What a file says about its model beside the parameters.
pub(super) struct Description {
    pub(super) layers: NetworkSpec,
    pub(super) classes: Option<usize>,
    pub(super) normalize: Normalization,
    pub(super) targets: Option<TargetScale>,
    pub(super) provenance: Provenance,
}

/// As it stands in the file.
#[derive(Serialize, Deserialize)]
struct Metadata<Layers> {
    format: u32,
    kind: String,
    layers: Layers,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    classes: Option<usize>,
    #[serde(default = "as_they_are")]
    normalize: Normalization,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    targets: Option<TargetScale>,
    #[serde(default)]
    provenance: Provenance,
}

fn as_they_are() -> Normalization {
    Normalization::None
}

/// An entry of `layers` in a file of kind `stochastic`. Sizes that are left out are those of the tensors.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StochasticEntry {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    inputs: Option<usize>,
    #[serde(default)]
    outputs: Option<usize>,
    #[serde(default)]
    activation: Activation,
    #[serde(default)]
    dropout: f64,
}

/// The JSON for `model`.
pub(super) fn describe(model: &Model) -> serde_json::Result<String> {
    let stochastic: Vec<StochasticEntry> = model.spec.layers.iter().filter_map(entry).collect();
    let (classes, normalize, targets) = (model.classes, model.normalize.clone(), model.targets.clone());
    let provenance = model.provenance.clone();
    if !stochastic.is_empty() {
        let (kind, layers) = (STOCHASTIC.to_owned(), stochastic);
        return serde_json::to_string(&Metadata {
            format: FORMAT,
            kind,
            layers,
            classes,
            normalize,
            targets,
            provenance,
        });
    }
    let gm = model.spec.layers.iter().any(|layer| matches!(layer, LayerSpec::Gm { .. } | LayerSpec::GmJoint { .. }));
    let kind = if gm { "gm" } else { "network" }.to_owned();
    let layers = &model.spec;
    serde_json::to_string(&Metadata { format: FORMAT, kind, layers, classes, normalize, targets, provenance })
}

fn entry(layer: &LayerSpec) -> Option<StochasticEntry> {
    let LayerSpec::Stochastic { inputs, outputs, activation, dropout, .. } = *layer else { return None };
    Some(StochasticEntry {
        kind: "dense".to_owned(),
        inputs: Some(inputs),
        outputs: Some(outputs),
        activation,
        dropout,
    })
}

/// What `json` says, checked.
pub(super) fn described(path: &Path, json: &str, file: &Tensors) -> Result<Description> {
    let bad = |what: String| Error::format(path, format!("metadata bures: {what}"));
    let read: Metadata<serde_json::Value> = serde_json::from_str(json).map_err(|why| bad(why.to_string()))?;
    if read.format != FORMAT {
        return Err(bad(format!("format {} is not known; this version reads format {FORMAT}", read.format)));
    }
    let layers = if read.kind == STOCHASTIC {
        let entries: Vec<StochasticEntry> = serde_json::from_value(read.layers).map_err(|why| bad(why.to_string()))?;
        let layers = entries
            .iter()
            .enumerate()
            .map(|(i, entry)| stochastic(i, entry, file))
            .collect::<std::result::Result<_, String>>();
        NetworkSpec { layers: layers.map_err(bad)? }
    } else {
        serde_json::from_value(read.layers).map_err(|why| bad(why.to_string()))?
    };
    layers.check().map_err(|why| bad(why.to_string()))?;
    read.normalize.validate(layers.inputs()).map_err(|why| bad(why.to_string()))?;
    if let Some(targets) = &read.targets {
        targets.validate(layers.outputs()).map_err(|why| bad(why.to_string()))?;
    }
    let outputs = layers.outputs();
    if read.classes.is_some_and(|classes| classes != outputs && classes != outputs + 1) {
        return Err(bad(format!("{:?} classes do not fit {outputs} outputs", read.classes)));
    }
    let Metadata { classes, normalize, targets, provenance, .. } = read;
    Ok(Description { layers, classes, normalize, targets, provenance })
}

fn stochastic(i: usize, entry: &StochasticEntry, file: &Tensors) -> std::result::Result<LayerSpec, String> {
    if entry.kind != "dense" {
        return Err(format!("layer {i} has the type {:?}; the layers of a stochastic network are dense", entry.kind));
    }
    let shape = ["weight_mean", "weight"].iter().find_map(|name| file.tensors.get(&format!("layers.{i}.{name}")));
    let sizes = match (entry.outputs, entry.inputs, shape.map(|tensor| &tensor.shape[..])) {
        (Some(outputs), Some(inputs), _) => [outputs, inputs],
        (outputs, inputs, Some(&[rows, columns])) => [outputs.unwrap_or(rows), inputs.unwrap_or(columns)],
        _ => return Err(format!("layer {i} has neither sizes nor a matrix layers.{i}.weight_mean")),
    };
    if !(0.0..1.0).contains(&entry.dropout) {
        return Err(format!("layer {i} drops with probability {}, which is not in [0, 1)", entry.dropout));
    }
    let ([outputs, inputs], activation, dropout) = (sizes, entry.activation, entry.dropout);
    let correlated = correlated(file, &format!("layers.{i}."))?;
    Ok(LayerSpec::Stochastic { inputs, outputs, activation, dropout, correlated })
}

/// Whether the weights and the biases of the layer whose tensors' names start with `prefix` have a full covariance.
pub(super) fn correlated(file: &Tensors, prefix: &str) -> std::result::Result<[bool; 2], String> {
    let has = |tensor: &str| file.tensors.contains_key(&format!("{prefix}{tensor}"));
    let full = |name: &str| {
        let (covariance, std) = (format!("{name}_covariance"), format!("{name}_std"));
        match (has(&covariance), has(&std)) {
            (true, true) => Err(format!("tensors {prefix}{covariance} and {prefix}{std} exclude one another")),
            (full, _) => Ok(full),
        }
    };
    Ok([full("weight")?, full("bias")?])
}
