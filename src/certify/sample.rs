//! Samples of a network's true output law for one input, and of a mixture.

use super::core::{Layer, Mixture, Network};
use crate::math::eigen::square_root;
use crate::reference::philox::Philox;
use crate::{Error, Result};

/// `n` outputs `[n, D]` of the network for the input `row`, each with weights of its own. Given the layer before, a layer's
/// outputs are independent Gaussians, so that outputs are drawn instead of weights: the law is the same.
///
/// # Errors
/// [`Error::Config`] for an activation that is not known.
pub(super) fn outputs(network: &Network, row: &[f64], n: usize, random: &mut Philox) -> Result<Vec<f64>> {
    let Some((first, rest)) = network.layers.split_first() else { return Ok(Vec::new()) };
    let (mean, deviation) = law(first, row);
    let mut out = Vec::new();
    for _ in 0..n {
        let mut z: Vec<f64> = mean.iter().zip(&deviation).map(|(m, s)| m + s * random.normal()).collect();
        for (layer, next) in network.layers.iter().zip(rest) {
            activate(layer, &mut z, random)?;
            let (mean, deviation) = law(next, &z);
            z = mean.iter().zip(&deviation).map(|(m, s)| m + s * random.normal()).collect();
        }
        out.append(&mut z);
    }
    Ok(out)
}

/// Means and deviations of the layer's outputs for the inputs `a`.
fn law(layer: &Layer, a: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let rows = |matrix: &'_ [f64], bias: &'_ [f64], value: fn(f64) -> f64| -> Vec<f64> {
        let rows = matrix.chunks_exact(layer.inputs.max(1)).zip(bias);
        rows.map(|(row, bias)| bias + row.iter().zip(a).map(|(m, &x)| m * value(x)).sum::<f64>()).collect()
    };
    let mean = rows(&layer.mean, &layer.bias_mean, |x| x);
    let mut deviation = rows(&layer.variance, &layer.bias_variance, |x| x * x);
    deviation.iter_mut().for_each(|v| *v = v.sqrt());
    (mean, deviation)
}

fn activate(layer: &Layer, z: &mut [f64], random: &mut Philox) -> Result<()> {
    match layer.activation.as_str() {
        "relu" => z.iter_mut().for_each(|z| *z = z.max(0.0)),
        "tanh" => z.iter_mut().for_each(|z| *z = libm::tanh(*z)),
        "none" => {}
        other => return Err(Error::Config(format!("activation {other:?} cannot be sampled"))),
    }
    if layer.dropout > 0.0 {
        let scale = 1.0 / (1.0 - layer.dropout);
        z.iter_mut().for_each(|z| *z *= if random.uniform() < layer.dropout { 0.0 } else { scale });
    }
    Ok(())
}

/// `n` draws `[n, D]` from a mixture.
///
/// # Errors
/// When a covariance has no square root.
pub(super) fn mixture(mixture: &Mixture, n: usize, random: &mut Philox) -> Result<Vec<f64>> {
    let width = mixture.width;
    let covariances = mixture.covariances.chunks_exact((width * width).max(1));
    let roots: Vec<Vec<f64>> = covariances.map(|s| square_root(s, width)).collect::<Result<_>>()?;
    let total: f64 = mixture.weights.iter().sum();
    let mut out = Vec::with_capacity(n * width);
    for _ in 0..n {
        let mut left = total * random.uniform();
        let pick = mixture.weights.iter().position(|weight| {
            left -= weight;
            left < 0.0
        });
        let pick = pick.unwrap_or(mixture.weights.len().saturating_sub(1));
        let mean = &mixture.means[pick * width..(pick + 1) * width];
        let normals: Vec<f64> = (0..width).map(|_| random.normal()).collect();
        let rows = roots[pick].chunks_exact(width).zip(mean);
        out.extend(rows.map(|(row, m)| m + row.iter().zip(&normals).map(|(r, x)| r * x).sum::<f64>()));
    }
    Ok(out)
}
