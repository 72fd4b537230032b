//! The loop over epochs: gather, step, evaluate, write.

mod records;
mod saving;

use std::time::Instant;

use super::augmenter::Augmenter;
use super::choices::OrderChoice;
use super::evaluate::{Evaluation, Evaluator};
use super::order::Order;
use super::pictures::picture;
use super::resident::{Minibatches, Resident};
use super::run_folder::RunFolder;
use super::settings::Settings;
use super::start::start;
use super::stepper::{StepAt, Stepper, Totals};
use crate::data::{Dataset, TargetScale};
use crate::device::{Buffer, Device, Stream};
use crate::nn::{Model, Network, NetworkSpec, Provenance};
use crate::reference::awake;
use crate::shape::stride;
use crate::{Error, Result};

/// How far a run is, told now and then.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Steps taken.
    pub step: u64,
    /// Steps of the whole run.
    pub steps: u64,
    /// Steps of an epoch.
    pub steps_per_epoch: u64,
    /// Mean over the seeds of the last epoch's training loss.
    pub loss: Option<f64>,
    /// Mean over the seeds of the last evaluation.
    pub test: Option<Evaluation>,
}

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The last evaluation of every seed.
    pub test: Vec<Evaluation>,
    /// Steps taken.
    pub steps: u64,
    /// Wall-clock seconds, those before a resumption included.
    pub seconds: f64,
    /// Scale of the targets of a regression: the root of a loss times it is in the targets' units.
    pub targets: Option<TargetScale>,
}

/// Bytes of gathered inputs that a GPU holds at most: minibatches are gathered many at a time.
const GATHERED_BYTES: usize = 32 << 20;

/// Minibatches gathered by one dispatch at most.
const MOST_SLOTS: usize = 64;

/// Trains a network for every seed of `settings`, all at once, and leaves models, checkpoints and metrics in `folder`. With
/// `resume` it goes on from the newest checkpoint there.
///
/// # Errors
/// [`Error::Config`] when settings and data do not fit, [`Error::NonFinite`] when the run diverges (the last good
/// checkpoint stays), [`Error::Io`] when a result cannot be written, and what the device reports.
pub fn train(
    device: &Device,
    settings: &Settings,
    data: &Dataset,
    folder: &RunFolder,
    provenance: &Provenance,
    resume: bool,
    tell: &mut (dyn FnMut(Progress) + Send),
) -> Result<Summary> {
    settings.check()?;
    let mut trainer = Trainer::new(device, settings, data, folder, provenance)?;
    if resume {
        trainer.resume()?;
    } else {
        folder.begin(settings)?;
    }
    if device.is_cpu() { awake(|| trainer.run(tell)) } else { trainer.run(tell) }
}

struct Trainer<'a> {
    settings: &'a Settings,
    folder: &'a RunFolder,
    spec: NetworkSpec,
    model: Model,
    order: Order,
    stream: Stream,
    network: Network,
    stepper: Stepper,
    train: Resident,
    test: Resident,
    evaluator: Evaluator,
    chunk: Chunk,
    epoch_losses: Buffer<f32>,
    epoch_errors: Buffer<u32>,
    step: u64,
    steps: u64,
    seconds_before: f64,
    started: Instant,
    checkpointed: Instant,
    last_loss: Option<f64>,
    last_test: Vec<Evaluation>,
}

/// Minibatches gathered together, and what their steps leave.
struct Chunk {
    slots: usize,
    indices: Buffer<u32>,
    data: Minibatches,
    totals: Totals,
    augmenter: Option<Augmenter>,
}

impl<'a> Trainer<'a> {
    fn new(
        device: &Device,
        settings: &'a Settings,
        data: &Dataset,
        folder: &'a RunFolder,
        provenance: &Provenance,
    ) -> Result<Self> {
        let (n, batch, runs) = (data.train.n, settings.batch_size, settings.seeds.len());
        if batch > n {
            let what = format!("batch-size {batch} is larger than the training set, which has {n} rows");
            return Err(Error::Config(what));
        }
        let rows = u32::try_from(n).map_err(|_| Error::Config(format!("{n} training rows are too many")))?;
        let order = match &settings.order {
            OrderChoice::Shuffled => Order::Shuffled { n: rows },
            OrderChoice::Sequential => Order::Sequential { n: rows },
            OrderChoice::File(path) => Order::read(path, batch, n)?,
        };
        let start = start(settings, data)?;
        let (spec, reference) = (start.model.spec.clone(), start.model.has_reference_class());
        let network = Network::new(device, &spec, &start.runs)?;
        let classes = start.model.classes.map(|_| reference);
        let stepper = Stepper::new(device, &network, batch, settings, classes)?;
        let scale = start.model.targets.as_ref();
        let resident = |split| Resident::new(device, split, data.inputs, &start.model.normalize, scale);
        let (train, test) = (resident(&data.train)?, resident(&data.test)?);
        let evaluator = Evaluator::new(device, &spec, runs, &test, reference)?;
        let per_epoch = order.steps_per_epoch(batch);
        let planned = settings.epochs.saturating_mul(per_epoch);
        let steps = match settings.max_steps {
            Some(most) if settings.epochs == 0 => most,
            Some(most) => planned.min(most),
            None => planned,
        };
        let one = runs * batch * stride(data.inputs) * size_of::<f32>();
        // On the host one minibatch at a time stays in the cache.
        let most = if device.is_cpu() { 1 } else { MOST_SLOTS };
        let slots = (GATHERED_BYTES / one.max(1)).clamp(1, most);
        let gathered = train.room(device, slots * runs * batch)?;
        let augmenter = match settings.augment {
            true => Some(Augmenter::new(device, picture(data.image)?, &gathered)?),
            false => None,
        };
        let chunk = Chunk {
            slots,
            indices: Buffer::zeros(device, slots * runs * batch)?,
            data: gathered,
            totals: Totals::new(device, slots, runs)?,
            augmenter,
        };
        let epoch_len = per_epoch as usize * runs;
        Ok(Self {
            settings,
            folder,
            model: Model { provenance: provenance.clone(), ..start.model },
            spec,
            order,
            stream: device.stream()?,
            network,
            stepper,
            train,
            test,
            evaluator,
            chunk,
            epoch_losses: Buffer::zeros(device, epoch_len)?,
            epoch_errors: Buffer::zeros(device, epoch_len)?,
            step: 0,
            steps,
            seconds_before: 0.0,
            started: Instant::now(),
            checkpointed: Instant::now(),
            last_loss: None,
            last_test: Vec::new(),
        })
    }

    fn run(mut self, tell: &mut (dyn FnMut(Progress) + Send)) -> Result<Summary> {
        self.folder.keep_metrics_until(self.step)?;
        self.started = Instant::now();
        let per_epoch = self.order.steps_per_epoch(self.settings.batch_size);
        if self.step == 0 {
            self.snapshot(0)?;
        }
        while self.step < self.steps {
            let epoch = self.step / per_epoch;
            let end = ((epoch + 1) * per_epoch).min(self.steps);
            let first = self.step;
            self.take_steps(epoch, end, tell)?;
            let mut records = self.training_records(epoch, first)?;
            self.last_test = self.evaluator.evaluate(&mut self.stream, &self.network, &self.test)?;
            records.extend(self.test_records(epoch));
            self.folder.append_metrics(&records)?;
            if self.step.is_multiple_of(per_epoch) {
                self.snapshot(epoch + 1)?;
            }
            if self.checkpointed.elapsed() >= self.folder.checkpoint_interval() || self.step == self.steps {
                self.checkpoint()?;
            }
            tell(self.progress());
        }
        if self.last_test.is_empty() {
            // A finished run that is resumed has nothing left to do but to say what it came to.
            self.last_test = self.evaluator.evaluate(&mut self.stream, &self.network, &self.test)?;
        }
        self.write_models()?;
        Ok(Summary {
            test: self.last_test.clone(),
            steps: self.step,
            seconds: self.seconds(),
            targets: self.model.targets.clone(),
        })
    }

    /// Records the steps up to `end`, all in one epoch, without waiting for any of them.
    fn take_steps(&mut self, epoch: u64, end: u64, tell: &mut (dyn FnMut(Progress) + Send)) -> Result<()> {
        let (batch, runs) = (self.settings.batch_size, self.network.runs());
        let orders: Vec<Vec<u32>> =
            self.settings.seeds.iter().map(|&seed| self.order.epoch(seed, epoch, batch)).collect();
        let epoch_start = epoch * self.order.steps_per_epoch(batch);
        let mut indices = vec![0_u32; self.chunk.slots * runs * batch];
        while self.step < end {
            let count = self.chunk.slots.min((end - self.step) as usize);
            let offset = (self.step - epoch_start) as usize;
            for (at, out) in indices.chunks_exact_mut(batch).take(count * runs).enumerate() {
                let (slot, run) = (at / runs, at % runs);
                out.copy_from_slice(&orders[run][(offset + slot) * batch..][..batch]);
            }
            let chunk = &mut self.chunk;
            self.stream.write(&mut chunk.indices, 0, &indices)?;
            self.train.gather(&mut self.stream, &chunk.indices, &mut chunk.data)?;
            if let Some(augmenter) = &mut chunk.augmenter {
                augmenter.record(&mut self.stream, &self.settings.seeds, self.step, batch, &mut chunk.data)?;
            }
            for slot in 0..count {
                let progress = self.step as f64 / self.steps as f64;
                self.step += 1;
                let at = StepAt { step: self.step, progress, slot };
                let (stream, network) = (&mut self.stream, &mut self.network);
                self.stepper.record(stream, network, &chunk.data, self.settings, at, &mut chunk.totals)?;
            }
            self.stream.copy_part(&chunk.totals.losses, count * runs, &mut self.epoch_losses, offset * runs)?;
            self.stream.copy_part(&chunk.totals.errors, count * runs, &mut self.epoch_errors, offset * runs)?;
            if self.step.is_multiple_of(64) {
                tell(self.progress());
            }
        }
        Ok(())
    }

    fn seconds(&self) -> f64 {
        self.seconds_before + self.started.elapsed().as_secs_f64()
    }

    fn progress(&self) -> Progress {
        let mean = |of: fn(&Evaluation) -> Option<f64>| -> Option<f64> {
            let values: Option<Vec<f64>> = self.last_test.iter().map(of).collect();
            values.filter(|values| !values.is_empty()).map(|values| values.iter().sum::<f64>() / values.len() as f64)
        };
        Progress {
            step: self.step,
            steps: self.steps,
            steps_per_epoch: self.order.steps_per_epoch(self.settings.batch_size),
            loss: self.last_loss,
            test: mean(|test| Some(test.loss)).map(|loss| Evaluation { loss, error: mean(|test| test.error) }),
        }
    }
}
