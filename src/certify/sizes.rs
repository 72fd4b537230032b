//! Whether a certification fits into this machine's memory, asked before anything is allocated.

use super::core::Network;
use crate::{Error, Result};

const GIB: f64 = (1_u64 << 30) as f64;

/// Refuses a network, or results, that are larger than the memory.
///
/// # Errors
/// [`Error::Config`] saying what to do.
pub(super) fn check(network: &Network, inputs: usize, components: usize) -> Result<()> {
    let have = crate::memory::total();
    let (prepared, result) = (prepared(network, components), inputs as f64 * mixture(network, components));
    let too_much = |what: &str, need: f64, advice: &str| {
        let (need, have) = ((need / GIB).ceil(), have / GIB);
        Err(Error::Config(format!(
            "{what} needs about {need:.0} GiB of memory and this machine has {have:.0}: {advice}"
        )))
    };
    if prepared > have {
        let widest = network.layers.iter().map(|layer| layer.outputs).max().unwrap_or(0);
        return too_much(
            &format!("a network with a layer of width {widest}"),
            prepared,
            "its covariance matrices do not fit; take a narrower network or fewer --max-components",
        );
    }
    // Kept, and laid out once more for the file.
    if prepared + 3.0 * result > have {
        let what = format!("the mixtures of {inputs} inputs");
        return too_much(&what, prepared + 3.0 * result, "certify them in shares by --range, each in a run of its own");
    }
    Ok(())
}

/// What depends on the network only, and what one thread holds for one input.
fn prepared(network: &Network, components: usize) -> f64 {
    let threads = rayon::current_num_threads() as f64;
    let layer = |layer: &super::core::Layer| {
        let (inputs, outputs) = (layer.inputs as f64, layer.outputs as f64);
        6.0 * inputs * outputs + threads * (components as f64 + 6.0) * outputs * outputs
    };
    let widths = network.layers.iter().skip(1).map(|layer| 3.0 * (layer.inputs as f64).powi(2)).sum::<f64>();
    8.0 * (network.layers.iter().map(layer).sum::<f64>() + widths)
}

/// One input's mixture.
fn mixture(network: &Network, components: usize) -> f64 {
    let width = network.layers.last().map_or(0.0, |layer| layer.outputs as f64);
    8.0 * components as f64 * (1.0 + width + width * width)
}
