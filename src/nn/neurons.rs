//! Neurons drawn from a Gaussian mixture: a component at random, `β ~ N(μ_k, Σ_k)`, `ω = U_k β + v_k`.

use super::covariance::Weights;
use super::model::Model;
use super::network_spec::NetworkSpec;
use super::spec::{Activation, LayerSpec};
use crate::reference::gm_weights;
use crate::reference::philox::Philox;
use crate::shape::{GmDims, stride};
use crate::{Error, Result};

/// A mixture over neurons `(ω, β)`: components `K`, inputs `d`, outputs `L`.
pub(super) struct Mixture {
    /// `[K, d, L]`'s extents.
    pub(super) shape: [usize; 3],
    /// `[K, d]`.
    pub(super) mu: Vec<f64>,
    /// `[K, d]`.
    pub(super) sigma: Vec<f64>,
    /// `[K, R, d]`: `Σ_k = diag(σ_k²) + root_kᵀ root_k`.
    pub(super) root: Vec<f64>,
    /// `[K, L, d]`.
    pub(super) u: Vec<f64>,
    /// `[K, L]`.
    pub(super) v: Vec<f64>,
    /// Weights `[K]` that sum to 1; empty where all are equal.
    pub(super) weights: Vec<f64>,
}

impl Mixture {
    /// The mixture of a GM layer of these sizes, from its flat parameters.
    fn of(layer: &LayerSpec, dims: &GmDims, params: &[f32]) -> Self {
        let rows = |range: std::ops::Range<usize>, width: usize| -> Vec<f64> {
            params[range].chunks(stride(width)).flat_map(|row| &row[..width]).map(|&value| f64::from(value)).collect()
        };
        let (k, d, l) = (dims.components, dims.inputs, dims.outputs);
        Self {
            shape: [k, d, l],
            mu: rows(dims.mu(), d),
            sigma: rows(dims.sigma(), d),
            root: rows(dims.root(), d),
            u: rows(dims.u(), d),
            v: rows(dims.v(), l),
            weights: match layer {
                LayerSpec::Gm { weights: Weights::Learned, .. } => rows(gm_weights::weights(dims), k),
                _ => Vec::new(),
            },
        }
    }

    /// `m` random neurons as the weights of two dense layers: `β [m, d]` and `ω/m [L, m]`.
    pub(super) fn draw(&self, m: usize, random: &mut Philox) -> (Vec<f32>, Vec<f32>) {
        let [k, d, _] = self.shape;
        let root_len = self.root.len() / k;
        self.neurons(m, |_| {
            let component = self.component(k, random);
            let place = component * d..(component + 1) * d;
            let normal = self.mu[place.clone()].iter().zip(&self.sigma[place]);
            let mut beta: Vec<f64> = normal.map(|(mu, sigma)| mu + sigma * random.normal()).collect();
            for row in self.root[component * root_len..][..root_len].chunks_exact(d) {
                let along = random.normal();
                beta.iter_mut().zip(row).for_each(|(beta, root)| *beta += along * root);
            }
            (component, beta)
        })
    }

    /// A component, by the weights.
    fn component(&self, k: usize, random: &mut Philox) -> usize {
        if self.weights.is_empty() {
            return random.below(k as u32) as usize;
        }
        let mut rest = random.uniform() * self.weights.iter().sum::<f64>();
        let passed = self.weights.iter().take_while(|&&weight| {
            rest -= weight;
            rest >= 0.0
        });
        passed.count().min(k - 1)
    }

    /// The neuron at every component's mean.
    fn means(&self) -> (Vec<f32>, Vec<f32>) {
        let [k, d, _] = self.shape;
        let (inner, mut outer) = self.neurons(k, |component| (component, self.mu[component * d..][..d].to_vec()));
        // Neurons stand for 1/K of the mass each.
        for row in outer.chunks_exact_mut(k) {
            row.iter_mut().zip(&self.weights).for_each(|(omega, weight)| *omega *= (k as f64 * weight) as f32);
        }
        (inner, outer)
    }

    /// The weights of two dense layers from components and their `β`, one by one.
    fn neurons(&self, m: usize, mut next: impl FnMut(usize) -> (usize, Vec<f64>)) -> (Vec<f32>, Vec<f32>) {
        let [_, d, l] = self.shape;
        let (mut inner, mut outer) = (vec![0.0_f32; m * d], vec![0.0_f32; l * m]);
        for neuron in 0..m {
            let (component, beta) = next(neuron);
            for (weight, &beta) in inner[neuron * d..][..d].iter_mut().zip(&beta) {
                *weight = beta as f32;
            }
            for o in 0..l {
                let row = &self.u[(component * l + o) * d..][..d];
                let omega = self.v[component * l + o] + row.iter().zip(&beta).map(|(u, beta)| u * beta).sum::<f64>();
                outer[o * m + neuron] = (omega / m as f64) as f32;
            }
        }
        (inner, outer)
    }
}

/// The Monte-Carlo reduction of a model (Section 5, Figure 6): every GM layer becomes two dense layers, with `neurons` neurons drawn from
/// its mixture between them and `ReLU` after the first: `h(x) ≈ 1/m Σ ω relu(⟨β, x⟩)`. Other layers stay.
///
/// # Errors
/// [`Error::Config`] for 0 neurons, for a network that becomes too large, or for a model without a GM layer.
pub fn sample_neurons(model: &Model, neurons: usize, seed: u64) -> Result<Model> {
    if neurons == 0 {
        return Err(Error::Config("0 neurons; a network needs at least 1".to_owned()));
    }
    replaced(model, |i, _| {
        let mut random = Philox::new(seed, super::init::stream(i, NEURONS));
        (neurons, Box::new(move |mixture: &Mixture| mixture.draw(neurons, &mut random)))
    })
}

/// The model with every GM layer as two dense layers whose neurons are the means of its components, `β_k = μ_k`, `ω_k = U_k μ_k + v_k`: where
/// the paper starts the dense network of its Figure 4.
///
/// # Errors
/// [`Error::Config`] for a model without a GM layer.
pub fn mean_neurons(model: &Model) -> Result<Model> {
    replaced(model, |_, components| (components, Box::new(Mixture::means)))
}

/// How a mixture becomes the weights of two dense layers.
type Reduction = Box<dyn FnOnce(&Mixture) -> (Vec<f32>, Vec<f32>)>;

/// The model with every GM layer replaced; `how` is told its number and its components.
fn replaced(model: &Model, how: impl Fn(usize, usize) -> (usize, Reduction)) -> Result<Model> {
    let (mut layers, mut params) = (Vec::new(), Vec::new());
    for (i, (layer, values)) in model.spec.layers.iter().zip(&model.params).enumerate() {
        let Some(dims) = layer.gm_dims(1, 1) else {
            layers.push(*layer);
            params.push(values.clone());
            continue;
        };
        let (inputs, outputs) = (layer.inputs(), layer.outputs());
        let (neurons, reduce) = how(i, dims.components);
        let first = LayerSpec::Dense { inputs, outputs: neurons, activation: Activation::Relu };
        let second = LayerSpec::Dense { inputs: neurons, outputs, activation: Activation::None };
        NetworkSpec { layers: vec![first, second] }.check()?;
        let (mut inner, outer) = reduce(&Mixture::of(layer, &dims, values));
        // The weights of a joint layer have ω before β.
        if dims.inputs > inputs {
            inner = inner.chunks_exact(dims.inputs).flat_map(|row| &row[dims.inputs - inputs..]).copied().collect();
        }
        for (dense, weights) in [(first, inner), (second, outer)] {
            let mut flat = vec![0.0; dense.params_len()];
            dense.tensors()[0].pack(&weights, &mut flat);
            layers.push(dense);
            params.push(flat);
        }
    }
    if layers.len() == model.spec.layers.len() {
        return Err(Error::Config("the model has no GM layer to take neurons from".to_owned()));
    }
    Ok(Model { spec: NetworkSpec { layers }, params, ..model.clone() })
}

/// The random stream of a layer that neurons are drawn with, after those of its tensors.
pub(super) const NEURONS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    /// The covariance of many draws against `diag(σ²) + rootᵀ root`, to five standard errors of its entries.
    #[test]
    fn neurons_have_the_covariance() {
        let mixture = Mixture {
            shape: [1, 2, 1],
            mu: vec![0.5, -1.0],
            sigma: vec![0.3, 0.7],
            root: vec![1.0, 2.0, -0.5, 0.25],
            u: vec![0.0; 2],
            v: vec![1.0],
            weights: Vec::new(),
        };
        let m = 40_000;
        let (inner, _) = mixture.draw(m, &mut Philox::new(3, 0));
        let want = [[0.09 + 1.25, 2.0 - 0.125], [2.0 - 0.125, 0.49 + 4.0625]];
        for i in 0..2 {
            for j in 0..2 {
                let centred = |beta: &[f32], i: usize| f64::from(beta[i]) - mixture.mu[i];
                let sum: f64 = inner.chunks_exact(2).map(|beta| centred(beta, i) * centred(beta, j)).sum();
                let error = 5.0 * (2.0 * want[i][i] * want[j][j] / m as f64).sqrt();
                assert!((sum / m as f64 - want[i][j]).abs() < error, "entry {i}, {j}: {}", sum / m as f64);
            }
        }
    }

    /// With deviations of 0 a neuron is its component's mean: the sum over neurons is the layer with known frequencies.
    #[test]
    fn neurons_without_deviation_are_means() {
        let mixture = Mixture {
            shape: [2, 2, 1],
            mu: vec![1.0, 2.0, 3.0, 4.0],
            sigma: vec![0.0; 4],
            root: Vec::new(),
            u: vec![0.5, -1.0, 2.0, 1.0],
            v: vec![0.25, -0.5],
            weights: Vec::new(),
        };
        let (inner, outer) = mixture.draw(50, &mut Philox::new(1, 0));
        let mut seen = [0; 2];
        for (beta, omega) in inner.chunks_exact(2).zip(&outer) {
            let component = usize::from(beta == [3.0, 4.0]);
            let expected = [-1.25, 9.5][component];
            assert_eq!((beta[0] - 1.0, beta[1] - 2.0), (2.0 * component as f32, 2.0 * component as f32));
            assert!((f64::from(*omega) * 50.0 - expected).abs() < 1e-5);
            seen[component] += 1;
        }
        assert!(seen.iter().all(|&count| count > 10), "{seen:?}");
    }
}
