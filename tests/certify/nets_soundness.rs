//! Printed bounds of networks with splits, with dropout and by the paper's method, against the same formulas in 400-bit arithmetic:
//! cases made by `soundness_cases/make_networks.py`. `BURES_SOUNDNESS_NETWORKS` names another file of cases, for a longer run.

use bures::certify::core::{Layer, LayerWitness, Method, Network, Prepared, Proof, Split, Witness, prove, prove_paper};
use bures::certify::propose::paper::{PaperSettings, propose};

use crate::core_soundness::{Numbers, rounding, unpacked};
use crate::core_support::check_proof;

struct Case {
    /// Points and components of the paper's method; 0 for the tight one.
    paper: PaperSettings,
    network: Network,
    input: Vec<f64>,
    witness: Witness,
    weights: Vec<f64>,
}

impl Numbers<'_> {
    fn integers(&mut self, n: usize) -> Vec<u32> {
        self.take(n).into_iter().map(|x| x as u32).collect()
    }

    /// A layer and the dropout after it.
    fn dropped_layer(&mut self, inputs: usize, outputs: usize, activation: &str) -> Layer {
        let layer = self.layer(inputs, outputs, activation);
        Layer { dropout: self.take(1)[0], ..layer }
    }

    fn proposal(&mut self) -> LayerWitness {
        let mut proposal = LayerWitness::default();
        for _ in 0..self.count() {
            let [component, coordinate, points] = self.integers(3)[..] else { panic!("a split is three numbers") };
            proposal.splits.push(Split { component, coordinate, points });
        }
        let labels = self.count();
        proposal.labels = self.integers(labels);
        for _ in 0..self.count() {
            let length = self.count();
            proposal.shapes.push(self.integers(length));
        }
        proposal
    }

    fn network_case(&mut self) -> Case {
        let paper = PaperSettings { points: self.count(), components: self.count(), cross: false };
        let activation = ["none", "relu", "tanh"][self.count()];
        let depth = self.count();
        let widths: Vec<usize> = self.take(depth + 1).into_iter().map(|x| x as usize).collect();
        let named = |k: usize| if k + 1 == depth { "none" } else { activation };
        let layers =
            widths.windows(2).enumerate().map(|(k, pair)| self.dropped_layer(pair[0], pair[1], named(k))).collect();
        let input = self.take(widths[0]);
        let method = if paper.points == 0 { Method::Tight } else { Method::PaperGrid };
        let witness = Witness { method, layers: (1..depth).map(|_| self.proposal()).collect() };
        let weights = self.count();
        Case { paper, network: Network { layers }, input, witness, weights: self.take(weights) }
    }
}

fn proof(case: &Case) -> bures::Result<Proof> {
    prove(&Prepared::new(&case.network)?, &case.input, &case.witness)
}

#[test]
fn bounds_of_networks_are_sound_and_not_loose() {
    let numbers = unpacked("BURES_SOUNDNESS_NETWORKS", include_bytes!("soundness_cases/networks.bin.z"));
    let mut rest = Numbers(&numbers);
    let (mut count, mut worst, mut violations, mut loose) = (0, 0.0_f64, Vec::new(), Vec::new());
    let (mut splits, mut dropped, mut paper) = (0, 0, 0);
    while !rest.0.is_empty() {
        let case = rest.network_case();
        let value = rest.take(1)[0];
        count += 1;
        splits += usize::from(case.witness.layers.iter().any(|layer| !layer.splits.is_empty()));
        dropped += usize::from(case.network.layers.iter().any(|layer| layer.dropout > 0.0));
        paper += usize::from(case.paper.points > 0);
        let proof = proof(&case).expect("a proof");
        check_proof(&proof);
        assert_eq!(proof.mixture.weights, case.weights, "case {count}: other masses, make the cases again");
        assert!(value.is_finite(), "case {count} has no value");
        if proof.bound < value {
            violations.push(format!("case {count}: {:e} below {value:e}: {:?}", proof.bound, case.network));
        }
        let size = (proof.second_moment.sqrt() + value).max(f64::MIN_POSITIVE);
        let (smallest, allowed) = tolerance(&case);
        let excess = (proof.bound - rounding(&proof) - value) / value;
        if value > smallest * size {
            worst = worst.max(excess / allowed);
            if excess > allowed {
                loose.push(format!("case {count}: {excess:e} above {value:e}: {:?} {:?}", case.network, case.witness));
            }
        }
    }
    eprintln!(
        "{count} cases, {splits} split, {dropped} dropout, {paper} paper, {} loose, worst {worst:.3} of what is allowed",
        loose.len()
    );
    assert!(splits > count / 5 && dropped > count / 5 && paper > count / 10);
    assert!(violations.is_empty(), "{} violations: {:#?}", violations.len(), &violations[..violations.len().min(5)]);
    assert!(loose.is_empty(), "{} loose: {:#?}", loose.len(), &loose[..loose.len().min(5)]);
}

/// From which part of the output on a bound is compared from above, and by what part it may be more than its value.
fn tolerance(case: &Case) -> (f64, f64) {
    let tanh = case.network.layers[0].activation == "tanh";
    match () {
        // Of nearly equal eigenvalues other directions are as good for the signature, and not the same for what follows.
        () if case.paper.points > 0 => (1e-5, 0.05),
        () if tanh => (1e-5, 1e-4),
        () => (1e-9, 1e-6),
    }
}

/// What the prover chooses: masses of cells, for the paper's method clusters, shapes and points too.
fn answers(case: &Case) -> bures::Result<Vec<f64>> {
    let mut out = Vec::new();
    if case.paper.points == 0 {
        let weights = proof(case)?.mixture.weights;
        out.push(weights.len() as f64);
        out.extend(weights);
        return Ok(out);
    }
    let prepared = Prepared::new(&case.network)?;
    let (proof, _) = prove_paper(&prepared, &[&case.input], Method::PaperGrid, |index, arriving| {
        if index > 0 {
            out.push(arriving.len() as f64);
            out.extend(arriving.iter().map(|component| component.weight));
            out.extend(arriving.iter().flat_map(|component| component.mean.iter().copied()));
        }
        let mut proposal = propose(arriving, case.paper)?;
        // A direction that takes one point is not looked for.
        proposal.shapes.iter_mut().for_each(|shape| shape.truncate(shape.iter().filter(|&&n| n > 1).count()));
        out.push(proposal.labels.len() as f64);
        out.extend(proposal.labels.iter().map(|&label| f64::from(label)));
        out.push(proposal.shapes.len() as f64);
        for shape in &proposal.shapes {
            out.push(shape.len() as f64);
            out.extend(shape.iter().map(|&n| f64::from(n)));
        }
        Ok(proposal)
    })?;
    out.push(proof.mixture.weights.len() as f64);
    out.extend(&proof.mixture.weights);
    out.extend(&proof.mixture.means);
    Ok(out)
}

#[test]
#[ignore = "the second of three steps in which soundness_cases/make_networks.py makes cases"]
fn answers_for_drawn_networks() {
    let drawn = std::env::var("BURES_SOUNDNESS_DRAWN").expect("BURES_SOUNDNESS_DRAWN names drawn networks");
    let numbers = unpacked("BURES_SOUNDNESS_DRAWN", &[]);
    let mut rest = Numbers(&numbers);
    let mut out: Vec<u8> = Vec::new();
    while !rest.0.is_empty() {
        let case = rest.network_case();
        let found = match answers(&case) {
            Ok(found) => found,
            Err(error) => {
                assert!(error.to_string().contains("it must vary there"), "{error}: {:?}", case.network);
                Vec::new()
            }
        };
        out.extend((found.len() as f64).to_le_bytes());
        out.extend(found.iter().flat_map(|x| x.to_le_bytes()));
    }
    std::fs::write(format!("{drawn}.answers"), out).expect("answers written");
}
