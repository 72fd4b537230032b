//! The paper's bound falls with points and components as its theory says, and never above what its theory allows.

use bures::certify::core::{Layer, Network, Prepared, Proof, TermKind};
use bures::certify::propose::paper::{PaperSettings, certify_paper};

use crate::core_support::check_proof;

/// One input, neurons `N(m_j, 1)` before a layer with fixed weights 1 and one output: `L_W = √width`.
fn neurons(means: &[f64], activation: &str) -> Network {
    let n = means.len();
    let layer = |inputs: usize, outputs: usize, variance: f64, bias: Vec<f64>, activation: &str| Layer {
        inputs,
        outputs,
        mean: vec![if variance == 0.0 { 1.0 } else { 0.0 }; inputs * outputs],
        variance: vec![variance; inputs * outputs],
        bias_mean: bias,
        bias_variance: vec![0.0; outputs],
        activation: activation.to_owned(),
        dropout: 0.0,
    };
    Network { layers: vec![layer(1, n, 1.0, means.to_vec(), activation), layer(n, 1, 0.0, vec![0.0], "none")] }
}

fn proof(network: &Network, points: usize, components: usize) -> Proof {
    let prepared = Prepared::new(network).expect("a network");
    let (proof, _) =
        certify_paper(&prepared, &[&[1.0]], PaperSettings { points, components, cross: false }).expect("a proof");
    check_proof(&proof);
    proof
}

/// Proposition 13: `W_Δ² ≤ 4 ln N/N² + R(N)` for a grid of equal steps; the optimal one is nearer, `√3 π/2 N⁻²` as N grows (Zador). So
/// the bound falls with slope −1, and the proposition's by the logarithm less.
#[test]
fn one_direction_is_below_proposition_13_and_falls_by_its_rate() {
    let limit = |n: f64| {
        let spread = 4.0 * n.ln() / (n * n);
        (spread + (1.0 + spread) / (n * n * (std::f64::consts::TAU * n.ln()).sqrt())).sqrt()
    };
    for (mean, activation) in [(0.0, "relu"), (0.8, "relu"), (-0.5, "tanh"), (0.3, "none")] {
        let network = neurons(&[mean], activation);
        let counts = [2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1000.0_f64];
        let bounds = counts.map(|n| proof(&network, n as usize, 1).bound);
        for (n, bound) in counts.iter().zip(bounds) {
            assert!(bound <= limit(*n), "{activation} {n}: {bound} above {}", limit(*n));
        }
        for (pair, at) in bounds.windows(2).zip(counts.windows(2)).skip(3) {
            let slope = (pair[1] / pair[0]).ln() / (at[1] / at[0]).ln();
            assert!((slope + 1.0).abs() <= 0.1, "{activation} from {} points: slope {slope}", at[0]);
        }
        let zador = (0.5 * 3.0_f64.sqrt() * std::f64::consts::PI).sqrt();
        assert!((bounds[9] * 1000.0 / zador - 1.0).abs() <= 0.01, "{activation}: {}", bounds[9] * 1000.0);
        let off = (bounds[9] / bounds[4]).ln() / (limit(1000.0) / limit(32.0)).ln();
        assert!((off - 1.0).abs() <= 0.15, "{activation}: {off} of the proposition's rate");
    }
}

/// `n` equal directions share `N` points: `W_Δ = √(n D(N^{1/n}))`, of order `N^{−1/n}`.
#[test]
fn more_directions_fall_more_slowly() {
    for (n, few, many) in [(1, 64, 512), (2, 256, 4096), (3, 512, 32_768)] {
        let network = neurons(&vec![0.2; n], "relu");
        let [before, after] = [few, many].map(|points| proof(&network, points, 1).bound);
        let slope = (after / before).ln() / (many as f64 / few as f64).ln();
        let want = -1.0 / n as f64;
        assert!((slope / want - 1.0).abs() <= 0.1, "{n} directions: slope {slope}, not {want}");
    }
}

/// 512 points on a line in M clusters: a cluster of width h is off by its points' distances to its mean, of order h, so `W_R ~ 1/M`.
#[test]
fn compression_falls_with_components() {
    let mut network = neurons(&[0.3], "none");
    let last = network.layers[1].clone();
    network.layers.push(last);
    let compression = |components: usize| {
        let proof = proof(&network, 512, components);
        proof.terms.iter().filter(|term| term.kind == TermKind::Compression).map(|term| term.value).sum::<f64>()
    };
    let parts = [8, 16, 32, 64].map(compression);
    let slope = (parts[3] / parts[0]).ln() / 8.0_f64.ln();
    assert!((slope + 1.0).abs() <= 0.1, "slope {slope}: {parts:?}");
    assert!(parts.windows(2).all(|pair| pair[1] < pair[0]));
    assert_eq!(compression(512), 0.0);
}
