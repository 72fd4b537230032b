//! Layers from the names of tensors, for files that other programs wrote.

use std::collections::BTreeSet;
use std::path::Path;

use super::covariance::{Covariance, Weights};
use super::metadata::{Description, correlated};
use super::model::Provenance;
use super::network_spec::NetworkSpec;
use super::spec::{Activation, LayerSpec};
use crate::data::Normalization;
use crate::io::Tensors;
use crate::{Error, Result};

/// Layers from tensor names, and what stands before each layer's names: `layers.i.mu …`, `layers.i.weight …`, or
/// `i.weight …` of PyTorch's `nn.Sequential`; `weight_mean` and `weight_std` (or `weight_covariance`) where weights are random.
pub(super) fn inferred(
    path: &Path,
    file: &Tensors,
    activation: Option<Activation>,
) -> Result<(Description, Vec<String>)> {
    let sequential = ["0.weight", "0.weight_mean"].iter().any(|name| file.tensors.contains_key(*name));
    let prefix = if sequential { "" } else { "layers." };
    let indices: BTreeSet<usize> =
        file.tensors.keys().filter_map(|name| name.strip_prefix(prefix)?.split_once('.')?.0.parse().ok()).collect();
    let indices: Vec<usize> = indices.into_iter().collect();
    let step = if sequential { sequential_step(&indices) } else { 1 };
    let random = ["_mean", "_std", "_covariance"];
    let random = file.tensors.keys().any(|name| random.iter().any(|end| name.ends_with(end)));
    let (mut layers, mut names) = (Vec::new(), Vec::new());
    for (position, &index) in indices.iter().enumerate() {
        let expected = if sequential { step * position } else { layers.len() };
        // GM layers are stacked with a unit norm, which has an index and no tensors, between them.
        if !sequential && index == expected + 1 && matches!(layers.last(), Some(LayerSpec::Gm { .. })) {
            let inputs = layers.last().map_or(0, LayerSpec::outputs);
            layers.push(LayerSpec::UnitNorm { inputs });
            names.push(String::new());
        } else if index != expected {
            return Err(Error::format(path, format!("tensors of layer {prefix}{expected} are missing")));
        }
        let name = format!("{prefix}{index}.");
        layers.push(layer(path, file, &name, random)?);
        names.push(name);
    }
    activate(&mut layers, activation)?;
    let layers = NetworkSpec { layers };
    layers.check().map_err(|why| Error::format(path, why.to_string()))?;
    let (normalize, provenance) = (Normalization::None, Provenance::default());
    Ok((Description { layers, classes: None, normalize, targets: None, provenance }, names))
}

/// `nn.Sequential` counts what stands between dense layers too: nothing, an activation, or an activation and dropout.
fn sequential_step(indices: &[usize]) -> usize {
    indices.get(1).copied().filter(|step| (1..=3).contains(step)).unwrap_or(2)
}

fn layer(path: &Path, file: &Tensors, name: &str, random: bool) -> Result<LayerSpec> {
    let shape = |tensor: &str| file.tensors.get(&format!("{name}{tensor}")).map(|t| &t.shape[..]);
    if let (None, Some(&[components, n, _])) = (shape("u"), shape("c")) {
        return Ok(LayerSpec::GmJoint { components, inputs: n.saturating_sub(1) });
    }
    let weight = shape("weight_mean").or_else(|| shape("weight"));
    match (shape("u"), weight) {
        (Some(&[components, outputs, inputs]), None) => {
            let covariance = match (shape("root"), shape("c")) {
                (Some(&[_, rank, _]), _) => Covariance::LowRank { rank },
                (None, Some(_)) => Covariance::Full,
                _ => Covariance::Diagonal,
            };
            let weights = if shape("weights").is_some() { Weights::Learned } else { Weights::Equal };
            Ok(LayerSpec::Gm { components, inputs, outputs, covariance, weights })
        }
        (None, Some(&[outputs, inputs])) if random => {
            let correlated = correlated(file, name).map_err(|what| Error::format(path, what))?;
            Ok(LayerSpec::Stochastic { inputs, outputs, activation: Activation::None, dropout: 0.0, correlated })
        }
        (None, Some(&[outputs, inputs])) => Ok(LayerSpec::Dense { inputs, outputs, activation: Activation::None }),
        _ => {
            let layer = name.trim_end_matches('.');
            Err(Error::format(
                path,
                format!("layer {layer} has neither u [K,L,d] nor weight [out,in], nor c [K,1+d,1+d]"),
            ))
        }
    }
}

/// Puts `activation` behind every dense layer but the last.
fn activate(layers: &mut [LayerSpec], given: Option<Activation>) -> Result<()> {
    let last = layers.len().saturating_sub(1);
    for layer in &mut layers[..last] {
        if let LayerSpec::Dense { activation, .. } | LayerSpec::Stochastic { activation, .. } = layer {
            *activation = given.ok_or_else(|| {
                let what = "the model does not say what follows its dense layers: give --activation relu, tanh or none";
                Error::Config(what.to_owned())
            })?;
        }
    }
    Ok(())
}
