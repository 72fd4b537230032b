//! How parameters start. Normal variates come from Philox on the host, so every device starts from the same bits.

use super::neurons::{Mixture, NEURONS};
use super::spec::{LayerSpec, NetworkSpec};
use crate::reference::philox::Philox;

/// Start of a GM layer: `μ ~ N(0, mean_std²)`, `U, v ~ N(0, output_std²)`, `σ ≡ sigma`. The paper's γ is all three.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GmInit {
    /// Standard deviation of the means.
    pub mean_std: f64,
    /// Standard deviation of `U` and `v`.
    pub output_std: f64,
    /// Every σ.
    pub sigma: f64,
}

/// Start of dense layers; convolutions always start by PyTorch's default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DenseInit {
    /// PyTorch's default: weights and biases uniform on `±1/√inputs`.
    KaimingUniform,
    /// A two-layer network whose neurons are drawn from the initial mixture of a GM layer of `components` components:
    /// `β ~ N(μ_k, σ_k²)` with a random k, `ω = U_k β + v_k`; output weights `ω/m`, biases 0.
    Mixture {
        /// Components of that GM layer.
        components: usize,
    },
}

/// Start of a network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Init {
    /// Of its GM layers.
    pub gm: GmInit,
    /// Of its dense layers.
    pub dense: DenseInit,
}

/// Random streams: one for every tensor of every layer. Shuffling takes other numbers (`train`).
pub(super) fn stream(layer: usize, tensor: usize) -> u64 {
    (layer as u64) << 8 | tensor as u64
}

/// The initial parameters of one run: for every layer its flat array, pads zero.
pub fn initialize(spec: &NetworkSpec, init: &Init, seed: u64) -> Vec<Vec<f32>> {
    let mut layers: Vec<Vec<f32>> = spec.layers.iter().map(|layer| vec![0.0; layer.params_len()]).collect();
    if let (DenseInit::Mixture { components }, [first @ LayerSpec::Dense { .. }, second @ LayerSpec::Dense { .. }]) =
        (init.dense, &spec.layers[..])
    {
        mixture(first, second, components, init.gm, seed, &mut layers);
        return layers;
    }
    for (i, (layer, params)) in spec.layers.iter().zip(&mut layers).enumerate() {
        for (j, tensor) in layer.tensors().iter().enumerate() {
            let mut random = Philox::new(seed, stream(i, j));
            let mut draw: Box<dyn FnMut() -> f64> = match (layer, tensor.name) {
                (LayerSpec::BatchNorm(_), "gamma" | "running_var") => Box::new(|| 1.0),
                (LayerSpec::BatchNorm(_), _) => Box::new(|| 0.0),
                (_, "sigma") => Box::new(|| init.gm.sigma),
                (_, "mu") => Box::new(move || init.gm.mean_std * random.normal()),
                (LayerSpec::Gm { .. }, _) => Box::new(move || init.gm.output_std * random.normal()),
                (layer, _) => {
                    let bound = 1.0 / (layer.fan_in() as f64).sqrt();
                    Box::new(move || bound * (2.0 * random.uniform() - 1.0))
                }
            };
            let count = tensor.shape.iter().product();
            let values: Vec<f32> = (0..count).map(|_| draw() as f32).collect();
            tensor.pack(&values, params);
        }
    }
    layers
}

/// [`DenseInit::Mixture`] for the two dense layers: the tensors that a GM layer of this seed starts with, and neurons from them.
fn mixture(first: &LayerSpec, second: &LayerSpec, k: usize, init: GmInit, seed: u64, layers: &mut [Vec<f32>]) {
    let (d, m, l) = (first.inputs(), first.outputs(), second.outputs());
    let normals = |tensor: usize, count: usize, std: f64| -> Vec<f64> {
        let mut random = Philox::new(seed, stream(0, tensor));
        (0..count).map(|_| std * random.normal()).collect()
    };
    let start = Mixture {
        shape: [k, d, l],
        mu: normals(0, k * d, init.mean_std),
        sigma: vec![init.sigma; k * d],
        u: normals(2, k * l * d, init.output_std),
        v: normals(3, k * l, init.output_std),
    };
    let (inner, outer) = start.draw(m, &mut Philox::new(seed, stream(0, NEURONS)));
    first.tensors()[0].pack(&inner, &mut layers[0]);
    second.tensors()[0].pack(&outer, &mut layers[1]);
}
