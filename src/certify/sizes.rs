//! Whether a certification fits into this machine's memory, asked before anything is allocated.

use super::core::{Layer, Method, Network};
use super::sample::BLOCK;
use crate::{Error, Result};

const GIB: f64 = (1_u64 << 30) as f64;

/// Refuses a network, or results, that are larger than the memory, for so many inputs, of which so many at once.
///
/// # Errors
/// [`Error::Config`] saying what to do.
pub(super) fn check(network: &Network, method: Method, inputs: [usize; 2], components: usize) -> Result<()> {
    let have = crate::memory::total();
    let [inputs, at_once] = inputs;
    let (prepared, mixture) = match method {
        Method::Tight if at_once > 1 => (prepared(network) + joined(network, at_once), mixture(network, at_once, 1)),
        Method::Tight => (prepared(network) + working(network, components), mixture(network, 1, components)),
        Method::PaperGrid | Method::PaperCross => {
            (prepared(network) + stacked(network, at_once, components), mixture(network, at_once, components))
        }
    };
    let result = (inputs / at_once.max(1)) as f64 * mixture;
    let too_much = |what: &str, need: f64, advice: &str| {
        let (need, have) = ((need / GIB).ceil(), have / GIB);
        Err(Error::Config(format!(
            "{what} needs about {need:.0} GiB of memory and this machine has {have:.0}: {advice}"
        )))
    };
    // Kept, and laid out once more for the file.
    let all = prepared + 3.0 * result;
    if at_once > 1 && all > have {
        let what = format!("the joint law of {at_once} inputs");
        let advice =
            if method == Method::Tight { "take fewer inputs" } else { "take fewer inputs, --points or --components" };
        return too_much(&what, all, advice);
    }
    if prepared > have {
        let correlated = network.layers.iter().any(|layer| layer.is_correlated());
        let widest = network.layers.iter().map(|layer| layer.outputs).max().unwrap_or(0);
        let what = format!(
            "a network with {}a layer of width {widest}",
            if correlated { "correlated weights and " } else { "" }
        );
        return too_much(
            &what,
            prepared,
            "its covariance matrices do not fit; take a narrower network or fewer --max-components",
        );
    }
    if all > have {
        let what = format!("the mixtures of {inputs} inputs");
        return too_much(&what, all, "certify them in shares by --range, each in a run of its own");
    }
    Ok(())
}

/// Refuses `n` samples of each law at so many inputs at once that are larger than the memory.
///
/// # Errors
/// [`Error::Config`] saying what to do.
pub(super) fn check_samples(network: &Network, n: usize, at_once: usize, components: usize) -> Result<()> {
    let (n, points, have) = (n as f64, at_once as f64, crate::memory::total());
    let width = network.layers.last().map_or(0.0, |layer| points * layer.outputs as f64);
    let weights = |layer: &Layer| layer.inputs as f64 * layer.outputs as f64;
    // A block's weights, and the factor of their covariance.
    let drawn = |layer: &Layer| {
        let squared = if layer.is_correlated() { 3.0 * weights(layer).powi(2) } else { 0.0 };
        (BLOCK + 2) as f64 * weights(layer) + squared
    };
    let layers: f64 = network.layers.iter().map(drawn).sum();
    // The first layer's Gaussians over the points.
    let roots = network.layers.first().map_or(0.0, |layer| 2.0 * layer.outputs as f64 * points * points);
    let each = 4.0 * n * width + n * n + components as f64 * width * width + layers + roots;
    let threads = if at_once > 1 { 1.0 } else { rayon::current_num_threads() as f64 };
    let need = 8.0 * threads * each;
    if n > 0.0 && need > have {
        return Err(Error::Config(format!(
            "{n} samples need about {:.0} GiB of memory and this machine has {:.0}: take fewer --samples or inputs, or none",
            (need / GIB).ceil(),
            have / GIB
        )));
    }
    Ok(())
}

/// What depends on the network only, in bytes.
fn prepared(network: &Network) -> f64 {
    let layer = |layer: &Layer| {
        let weights = layer.inputs as f64 * layer.outputs as f64;
        let covariance = if layer.is_correlated() { 4.0 * weights * weights } else { 0.0 };
        12.0 * weights + covariance
    };
    let widths = network.layers.iter().skip(1).map(|layer| 3.0 * (layer.inputs as f64).powi(2)).sum::<f64>();
    8.0 * (network.layers.iter().map(layer).sum::<f64>() + widths)
}

/// What the threads hold for an input each, in the tight method.
fn working(network: &Network, components: usize) -> f64 {
    let squares = network.layers.iter().map(|layer| (layer.outputs as f64).powi(2)).sum::<f64>();
    8.0 * rayon::current_num_threads() as f64 * (components as f64 + 6.0) * squares
}

/// The covariances of a joint set's layers and what is kept for every pair of points, as [`super::core::joint_bytes`] counts them.
fn joined(network: &Network, at_once: usize) -> f64 {
    let layer = |layer: &Layer| (layer.outputs as f64).powi(2) + 3.0 * (layer.inputs + layer.outputs) as f64;
    let first = network.layers.first().map_or(0.0, |layer| layer.outputs as f64);
    8.0 * (at_once as f64).powi(2) * (first + network.layers.iter().skip(1).map(layer).sum::<f64>())
}

/// What the threads hold for a set of so many inputs each, in the paper's method: factors of all components, of one layer at a time and
/// of the next.
fn stacked(network: &Network, at_once: usize, components: usize) -> f64 {
    let points = at_once as f64;
    let factors = |layer: &Layer| {
        let outputs = layer.outputs as f64;
        if layer.is_correlated() { (points * outputs).powi(2) } else { outputs * points * points }
    };
    let largest = network.layers.iter().map(factors).fold(0.0, f64::max);
    let threads = if at_once > 1 { 1.0 } else { rayon::current_num_threads() as f64 };
    8.0 * threads * (2.0 * components as f64 + 8.0) * largest
}

/// One input's mixture, or that of so many at once.
fn mixture(network: &Network, at_once: usize, components: usize) -> f64 {
    let width = network.layers.last().map_or(0.0, |layer| (at_once * layer.outputs) as f64);
    8.0 * components as f64 * (1.0 + width + width * width)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sizes alone count, so that the arrays may be missing.
    #[test]
    fn samples_beyond_the_memory_are_refused() {
        let layer = |inputs: usize, outputs: usize| Layer {
            inputs,
            outputs,
            mean: Vec::new(),
            variance: Vec::new(),
            bias_mean: Vec::new(),
            bias_variance: Vec::new(),
            activation: "none".to_owned(),
            dropout: 0.0,
        };
        let small = Network { layers: vec![layer(3, 5), layer(5, 2)] };
        assert!(check_samples(&small, 2000, 10, 30).is_ok());
        for (network, points) in [(&small, 10_000_000), (&Network { layers: vec![layer(1 << 20, 1 << 20)] }, 1)] {
            let why = check_samples(network, 2000, points, 30).expect_err("too large").to_string();
            assert!(why.starts_with("2000 samples need about") && why.contains("take fewer --samples"), "{why}");
            assert!(check_samples(network, 0, points, 30).is_ok(), "no samples need no memory");
        }
    }
}
