//! Samples of a network's true output law, at one input or at several under the same weights, and of a mixture. They are no part of a proof.
//!
//! Everything is computed in `f64` and in a fixed order: equal seeds give equal bits on every machine, whatever the number of threads, so that
//! shares of a run join to what one run would have made.

mod layer;

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use self::layer::Sampler;
use super::core::{Layer, Mixture, Network};
use crate::math::factors::factor;
use crate::reference::philox::Philox;
use crate::{Error, Result};

/// Samples that are drawn together, with random numbers of their own.
pub(super) const BLOCK: usize = 16;

/// Names random numbers: those of one name are the same every time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    /// The seed.
    pub seed: u64,
    /// Which of the seed's streams, below 2⁴⁰.
    pub number: u64,
}

impl Stream {
    /// The numbers of a part of the work.
    pub(super) fn part(self, part: usize) -> Philox {
        Philox::new(self.seed, (part as u64) << 40 | self.number)
    }
}

/// `n` outputs of the network at the inputs `rows`, `[n, rows · outputs]`, point by point: index `row · outputs + output`. Every sample has
/// weights of its own, the same at all rows.
///
/// # Errors
/// [`Error::Config`] for a network that no proof can be about, an activation that is not known, and for several rows of a network with dropout:
/// whether they share masks is not settled. [`Error::Shape`] for rows of a wrong width.
pub fn outputs(network: &Network, rows: &[&[f64]], n: usize, stream: Stream) -> Result<Vec<f64>> {
    let (first, rest) = network.checked()?;
    if let Some(row) = rows.iter().find(|row| row.len() != first.inputs) {
        let (expected, got) = (format!("inputs of {} numbers", first.inputs), row.len().to_string());
        return Err(Error::Shape { op: "samples", expected, got });
    }
    if rows.len() > 1 && network.layers.iter().any(|layer| layer.dropout > 0.0) {
        return Err(Error::Config("samples at several inputs are drawn of networks without dropout only".to_owned()));
    }
    let start = Sampler::first(first, rows);
    let samplers = std::iter::once(start).chain(rest.iter().map(|layer| Sampler::new(layer, rows.len())));
    let activations = network.layers.iter().map(activation).collect::<Result<Vec<_>>>()?;
    let steps: Vec<_> = samplers.zip(activations).zip(&network.layers).collect();
    Ok(in_blocks(n, stream, |count, random| {
        let mut z = rows.concat().repeat(count);
        for ((sampler, activation), layer) in &steps {
            z = sampler.draw(&z, count, random);
            z.iter_mut().for_each(|z| *z = activation(*z));
            drop(layer, &mut z, random);
        }
        z
    }))
}

fn activation(layer: &Layer) -> Result<fn(f64) -> f64> {
    match layer.activation.as_str() {
        "relu" => Ok(|z| z.max(0.0)),
        "tanh" => Ok(libm::tanh),
        "none" => Ok(|z| z),
        other => Err(Error::Config(format!("activation {other:?} cannot be sampled"))),
    }
}

fn drop(layer: &Layer, z: &mut [f64], random: &mut Philox) {
    if layer.dropout > 0.0 {
        let scale = 1.0 / (1.0 - layer.dropout);
        z.iter_mut().for_each(|z| *z *= if random.uniform() < layer.dropout { 0.0 } else { scale });
    }
}

/// `n` draws `[n, D]` from a mixture.
pub fn mixture(mixture: &Mixture, n: usize, stream: Stream) -> Vec<f64> {
    let width = mixture.width;
    let covariances = mixture.covariances.chunks_exact((width * width).max(1));
    let roots: Vec<Vec<f64>> = covariances.map(|covariance| factor(covariance, width)).collect();
    let total: f64 = mixture.weights.iter().sum();
    in_blocks(n, stream, |count, random| {
        let mut out = Vec::with_capacity(count * width);
        for _ in 0..count {
            let mut left = total * random.uniform();
            let pick = mixture.weights.iter().position(|weight| {
                left -= weight;
                left < 0.0
            });
            let pick = pick.unwrap_or(mixture.weights.len().saturating_sub(1));
            let mean = &mixture.means[pick * width..(pick + 1) * width];
            let normals = normals(width, random);
            let rows = roots[pick].chunks_exact(width).zip(mean);
            out.extend(rows.map(|(row, m)| m + row.iter().zip(&normals).map(|(r, x)| r * x).sum::<f64>()));
        }
        out
    })
}

/// `n` samples from `draw(count, random)`, a block at a time, on all threads.
fn in_blocks(n: usize, stream: Stream, draw: impl Fn(usize, &mut Philox) -> Vec<f64> + Sync) -> Vec<f64> {
    let block = |block: usize| draw(BLOCK.min(n - block * BLOCK), &mut stream.part(block));
    let blocks: Vec<Vec<f64>> = (0..n.div_ceil(BLOCK)).into_par_iter().map(block).collect();
    blocks.concat()
}

/// Standard normal numbers, by Box and Muller.
fn normals(n: usize, random: &mut Philox) -> Vec<f64> {
    let mut out = Vec::with_capacity(n + 1);
    while out.len() < n {
        let radius = (-2.0 * libm::log(random.uniform())).sqrt();
        let (sine, cosine) = libm::sincos(std::f64::consts::TAU * random.uniform());
        out.extend([radius * cosine, radius * sine]);
    }
    out.truncate(n);
    out
}
