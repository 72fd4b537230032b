//! The network that a certificate speaks of: a model file, exactly as stored.

use std::path::{Path, PathBuf};

use super::core::{Layer, Network};
use crate::io::{TensorData, Tensors, read_hashed};
use crate::nn::{Activation, LayerSpec, Model};
use crate::{Error, Result};

/// A model file and the network it holds.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Where it was read.
    pub path: PathBuf,
    /// SHA-256 of the file.
    pub sha256: String,
    /// What the options said that the file does not: the activation between its layers.
    pub activation: Option<Activation>,
    /// What the options said of dropout after every hidden activation.
    pub dropout: Option<f64>,
    /// The model, for its normalisation and its layers.
    pub model: Model,
    /// Its law. Numbers are those of the file; variances are the exact squares of its deviations.
    pub network: Network,
}

impl Subject {
    /// Reads a model and takes it for a network with random weights; one whose weights are not random has variances 0.
    /// `activation` is what follows the dense layers of a file that does not say so, `dropout` the probability with
    /// which every hidden activation is dropped, in place of what the file says.
    ///
    /// # Errors
    /// As for [`Model::from_tensors`]; [`Error::Config`] for a probability outside `[0, 1)`;
    /// [`Error::Data`] for a layer that cannot be certified and for numbers that single precision does not hold.
    pub fn read(path: &Path, activation: Option<Activation>, dropout: Option<f64>) -> Result<Self> {
        let (bytes, sha256) = read_hashed(path)?;
        let file = Tensors::parse(&bytes, path)?;
        drop(bytes);
        check_single(path, &file)?;
        let model = Model::from_tensors(path, &file, activation)?;
        if let Some(p) = dropout.filter(|p| !(0.0..1.0).contains(p)) {
            return Err(Error::Config(format!("dropout is {p}; a probability in [0, 1) is needed")));
        }
        let last = model.spec.layers.len().saturating_sub(1);
        let layers = model.spec.layers.iter().zip(&model.params).enumerate();
        let layers = layers.map(|(i, (layer, params))| {
            let dropout = dropout.filter(|_| i < last);
            convert(path, i, layer, params, dropout)
        });
        let network = Network { layers: layers.collect::<Result<_>>()? };
        Ok(Self { path: path.to_owned(), sha256, activation, dropout, model, network })
    }

    /// Whether weights or biases of any layer have a full covariance.
    pub fn is_correlated(&self) -> bool {
        self.network.layers.iter().any(Layer::is_correlated)
    }

    /// One line for people: `network 784-128-128-10, ReLU, factorised Gaussian weights`.
    pub fn describe(&self) -> String {
        let widths = self.network.layers.first().map(|layer| layer.inputs).into_iter();
        let widths = widths.chain(self.network.layers.iter().map(|layer| layer.outputs));
        let widths: Vec<String> = widths.map(|width| width.to_string()).collect();
        let mut parts = vec![format!("network {}", widths.join("-"))];
        parts.extend(Some(self.model.spec.activations()).filter(|names| !names.is_empty()));
        let random = |layer: &Layer| layer.variance.iter().chain(&layer.bias_variance).any(|&v| v > 0.0);
        let weights = match () {
            () if self.is_correlated() => "correlated Gaussian weights",
            () if self.network.layers.iter().any(random) => "factorised Gaussian weights",
            () => "fixed weights",
        };
        parts.push(weights.to_owned());
        let mut rates: Vec<f64> = self.network.layers.iter().map(|layer| layer.dropout).filter(|&p| p > 0.0).collect();
        rates.dedup();
        parts.extend(rates.iter().map(|p| format!("dropout {p}")));
        parts.join(", ")
    }
}

/// Refuses f64 tensors that rounding to f32 changes: the certificate would speak of another network than the file holds.
fn check_single(path: &Path, file: &Tensors) -> Result<()> {
    for (name, tensor) in &file.tensors {
        let TensorData::F64(values) = &tensor.data else { continue };
        // NaN, which equals nothing, is left to the model's own checks.
        if let Some(at) = values.iter().position(|&v| f64::from(v as f32) != v && !v.is_nan()) {
            let what = format!(
                "tensor {name}, value {at}: {:e} is no single-precision number; store the model as float32",
                values[at]
            );
            return Err(Error::data(path, what));
        }
    }
    Ok(())
}

fn convert(path: &Path, i: usize, layer: &LayerSpec, params: &[f32], dropout: Option<f64>) -> Result<Layer> {
    let (activation, own_dropout) = match *layer {
        LayerSpec::Dense { activation, .. } => (activation, 0.0),
        LayerSpec::Stochastic { activation, dropout, .. } => (activation, dropout),
        LayerSpec::Gm { .. } | LayerSpec::GmJoint { .. } | LayerSpec::UnitNorm { .. } => {
            let unit_norm = matches!(layer, LayerSpec::UnitNorm { .. });
            let kind = if unit_norm { "unit norm" } else { "Gaussian-mixture layer" };
            return Err(Error::data(path, format!("layer {i} is a {kind}; bures certify takes dense layers")));
        }
        LayerSpec::Conv(_) | LayerSpec::BatchNorm(_) | LayerSpec::MaxPool(_) | LayerSpec::Dropout(_) => {
            let what = format!("layer {i} belongs to a convolutional network; bures certify takes dense layers");
            return Err(Error::data(path, what));
        }
    };
    let values = |names: [&str; 2]| -> Option<Vec<f64>> {
        let tensor = layer.tensors().into_iter().find(|tensor| names.contains(&tensor.name))?;
        Some(tensor.unpack(params).into_iter().map(f64::from).collect())
    };
    let (inputs, outputs) = (layer.inputs(), layer.outputs());
    let full = matches!(layer, LayerSpec::Stochastic { correlated, .. } if correlated.contains(&true));
    // Variances `[rows, columns]`, or the covariance of the entries, column after column.
    let variances = |covariance: &'static str, std: &'static str, [rows, columns]: [usize; 2]| {
        if let Some(covariance) = values([covariance; 2]) {
            return covariance;
        }
        // The square of a single-precision number is a double, exactly.
        let squares: Option<Vec<f64>> = values([std; 2]).map(|std| std.into_iter().map(|s| s * s).collect());
        let squares = squares.unwrap_or_else(|| vec![0.0; rows * columns]);
        if !full {
            return squares;
        }
        let n = rows * columns;
        let mut covariance = vec![0.0; n * n];
        for (at, square) in squares.into_iter().enumerate() {
            covariance[(at % columns * rows + at / columns) * (n + 1)] = square;
        }
        covariance
    };
    Ok(Layer {
        inputs,
        outputs,
        mean: values(["weight_mean", "weight"]).unwrap_or_default(),
        variance: variances("weight_covariance", "weight_std", [outputs, inputs]),
        bias_mean: values(["bias_mean", "bias"]).unwrap_or_default(),
        bias_variance: variances("bias_covariance", "bias_std", [outputs, 1]),
        activation: activation.name().to_owned(),
        dropout: dropout.unwrap_or(own_dropout),
    })
}
