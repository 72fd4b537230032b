//! The proof for one input: layer by layer, every term carried to the output.

use super::carry::{Coupling, carry};
use super::gaussian::{Covariance, Gaussian, dense_rounding};
use super::layer::{Neurons, step};
use super::merge::merged;
use super::paper::{Affine, replay_paper, unfit};
use super::prepared::{First, Hidden, Prepared};
use super::rounding::{add_up, at_least_zero, div_up, gamma, mul_up, sqrt_up, sum_up};
use super::split::{no_such, split};
use super::types::{LayerWitness, Method, Mixture, Proof, Term, TermKind, Witness};
use crate::reference::vectorized;
use crate::{Error, Result};

/// A Gaussian of the mixture at hand.
pub(super) struct Component {
    /// A multiple of 2⁻⁵³; all of them sum to 1 without rounding.
    pub(super) weight: f64,
    pub(super) law: Gaussian,
    /// How it came from the layer before.
    coupling: Option<Coupling>,
    /// Moments before the next layer, where they are known already.
    neurons: Option<Neurons>,
    /// Squared distances of that step, by cause: linearisation, noise, dropout.
    own: [f64; 3],
}

impl Component {
    pub(super) fn new(weight: f64, law: Gaussian) -> Self {
        Self { weight, law, coupling: None, neurons: None, own: [0.0; 3] }
    }
}

const CAUSES: [TermKind; 3] = [TermKind::Linearisation, TermKind::Noise, TermKind::Dropout];

/// The mixture at a layer, and what its distance to the truth is made of.
pub(super) struct State {
    pub(super) components: Vec<Component>,
    /// Distances at this layer.
    pub(super) terms: Vec<Term>,
    /// The last step's own distance, not yet among the terms: Lemma 6 may carry it better than Lemma 1.
    pending: bool,
}

/// Proves a distance for one deterministic input.
///
/// # Errors
/// When the input or the witness does not fit the network, or when any number of the proof is not finite.
pub fn prove(prepared: &Prepared, input: &[f64], witness: &Witness) -> Result<Proof> {
    if witness.layers.len() != prepared.hidden.len() {
        let (expected, got) = (prepared.hidden.len().to_string(), witness.layers.len().to_string());
        return Err(Error::Shape { op: "hidden layers of a witness", expected, got });
    }
    let stored = |index: usize, _: &[Arriving<'_>]| Ok(witness.layers.get(index).cloned().unwrap_or_default());
    match witness.method {
        Method::Tight => Ok(prove_tight(prepared, input, stored)?.0),
        Method::PaperGrid | Method::PaperCross => replay_paper(prepared, &[input], witness),
    }
}

/// A component that arrives at a layer, with its mean and the diagonal of its covariance.
#[derive(Clone, Copy, Debug)]
pub struct Arriving<'a> {
    /// A multiple of 2⁻⁵³.
    pub weight: f64,
    /// `[width]`.
    pub mean: &'a [f64],
    /// `[width]`.
    pub variances: &'a [f64],
}

/// Proves the tight bound for one deterministic input. `propose` is asked for every hidden layer's witness, given its number from 0
/// and the components that arrive there; the witness that was used is returned with the proof.
///
/// # Errors
/// Those of `propose`; when the input or a witness does not fit, or a number of the proof is not finite.
pub fn prove_tight(
    prepared: &Prepared,
    input: &[f64],
    mut propose: impl FnMut(usize, &[Arriving<'_>]) -> Result<LayerWitness>,
) -> Result<(Proof, Witness)> {
    if let Some(index) = prepared.affine.iter().position(Affine::is_correlated) {
        let what = "the weights are correlated, for which only the paper's method has a proof (--method paper)";
        return Err(Error::Config(format!("layer {}: {what}", index + 1)));
    }
    let mut state = State::start(&prepared.first, input)?;
    let mut witness = Witness { method: Method::Tight, layers: Vec::new() };
    for (index, layer) in prepared.hidden.iter().enumerate() {
        let variances = |c: &Component| (0..c.law.width()).map(|j| c.law.variance(j)).collect();
        let variances: Vec<Vec<f64>> = state.components.iter().map(variances).collect();
        let arriving = state.components.iter().zip(&variances);
        let arriving = arriving.map(|(c, variances)| Arriving { weight: c.weight, mean: &c.law.mean, variances });
        let proposal = propose(index, &arriving.collect::<Vec<_>>())?;
        let before = index.checked_sub(1).and_then(|before| prepared.hidden.get(before));
        state.advance(before, layer, &proposal, index + 1, index + 1 < prepared.hidden.len())?;
        witness.layers.push(proposal);
    }
    Ok((state.finish(prepared.hidden.len())?, witness))
}

impl State {
    /// A mixture whose distance the terms are, at the output.
    pub(super) fn proved(components: Vec<Component>, terms: Vec<Term>) -> Self {
        Self { components, terms, pending: false }
    }

    /// The first layer, exact but for rounding: `N(Mx + b̄, diag(Vx² + B))`.
    pub(super) fn start(first: &First, input: &[f64]) -> Result<Self> {
        if input.len() != first.inputs {
            let (expected, got) = (format!("{} numbers", first.inputs), input.len().to_string());
            return Err(Error::Shape { op: "input to certify", expected, got });
        }
        if let Some(bad) = input.iter().find(|x| !x.is_finite()) {
            return Err(Error::Config(format!("{bad} in an input: no certificate")));
        }
        let (mut mean, mut variance) = (first.bias_mean.clone(), first.bias_variance.clone());
        let width = first.outputs;
        for ((&x, means), variances) in
            input.iter().zip(first.mean.chunks_exact(width)).zip(first.variance.chunks_exact(width))
        {
            if x == 0.0 {
                continue;
            }
            let square = x * x;
            vectorized(
                #[inline(always)]
                || {
                    mean.iter_mut().zip(means).for_each(|(sum, w)| *sum += x * w);
                    variance.iter_mut().zip(variances).for_each(|(sum, v)| *sum += square * v);
                },
            );
        }
        let rounding = dense_rounding(input, &variance, (first.mean_norm, first.bias_norm, first.total_variance));
        let law = Gaussian { mean, covariance: Covariance::Diagonal(variance), floor: 0.0 };
        if !law.is_finite() {
            return Err(not_finite(1));
        }
        let component = Component::new(1.0, law);
        let terms = vec![Term { layer: 1, kind: TermKind::Rounding, value: rounding }];
        Ok(Self { components: vec![component], terms, pending: false })
    }

    /// One hidden layer: older errors carried by Lemma 1, the last by the better of Lemmas 1 and 6, Lemma 2 for the mixture.
    fn advance(
        &mut self,
        before: Option<&Hidden>,
        layer: &Hidden,
        proposal: &LayerWitness,
        number: usize,
        wanted: bool,
    ) -> Result<()> {
        for term in &mut self.terms {
            term.value = mul_up(layer.carry, term.value);
        }
        if let (true, Some(before)) = (self.pending, before) {
            self.carry_last(before, layer, number - 1);
        }
        if !(proposal.coupling.is_empty() && proposal.shapes.is_empty() && proposal.masks == 0) {
            return Err(unfit(number, "coupling, shapes or masks, which the tight method has not,"));
        }
        if !proposal.labels.is_empty() {
            let (clusters, cost) =
                merged(&self.components, &proposal.labels).ok_or_else(|| unfit(number, "clusters"))?;
            self.components = clusters;
            self.push(number, TermKind::Compression, mul_up(layer.carry, sqrt_up(cost)));
        }
        self.split(layer, proposal, number)?;
        let (mut rounding, mut shared) = (0.0, 0.0);
        for component in &mut self.components {
            let neurons = component.neurons.take().unwrap_or_else(|| Neurons::new(layer, &component.law));
            let made = step(layer, &component.law, neurons, wanted, &proposal.sharing)
                .ok_or_else(|| unfit(number, "sharing of noise"))?;
            if !made.next.is_finite() {
                return Err(not_finite(number));
            }
            rounding = add_up(rounding, mul_up(component.weight, mul_up(made.rounding, made.rounding)));
            shared = add_up(shared, mul_up(component.weight, made.shared));
            component.law = made.next;
            component.coupling = made.coupling;
            component.own = made.own;
        }
        self.push(number, TermKind::NoiseSharing, sqrt_up(shared));
        self.push(number, TermKind::Rounding, sqrt_up(rounding));
        self.pending = true;
        Ok(())
    }

    /// Lemma 4's splits. Their parts are the exact centroids of cells, so that the squares of successive splits add.
    fn split(&mut self, layer: &Hidden, proposal: &LayerWitness, number: usize) -> Result<()> {
        let (mut cost, mut rounding) = (0.0, 0.0);
        for wanted in &proposal.splits {
            let place = self.components.get_mut(wanted.component as usize).ok_or_else(|| no_such(number, wanted))?;
            let made = split(&place.law, place.weight, wanted).ok_or_else(|| no_such(number, wanted))?;
            cost = add_up(cost, mul_up(place.weight, made.cost));
            let mut parts = made.parts.into_iter().map(|part| {
                rounding = add_up(rounding, mul_up(part.weight, mul_up(part.rounding, part.rounding)));
                Component::new(part.weight, part.law)
            });
            if let Some(first) = parts.next() {
                *place = first;
            }
            let others: Vec<Component> = parts.collect();
            self.components.extend(others);
        }
        self.push(number, TermKind::Split, mul_up(layer.carry, sqrt_up(cost)));
        self.push(number, TermKind::Rounding, mul_up(layer.carry, sqrt_up(rounding)));
        Ok(())
    }

    /// The squared own distance of the last step by cause, averaged over components (Lemma 3).
    fn own(&self) -> [f64; 3] {
        [0, 1, 2].map(|cause| self.components.iter().fold(0.0, |sum, c| add_up(sum, mul_up(c.weight, c.own[cause]))))
    }

    fn carry_last(&mut self, before: &Hidden, layer: &Hidden, number: usize) {
        let own = self.own();
        let plain = mul_up(layer.carry, sqrt_up(sum_up(&own)));
        let (mut total, mut linear) = (0.0, 0.0);
        for component in &mut self.components {
            let Some(coupling) = component.coupling.as_ref().filter(|_| layer.drop.hi == 0.0) else {
                total = f64::INFINITY;
                break;
            };
            let neurons = Neurons::new(layer, &component.law);
            let carried = carry(before, coupling, layer, &neurons.slopes());
            component.neurons = Some(neurons);
            total = add_up(total, mul_up(component.weight, mul_up(carried.total, carried.total)));
            linear = add_up(linear, mul_up(component.weight, mul_up(carried.linear, carried.linear)));
        }
        let better = sqrt_up(total);
        if better < plain {
            let base = sqrt_up(linear);
            self.share(number, base, own);
            self.push(number, TermKind::CarryLoss, at_least_zero((better - base).next_up()));
        } else {
            self.share(number, plain, own);
        }
    }

    /// Adds a distance in shares, in proportion to the squares of its causes, each rounded up: they sum to it at least.
    pub(super) fn share(&mut self, number: usize, distance: f64, own: [f64; 3]) {
        let whole = own.iter().sum::<f64>() * (1.0 - 4.0 * f64::EPSILON);
        for (cause, square) in CAUSES.into_iter().zip(own) {
            if square != 0.0 {
                self.push(number, cause, mul_up(distance, div_up(square, whole)));
            }
        }
    }

    pub(super) fn push(&mut self, layer: usize, kind: TermKind, value: f64) {
        if value != 0.0 {
            self.terms.push(Term { layer, kind, value });
        }
    }

    pub(super) fn finish(mut self, last: usize) -> Result<Proof> {
        if self.pending {
            let own = self.own();
            self.share(last, sqrt_up(sum_up(&own)), own);
        }
        let terms = gathered(&self.terms);
        let bound = terms.iter().fold(0.0, |sum, term| add_up(sum, term.value));
        let width = self.components.first().map_or(0, |c| c.law.width());
        let mut mixture = Mixture { width, weights: Vec::new(), means: Vec::new(), covariances: Vec::new() };
        let mut second_moment = 0.0;
        for component in &self.components {
            let law = &component.law;
            let squares = law.mean.iter().map(|m| m * m);
            let size: f64 = squares.chain((0..width).map(|j| law.variance(j))).sum();
            second_moment += component.weight * size;
            mixture.weights.push(component.weight);
            mixture.means.extend(&law.mean);
            mixture.covariances.extend(law.matrix());
        }
        let roundings = 2 * width + self.components.len() + 8;
        let second_moment = at_least_zero((second_moment * (1.0 - 2.0 * gamma(roundings)).next_down()).next_down());
        let relative_bound = match () {
            () if bound == 0.0 => 0.0,
            () if second_moment > 0.0 => div_up(bound, second_moment.sqrt().next_down()),
            () => f64::INFINITY,
        };
        let finite = bound.is_finite() && terms.iter().all(|term| term.value.is_finite() && term.value >= 0.0);
        if !finite || !second_moment.is_finite() {
            return Err(not_finite(last + 1));
        }
        Ok(Proof { mixture, bound, second_moment, relative_bound, terms })
    }
}

/// Terms of the same layer and kind as one, rounded up, in the order in which they first appear.
fn gathered(terms: &[Term]) -> Vec<Term> {
    let mut gathered: Vec<Term> = Vec::new();
    for term in terms {
        match gathered.iter_mut().find(|known| known.layer == term.layer && known.kind == term.kind) {
            Some(known) => known.value = add_up(known.value, term.value),
            None => gathered.push(*term),
        }
    }
    gathered
}

pub(super) fn not_finite(layer: usize) -> Error {
    Error::Config(format!("layer {layer}: a number of the proof is not finite, so there is no certificate"))
}
