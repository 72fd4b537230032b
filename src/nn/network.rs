//! A network's parameters on a device, for one run or several at once.

use super::network_spec::NetworkSpec;
use crate::device::{Buffer, Device, Stream};
use crate::{Error, Result};

/// A network on a device: what layers it has and their parameters, those of all runs side by side.
pub struct Network {
    device: Device,
    spec: NetworkSpec,
    runs: usize,
    /// One flat array per layer, `[R, P]`; empty for layers without parameters.
    params: Vec<Buffer<f32>>,
}

impl Network {
    /// Puts the parameters of every run (outer: run, inner: layer, flat with pads) on the device.
    ///
    /// # Errors
    /// [`Error::Config`] for a network whose layers do not fit, [`Error::Shape`] when the parameters do not fit the
    /// layers, and what the device reports.
    pub fn new(device: &Device, spec: &NetworkSpec, runs: &[Vec<Vec<f32>>]) -> Result<Self> {
        spec.check()?;
        let mut params = Vec::with_capacity(spec.layers.len());
        for (i, layer) in spec.layers.iter().enumerate() {
            let flat: Vec<f32> = runs.iter().filter_map(|run| run.get(i)).flatten().copied().collect();
            crate::shape::expect_len("network", "parameters [R,P]", flat.len(), runs.len() * layer.params_len())?;
            params.push(Buffer::from_vec(device, flat).map_err(|why| of_layer(why, i))?);
        }
        Ok(Self { device: device.clone(), spec: spec.clone(), runs: runs.len(), params })
    }

    /// The layers.
    pub fn spec(&self) -> &NetworkSpec {
        &self.spec
    }

    /// The device that holds the parameters.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// How many runs train at once.
    pub fn runs(&self) -> usize {
        self.runs
    }

    /// The parameters of layer `layer`, `[R, P]`.
    pub fn params(&self, layer: usize) -> &Buffer<f32> {
        &self.params[layer]
    }

    /// The parameters of layer `layer`, for an optimiser.
    pub fn params_mut(&mut self, layer: usize) -> &mut Buffer<f32> {
        &mut self.params[layer]
    }

    /// Zeros in the shape of the parameters, an array per layer: what an optimiser keeps between steps starts so.
    ///
    /// # Errors
    /// What the device reports.
    pub fn zeros(&self) -> Result<Vec<Buffer<f32>>> {
        self.params.iter().map(|params| Buffer::zeros(&self.device, params.len())).collect()
    }

    /// Reads the parameters back (outer: run, inner: layer).
    ///
    /// # Errors
    /// What the device reports.
    pub fn read(&self, stream: &mut Stream) -> Result<Vec<Vec<Vec<f32>>>> {
        read_runs(stream, self.runs, &self.params)
    }
}

/// Says which layer is too large for the device, and what makes it smaller.
fn of_layer(why: Error, layer: usize) -> Error {
    match why {
        Error::Limit { what, need, have } => {
            let advice =
                "fewer components, a covariance of smaller rank, narrower layers or fewer seeds make it smaller";
            Error::Limit { what: format!("layer {layer} is too large ({advice}): {what}"), need, have }
        }
        other => other,
    }
}

/// Reads one array per layer, `[R, P]`, back as run by run.
///
/// # Errors
/// What the device reports.
pub(crate) fn read_runs(stream: &mut Stream, runs: usize, layers: &[Buffer<f32>]) -> Result<Vec<Vec<Vec<f32>>>> {
    let mut out = vec![Vec::with_capacity(layers.len()); runs];
    for layer in layers {
        let flat = stream.read(layer)?;
        let len = flat.len() / runs.max(1);
        for (run, out) in out.iter_mut().enumerate() {
            out.push(flat[run * len..(run + 1) * len].to_vec());
        }
    }
    Ok(out)
}

/// Refuses parameters that are not finite, naming the tensor.
///
/// # Errors
/// [`Error::NonFinite`].
pub(crate) fn check_finite(spec: &NetworkSpec, run: &[Vec<f32>], step: u64) -> Result<()> {
    for (i, (layer, params)) in spec.layers.iter().zip(run).enumerate() {
        for tensor in layer.tensors() {
            if let Some(&value) = params[tensor.range.clone()].iter().find(|value| !value.is_finite()) {
                let quantity = format!("layers.{i}.{}", tensor.name);
                return Err(Error::NonFinite { quantity, value, step, advice: String::new() });
            }
        }
    }
    Ok(())
}
