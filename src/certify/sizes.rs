//! Whether a certification fits into this machine's memory, asked before anything is allocated.

use super::core::{Layer, Method, Network};
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
        return too_much(&what, all, "take fewer inputs, --points or --components");
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
