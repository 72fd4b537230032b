//! Printed bounds against the same formulas in 400-bit arithmetic: ten thousand stored cases, made by
//! `soundness_cases/make_cases.py`. `BURES_SOUNDNESS_CASES` names another file of cases, for a longer run.

use std::io::Read;

use bures::certify::core::{Layer, Network, Prepared, Proof, TermKind, prove};

use crate::core_support::{check_proof, plain_witness};

struct Case {
    network: Network,
    input: Vec<f64>,
    /// The bound without rounding.
    value: f64,
    /// The exact mixture's first mean and variance, as sums of two numbers.
    mean: [f64; 2],
    variance: [f64; 2],
}

/// Takes numbers off the front.
pub(crate) struct Numbers<'a>(pub(crate) &'a [f64]);

impl Numbers<'_> {
    pub(crate) fn take(&mut self, n: usize) -> Vec<f64> {
        let (head, tail) = self.0.split_at(n);
        self.0 = tail;
        head.to_vec()
    }

    pub(crate) fn count(&mut self) -> usize {
        self.take(1)[0] as usize
    }

    /// Means and variances of weights, then of biases; nothing dropped.
    pub(crate) fn layer(&mut self, inputs: usize, outputs: usize, activation: &str) -> Layer {
        Layer {
            inputs,
            outputs,
            mean: self.take(inputs * outputs),
            variance: self.take(inputs * outputs),
            bias_mean: self.take(outputs),
            bias_variance: self.take(outputs),
            activation: activation.to_owned(),
            dropout: 0.0,
        }
    }

    /// Number of layers, widths and weights.
    pub(crate) fn network(&mut self, activation: &str) -> Network {
        let layers = self.count();
        let widths: Vec<usize> = self.take(layers + 1).into_iter().map(|x| x as usize).collect();
        let layer = |(k, pair): (usize, &[usize])| {
            self.layer(pair[0], pair[1], if k + 1 == layers { "none" } else { activation })
        };
        Network { layers: widths.windows(2).enumerate().map(layer).collect() }
    }

    fn case(&mut self) -> Case {
        let activation = ACTIVATIONS[self.count()];
        let network = self.network(activation);
        let input = self.take(network.layers[0].inputs);
        let value = self.take(1)[0];
        let pair = |numbers: &mut Self| [numbers.take(1)[0], numbers.take(1)[0]];
        let (mean, variance) = (pair(self), pair(self));
        Case { network, input, value, mean, variance }
    }
}

/// Activations by the number that stands for them in files of cases.
pub(crate) const ACTIVATIONS: [&str; 3] = ["none", "relu", "tanh"];

/// The numbers of a compressed file of cases: the one that the variable names, else the stored one.
pub(crate) fn unpacked(variable: &str, stored: &[u8]) -> Vec<f64> {
    let packed = match std::env::var_os(variable) {
        Some(path) => std::fs::read(path).expect("a file of cases"),
        None => stored.to_vec(),
    };
    let mut bytes = Vec::new();
    flate2::read::ZlibDecoder::new(packed.as_slice()).read_to_end(&mut bytes).expect("compressed cases");
    bytes.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().expect("8 bytes"))).collect()
}

/// The part of the bound that pays for the stored mixture.
pub(crate) fn rounding(proof: &Proof) -> f64 {
    proof.terms.iter().filter(|term| term.kind == TermKind::Rounding).map(|term| term.value).sum()
}

#[test]
fn bounds_are_sound_and_not_loose() {
    let numbers = unpacked("BURES_SOUNDNESS_CASES", include_bytes!("soundness_cases/cases.bin.z"));
    let mut rest = Numbers(&numbers);
    let (mut count, mut refused, mut violations, mut loose, mut worst) = (0, 0, Vec::new(), Vec::new(), 0.0_f64);
    while !rest.0.is_empty() {
        let case = rest.case();
        count += 1;
        let prepared = Prepared::new(&case.network).expect("a network");
        let Ok(proof) = prove(&prepared, &case.input, &plain_witness(&case.network)) else {
            refused += 1;
            continue;
        };
        check_proof(&proof);
        // One output and one hidden layer: the exact Gaussian is known, and its distance to the stored one is paid for.
        let paid = rounding(&proof);
        if case.network.layers.len() == 2 && proof.mixture.width == 1 {
            let off = (proof.mixture.means[0] - case.mean[0]) - case.mean[1];
            let stored = proof.mixture.covariances[0];
            let total = stored.sqrt() + case.variance[0].sqrt();
            let spread = ((stored - case.variance[0]) - case.variance[1]) / if total > 0.0 { total } else { 1.0 };
            if off.hypot(spread) > paid {
                violations.push(format!("case {count}: {off:e}, {spread:e} off, {paid:e} paid"));
            }
        }
        // A value that is not a number would be no test.
        assert!(case.value.is_finite(), "case {count} has no value");
        if proof.bound < case.value {
            violations.push(format!("case {count}: {:e} below {:e}: {:?}", proof.bound, case.value, case.network));
        }
        let excess = proof.bound - paid - case.value;
        let size = (proof.second_moment.sqrt() + case.value).max(f64::MIN_POSITIVE);
        // A quadrature ends some 1e-14 above 0; what is in closed form is as good for the smallest bounds.
        let tanh = case.network.layers[0].activation == "tanh";
        let (smallest, allowed) = if tanh { (1e-5, 1e-4) } else { (1e-9, 1e-6) };
        if case.value > smallest * size {
            worst = worst.max(excess / case.value);
            if excess > allowed * case.value {
                loose.push((excess / case.value, count, case));
            }
        }
    }
    loose.sort_by(|a, b| b.0.total_cmp(&a.0));
    eprintln!("{count} cases, {refused} refused, {} loose, worst excess {worst:e}", loose.len());
    for (excess, at, case) in loose.iter().take(6) {
        eprintln!("case {at}, {:e}: {excess:e} {:?}", case.value, case.network);
    }
    assert!(violations.is_empty(), "{} violations: {:#?}", violations.len(), &violations[..violations.len().min(5)]);
    assert!(loose.is_empty(), "{} loose", loose.len());
}
