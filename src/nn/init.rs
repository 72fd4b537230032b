//! How parameters start. Normal variates come from Philox on the host, so every device starts from the same bits.

use super::network_spec::NetworkSpec;
use super::neurons::{Mixture, NEURONS};
use super::spec::LayerSpec;
use super::tensor_spec::TensorSpec;
use crate::reference::philox::Philox;

/// Start of a GM layer: `μ ~ N(0, mean_std²)`, `U, v ~ N(0, output_std²)`, `σ ≡ sigma`. The paper's γ is all three.
///
/// A full covariance starts as `C = sigma · 1`, which is the diagonal layer's start. A low-rank one has the diagonal layer's σ and
/// normal entries in `root` that together add a hundredth to the variance, whatever the rank: 0 would be a saddle that gradients
/// do not leave. In a joint layer ω starts like an output, `N(0, output_std²)`.
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

/// Norm of the columns of an initial `root`, as a share of σ.
const ROOT_SHARE: f64 = 0.1;

/// Random streams: one for every tensor of every layer. Shuffling takes other numbers (`train`).
pub(super) fn stream(layer: usize, tensor: usize) -> u64 {
    (layer as u64) << 8 | tensor as u64
}

/// The initial parameters of one run: for every layer its flat array, pads zero.
pub fn initialize(spec: &NetworkSpec, init: &Init, seed: u64) -> Vec<Vec<f32>> {
    let mut layers: Vec<Vec<f32>> = spec.layers.iter().map(LayerSpec::blank_params).collect();
    if let (DenseInit::Mixture { components }, [first @ LayerSpec::Dense { .. }, second @ LayerSpec::Dense { .. }]) =
        (init.dense, &spec.layers[..])
    {
        mixture(first, second, components, init.gm, seed, &mut layers);
        return layers;
    }
    for (i, (layer, params)) in spec.layers.iter().zip(&mut layers).enumerate() {
        for tensor in layer.tensors() {
            let random = Philox::new(seed, stream(i, number(tensor.name)));
            tensor.pack(&start_of(layer, &tensor, &init.gm, random), params);
        }
    }
    layers
}

/// A tensor's number among the random streams of its layer. It does not depend on what else the layer has: μ, U and v start the
/// same whatever the covariance.
fn number(tensor: &str) -> usize {
    match tensor {
        "mu" | "weight" => 0,
        "sigma" | "bias" => 1,
        "u" => 2,
        "v" => 3,
        _ => NEURONS + 1,
    }
}

/// The first values of a tensor, without pads.
fn start_of(layer: &LayerSpec, tensor: &TensorSpec, init: &GmInit, mut random: Philox) -> Vec<f32> {
    let count: usize = tensor.shape.iter().product();
    let width = tensor.shape.last().copied().unwrap_or(1);
    let mut normals = |std: f64| -> Vec<f32> { (0..count).map(|_| (std * random.normal()) as f32).collect() };
    match (layer, tensor.name) {
        (LayerSpec::BatchNorm(_), "gamma" | "running_var") => vec![1.0; count],
        (LayerSpec::BatchNorm(_), _) => vec![0.0; count],
        (_, "weights") => vec![(1.0 / count as f64) as f32; count],
        (_, "sigma") => vec![init.sigma as f32; count],
        (_, "c") => {
            let on_diagonal = |at: usize| at / width % width == at % width;
            (0..count).map(|at| if on_diagonal(at) { init.sigma as f32 } else { 0.0 }).collect()
        }
        (_, "root") => {
            let rank = tensor.shape[1];
            normals(ROOT_SHARE * init.sigma / (rank as f64).sqrt())
        }
        (LayerSpec::GmJoint { .. }, _) => {
            // ω is an output, β an input weight.
            let std = |at: usize| if at.is_multiple_of(width) { init.output_std } else { init.mean_std };
            (0..count).map(|at| (std(at) * random.normal()) as f32).collect()
        }
        (_, "mu") => normals(init.mean_std),
        (LayerSpec::Gm { .. }, _) => normals(init.output_std),
        (layer, _) => {
            let bound = 1.0 / (layer.fan_in() as f64).sqrt();
            (0..count).map(|_| (bound * (2.0 * random.uniform() - 1.0)) as f32).collect()
        }
    }
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
        root: Vec::new(),
        mu: normals(0, k * d, init.mean_std),
        sigma: vec![init.sigma; k * d],
        u: normals(2, k * l * d, init.output_std),
        v: normals(3, k * l, init.output_std),
        weights: Vec::new(),
    };
    let (inner, outer) = start.draw(m, &mut Philox::new(seed, stream(0, NEURONS)));
    first.tensors()[0].pack(&inner, &mut layers[0]);
    second.tensors()[0].pack(&outer, &mut layers[1]);
}
