//! Loss and error of a network on a whole split, and its outputs for given inputs.

use super::resident::{Minibatches, Resident};
use crate::data::{Features, Split, TargetScale, Targets};
use crate::device::{Buffer, Device, Stream};
use crate::kernels::loss::{Loss, LossArgs, LossDims, Target};
use crate::nn::{Model, Network, NetworkSpec, Pass};
use crate::shape::stride;
use crate::{Error, Result};

/// Rows that an evaluation takes at a time, and values of a layer that it makes at a time: convolutional networks have wide ones.
const BATCH: usize = 250;
const VALUES: usize = 1 << 23;

/// Loss and error of one run on one split.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// Mean loss.
    pub loss: f64,
    /// Fraction of wrong classes; none for a regression.
    pub error: Option<f64>,
}

/// Evaluates networks of one kind on one split. Buffers are kept from one evaluation to the next.
pub struct Evaluator {
    runs: usize,
    rows: usize,
    batch: usize,
    reference: bool,
    /// Row numbers of every minibatch, `[R, batch]` each.
    indices: Vec<Buffer<u32>>,
    minibatch: Minibatches,
    pass: Pass,
    loss: Loss,
    losses: Buffer<f32>,
    errors: Buffer<u32>,
    /// Losses and errors of all minibatches, `[batches, R]`.
    all_losses: Buffer<f32>,
    all_errors: Buffer<u32>,
    /// The losses' gradient, which nobody asks for here.
    dh: Buffer<f32>,
}

impl Evaluator {
    /// For `runs` networks of the layers `spec` on the split `data`; with `reference`, class 0 has logit 0.
    ///
    /// # Errors
    /// [`Error::Config`] when the split has no rows; what the device reports.
    pub fn new(device: &Device, spec: &NetworkSpec, runs: usize, data: &Resident, reference: bool) -> Result<Self> {
        if data.is_empty() {
            return Err(Error::Config("the split to evaluate on has no rows".to_owned()));
        }
        let batch = rows_at_once(spec).min(data.len());
        let rows = data.len();
        let batches = rows.div_ceil(batch);
        let indices = (0..batches).map(|i| {
            // The last minibatch is padded with its split's last row; padding does not count.
            let one = (i * batch..(i + 1) * batch).map(|row| row.min(rows - 1) as u32);
            Buffer::from_vec(device, std::iter::repeat_n(one, runs).flatten().collect())
        });
        let outputs = spec.outputs();
        Ok(Self {
            runs,
            rows,
            batch,
            reference,

            indices: indices.collect::<Result<_>>()?,
            minibatch: data.room(device, runs * batch)?,
            pass: Pass::new(device, spec, runs, batch, false)?,
            loss: Loss::new(device, LossDims { runs, batch, outputs, valid: batch })?,
            losses: Buffer::zeros(device, runs)?,
            errors: Buffer::zeros(device, runs)?,
            all_losses: Buffer::zeros(device, batches * runs)?,
            all_errors: Buffer::zeros(device, batches * runs)?,
            dh: Buffer::zeros(device, runs * batch * stride(outputs))?,
        })
    }

    /// Runs the networks over the split and waits for the figures of every run.
    ///
    /// # Errors
    /// [`Error::Shape`] when the network or the split is another than the evaluator was made for; what the device reports.
    pub fn evaluate(&mut self, stream: &mut Stream, network: &Network, data: &Resident) -> Result<Vec<Evaluation>> {
        for (i, indices) in self.indices.iter().enumerate() {
            data.gather(stream, indices, &mut self.minibatch)?;
            self.pass.forward(stream, network, &self.minibatch.x, 0)?;
            let target = if data.has_classes() {
                Target::Labels { labels: &self.minibatch.labels, reference: self.reference }
            } else {
                Target::Values(&self.minibatch.values)
            };
            let valid = self.batch.min(self.rows - i * self.batch);
            let (dh, losses, errors) = (&mut self.dh, &mut self.losses, &mut self.errors);
            let args = LossArgs { valid, h: self.pass.outputs(), target, slot: 0, dh, losses, errors };
            self.loss.record(stream, args)?;
            stream.copy_into(&self.losses, &mut self.all_losses, i * self.runs)?;
            stream.copy_into(&self.errors, &mut self.all_errors, i * self.runs)?;
        }
        let losses = stream.read(&self.all_losses)?;
        let errors = stream.read(&self.all_errors)?;
        let figures = |run: usize| {
            let (mut loss, mut wrong) = (0.0, 0_u64);
            for i in 0..self.indices.len() {
                let valid = self.batch.min(self.rows - i * self.batch) as f64;
                loss += f64::from(losses[i * self.runs + run]) * valid;
                wrong += u64::from(errors[i * self.runs + run]);
            }
            let rows = self.rows as f64;
            Evaluation { loss: loss / rows, error: data.has_classes().then_some(wrong as f64 / rows) }
        };
        Ok((0..self.runs).map(figures).collect())
    }
}

/// The outputs of `model` for every row of `features`, `[n, L]`: logits, or values in the units of the targets.
///
/// # Errors
/// [`Error::Config`] when the rows' width is not the model's; what the device reports.
pub fn predict(device: &Device, model: &Model, features: Features) -> Result<Vec<f32>> {
    let (inputs, outputs) = (model.spec.inputs(), model.spec.outputs());
    let n = features.len() / inputs;
    if n == 0 || !features.len().is_multiple_of(inputs) {
        return Err(Error::Config(format!("the inputs are no rows of {inputs} values, which the model takes")));
    }
    let targets = Targets::Classes { labels: vec![0; n], classes: 1 };
    let split = Split { n, features, targets };
    let data = Resident::new(device, &split, inputs, &model.normalize, None)?;
    let network = Network::new(device, &model.spec, std::slice::from_ref(&model.params))?;
    let batch = rows_at_once(&model.spec).min(n);
    let mut stream = device.stream()?;
    let mut pass = Pass::new(device, &model.spec, 1, batch, false)?;
    let mut minibatch = data.room(device, batch)?;
    let mut out = Vec::with_capacity(n * outputs);
    for first in (0..n).step_by(batch) {
        let rows = (first..first + batch).map(|row| row.min(n - 1) as u32).collect();
        data.gather(&mut stream, &Buffer::from_vec(device, rows)?, &mut minibatch)?;
        pass.forward(&mut stream, &network, &minibatch.x, 0)?;
        let h = stream.read(pass.outputs())?;
        let valid = batch.min(n - first);
        out.extend(h.chunks_exact(stride(outputs)).take(valid).flat_map(|row| &row[..outputs]));
    }
    restore(model.targets.as_ref(), &mut out);
    Ok(out)
}

/// The number depends on the network alone: results have the same bits whatever is evaluated beside.
fn rows_at_once(spec: &NetworkSpec) -> usize {
    let widest = spec.layers.iter().map(|layer| layer.inputs().max(layer.outputs())).max().unwrap_or(1);
    (VALUES / widest.max(1)).clamp(1, BATCH)
}

fn restore(targets: Option<&TargetScale>, values: &mut [f32]) {
    if let Some(scale) = targets {
        scale.restore(values);
    }
}
