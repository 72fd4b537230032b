//! What a run tells about itself: metrics, and where it diverged.

use super::super::evaluate::Evaluation;
use super::Trainer;
use crate::plot::{Record, Split};
use crate::{Error, Result};

impl Trainer<'_> {
    /// Reads the losses of the steps after `first` and turns them into metrics.
    pub(super) fn training_records(&mut self, epoch: u64, first: u64) -> Result<Vec<Record>> {
        let (batch, runs) = (self.settings.batch_size, self.network.runs());
        let epoch_start = epoch * self.order.steps_per_epoch(batch);
        let range = (first - epoch_start) as usize * runs..(self.step - epoch_start) as usize * runs;
        let losses = self.stream.read_range(&self.epoch_losses, range.clone())?;
        let errors = self.stream.read_range(&self.epoch_errors, range)?;
        if let Some(at) = losses.iter().position(|loss| !loss.is_finite()) {
            let (step, seed) = (first + 1 + (at / runs) as u64, self.settings.seeds[at % runs]);
            return Err(self.diverged(step, seed, "the training loss", losses[at]));
        }
        let classes = self.model.classes.is_some();
        let record = |run: usize, step: u64, loss: f64, errors: f64| Record {
            seed: self.settings.seeds[run],
            step,
            epoch: epoch + 1,
            split: Split::Train,
            loss: Some(loss),
            error: classes.then_some(errors / batch as f64),
            seconds: self.seconds(),
        };
        let mut records = Vec::new();
        let mut total = 0.0;
        let taken = losses.len() / runs;
        for run in 0..runs {
            let of_run = |at: usize| (f64::from(losses[at * runs + run]), f64::from(errors[at * runs + run]));
            let (loss, wrong) = (0..taken).map(of_run).fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
            total += loss / taken as f64;
            match self.settings.log_every {
                None => records.push(record(run, self.step, loss / taken as f64, wrong / taken as f64)),
                Some(every) => {
                    for at in 0..taken {
                        let step = first + 1 + at as u64;
                        if step.is_multiple_of(every) {
                            let (loss, wrong) = of_run(at);
                            records.push(record(run, step, loss, wrong));
                        }
                    }
                }
            }
        }
        self.last_loss = Some(total / runs as f64);
        Ok(records)
    }

    /// The last evaluation as metrics.
    pub(super) fn test_records(&self, epoch: u64) -> Vec<Record> {
        let record = |(&seed, result): (&u64, &Evaluation)| Record {
            seed,
            step: self.step,
            epoch: epoch + 1,
            split: Split::Test,
            loss: Some(result.loss).filter(|loss| loss.is_finite()),
            error: result.error,
            seconds: self.seconds(),
        };
        self.settings.seeds.iter().zip(&self.last_test).map(record).collect()
    }

    fn diverged(&self, step: u64, seed: u64, quantity: &str, value: f32) -> Error {
        let checkpoint = self.folder.of_seed(seed).join("checkpoint.safetensors");
        let kept = if checkpoint.exists() {
            format!("the last good checkpoint is {}", checkpoint.display())
        } else {
            "no checkpoint had been written".to_owned()
        };
        let advice = format!("; try a smaller --lr or --lr-sigma; {kept}");
        Error::NonFinite { quantity: format!("{quantity} of seed {seed}"), value, step, advice }
    }

    /// Refuses parameters or optimiser state that are not finite: a checkpoint of them would be of no use.
    pub(super) fn check_finite(&self, runs: &[Vec<Vec<f32>>]) -> Result<()> {
        for (run, &seed) in runs.iter().zip(&self.settings.seeds) {
            if let Err(Error::NonFinite { quantity, value, step, .. }) =
                crate::nn::check_finite(&self.spec, run, self.step)
            {
                return Err(self.diverged(step, seed, &quantity, value));
            }
        }
        Ok(())
    }
}
