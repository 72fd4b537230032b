//! What a proof is about, what it needs and what it says.

/// A network of dense layers with independent Gaussian weights: `z₁ = W₀x + b₀`, `z_{k+1} = W_k a_k(z_k) + b_k`.
/// All numbers are exact: stored `f32` and their squares are `f64`.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// From input to output; every layer's inputs are the outputs of the one before.
    pub layers: Vec<Layer>,
}

/// `z' = W a(z) + b`, `W_ij ~ N(mean_ij, variance_ij)`, `b_i ~ N(bias_mean_i, bias_variance_i)`, all independent.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Width of `a`.
    pub inputs: usize,
    /// Width of `z'`.
    pub outputs: usize,
    /// `[outputs, inputs]`.
    pub mean: Vec<f64>,
    /// `[outputs, inputs]`; 0 for a deterministic weight.
    pub variance: Vec<f64>,
    /// `[outputs]`.
    pub bias_mean: Vec<f64>,
    /// `[outputs]`.
    pub bias_variance: Vec<f64>,
    /// What follows this layer: a name that [`super`] knows ("relu", "tanh", "none").
    pub activation: String,
    /// Probability with which a coordinate of `a` *after* this layer's activation is dropped (inverted scaling); 0 for none.
    pub dropout: f64,
}

/// How a mixture was made and which theorem bounds its distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Linear-Gaussian components and Lemmas 0 to 6 of `tight-bounds.md`.
    Tight,
    /// Algorithms 1 to 3 and Theorem 17 of Adams et al., grid signatures.
    PaperGrid,
    /// The same with cross-shaped signatures (Algorithms 4 and 5).
    PaperCross,
}

/// What a proof needs beside network and input. Any values give a sound bound; good ones give a small one.
#[derive(Clone, Debug, PartialEq)]
pub struct Witness {
    /// Which theorem.
    pub method: Method,
    /// One entry per hidden layer, in order.
    pub layers: Vec<LayerWitness>,
}

/// Proposals for one hidden layer, in the order in which they are applied: compression, then splits or signatures.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LayerWitness {
    /// Cluster of every incoming component, clusters numbered from 0 without gaps; empty: every component stays.
    pub labels: Vec<u32>,
    /// Coupling between incoming components and clusters, as (component, cluster, mass); empty: every component goes to its cluster.
    pub coupling: Vec<(u32, u32, f64)>,
    /// Lemma 4, in order; a split appends its parts at the end of the list of components, the first in place of the one split.
    pub splits: Vec<Split>,
    /// The paper's signatures: for every compressed component the points along its leading eigenvectors.
    pub shapes: Vec<Vec<u32>>,
    /// Lemma 5: neurons of the first hidden layer that share their layer's noise, in every component; empty for none.
    pub sharing: Vec<Shared>,
}

/// A neuron of deviation `s` that borrows a part of its layer's noise, of deviation `s/b`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shared {
    /// Which neuron.
    pub neuron: u32,
    /// `b = 2^{2 − level/8}`, level 0 to 32.
    pub level: u32,
}

/// A component cut along one direction into the cells of an optimal quantizer of `N(0,1)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// Which component.
    pub component: u32,
    /// Coordinate along which it is cut: direction `v = e_j`.
    pub coordinate: u32,
    /// Points of the quantizer.
    pub points: u32,
}

/// `Σ_c weights_c N(means_c, covariances_c)` as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixture {
    /// Width `D`.
    pub width: usize,
    /// `[C]`, non-negative.
    pub weights: Vec<f64>,
    /// `[C, D]`.
    pub means: Vec<f64>,
    /// `[C, D, D]`, symmetric.
    pub covariances: Vec<f64>,
}

/// Where a part of the bound comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TermKind {
    /// Points in place of a Gaussian.
    Signature,
    /// A component cut along a direction.
    Split,
    /// Components merged.
    Compression,
    /// An activation replaced by its best linear function.
    Linearisation,
    /// The random scale of the weights' noise replaced by its mean.
    Noise,
    /// Neurons that borrow smoothness from the layer's noise.
    NoiseSharing,
    /// Random masks replaced.
    Dropout,
    /// What carrying older errors in one sum loses.
    CarryLoss,
    /// Rounding of the stored mixture.
    Rounding,
}

/// A part of the bound, carried to the output: the terms of a proof sum to its bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Term {
    /// The layer it arises in, from 1.
    pub layer: usize,
    /// Why.
    pub kind: TermKind,
    /// Its share of the bound, a distance.
    pub value: f64,
}

/// What is proved about one input (or one joint set of inputs).
#[derive(Clone, Debug, PartialEq)]
pub struct Proof {
    /// The approximation of the output's law.
    pub mixture: Mixture,
    /// `W2(law of the output, mixture) ≤ bound`.
    pub bound: f64,
    /// `E‖ẑ‖²` of the mixture, rounded down.
    pub second_moment: f64,
    /// `bound / √second_moment`, rounded up; infinite where the bound is not 0 and the second moment is.
    pub relative_bound: f64,
    /// Sum to `bound`.
    pub terms: Vec<Term>,
}
