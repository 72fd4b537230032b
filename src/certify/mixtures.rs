//! `mixture.safetensors`: the certified mixtures of all inputs, `weights [n,C]`, `means [n,C,D]`,
//! `covariances [n,C,D,D]`. Slots that an input does not use have weight 0.

use std::path::Path;

use super::core::Mixture;
use crate::io::{TensorData, Tensors};
use crate::{Error, Result};

/// The file's contents for mixtures of one width.
pub(super) fn pack<'a>(mixtures: impl ExactSizeIterator<Item = &'a Mixture> + Clone) -> Tensors {
    let n = mixtures.len();
    let slots = mixtures.clone().map(|mixture| mixture.weights.len()).max().unwrap_or(0);
    let width = mixtures.clone().next().map_or(0, |mixture| mixture.width);
    let gather = |part: fn(&Mixture) -> &[f64], each: usize| {
        let mut out = Vec::with_capacity(n * slots * each);
        for (i, mixture) in mixtures.clone().enumerate() {
            out.extend_from_slice(part(mixture));
            out.resize((i + 1) * slots * each, 0.0);
        }
        TensorData::F64(out)
    };
    let mut file = Tensors::default();
    file.insert("weights", &[n, slots], gather(|m| &m.weights, 1));
    file.insert("means", &[n, slots, width], gather(|m| &m.means, width));
    file.insert("covariances", &[n, slots, width, width], gather(|m| &m.covariances, width * width));
    file
}

/// The mixtures in a file; input `i` has `components[i]` of them.
///
/// # Errors
/// [`Error::Format`] where shapes do not fit one another, and where a slot that is not used is not empty.
pub(super) fn unpack(file: &Tensors, components: &[usize], path: &Path) -> Result<Vec<Mixture>> {
    let part = |name: &str| -> Result<(&[usize], &[f64])> {
        let tensor = file.get(name, path)?;
        match &tensor.data {
            TensorData::F64(values) => Ok((&tensor.shape, values)),
            _ => Err(Error::format(path, format!("tensor {name} must hold f64"))),
        }
    };
    let ((weights_shape, weights), (means_shape, means)) = (part("weights")?, part("means")?);
    let (covariances_shape, covariances) = part("covariances")?;
    let misshapen = || Error::format(path, "weights, means and covariances do not fit one another or the certificate");
    let &[n, slots, width] = means_shape else { return Err(misshapen()) };
    let most = components.iter().copied().max().unwrap_or(0);
    if n != components.len()
        || most != slots
        || weights_shape != [n, slots]
        || covariances_shape != [n, slots, width, width]
    {
        return Err(misshapen());
    }
    let mut mixtures = Vec::with_capacity(n);
    for (i, &used) in components.iter().enumerate() {
        let take = |values: &[f64], each: usize| -> Result<Vec<f64>> {
            let (here, empty) = values[i * slots * each..(i + 1) * slots * each].split_at(used * each);
            match empty.iter().all(|value| value.to_bits() == 0) {
                true => Ok(here.to_vec()),
                false => Err(Error::format(path, format!("row {i} holds numbers in slots that it does not use"))),
            }
        };
        let (weights, means) = (take(weights, 1)?, take(means, width)?);
        mixtures.push(Mixture { width, weights, means, covariances: take(covariances, width * width)? });
    }
    Ok(mixtures)
}

/// The part in which two mixtures differ, bit for bit.
pub(super) fn difference(stored: &Mixture, proved: &Mixture) -> Option<&'static str> {
    let same = |a: &[f64], b: &[f64]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits());
    match () {
        () if stored.width != proved.width => Some("width"),
        () if !same(&stored.weights, &proved.weights) => Some("weights"),
        () if !same(&stored.means, &proved.means) => Some("means"),
        () if !same(&stored.covariances, &proved.covariances) => Some("covariances"),
        () => None,
    }
}
