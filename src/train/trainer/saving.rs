//! Checkpoints and models of a run.

use std::time::Instant;

use super::super::checkpoint::{Checkpoint, Counters};
use super::super::run_folder::snapshot_name;
use super::Trainer;
use crate::Result;
use crate::nn::{Model, Provenance};

impl Trainer<'_> {
    /// Writes every seed's parameters and optimiser state, once they are known to be finite.
    pub(super) fn checkpoint(&mut self) -> Result<()> {
        let params = self.network.read(&mut self.stream)?;
        self.check_finite(&params)?;
        let runs = self.network.runs();
        let mut sets = vec![("params", params)];
        for (name, layers) in self.stepper.state() {
            if layers.iter().any(|layer| !layer.is_empty()) {
                let state = crate::nn::read_runs(&mut self.stream, runs, layers)?;
                self.check_finite(&state)?;
                sets.push((name, state));
            }
        }
        for (run, &seed) in self.settings.seeds.iter().enumerate() {
            let counters = Counters { step: self.step, seconds: self.seconds() };
            let of_run = sets.iter().map(|(name, all)| (*name, all[run].clone())).collect();
            let checkpoint = Checkpoint { counters, sets: of_run };
            checkpoint.write(&self.spec, &self.folder.of_seed(seed), runs > 1)?;
        }
        self.checkpointed = Instant::now();
        Ok(())
    }

    /// Takes up the newest checkpoint that all seeds have.
    pub(super) fn resume(&mut self) -> Result<()> {
        let folders: Vec<_> = self.settings.seeds.iter().map(|&seed| self.folder.of_seed(seed)).collect();
        let step = Checkpoint::newest_common(&folders)?;
        let mut names = vec!["params"];
        names.extend(
            self.stepper.state().iter().filter(|(_, l)| l.iter().any(|l| !l.is_empty())).map(|(name, _)| *name),
        );
        for (run, folder) in folders.iter().enumerate() {
            let checkpoint = Checkpoint::resume(&self.spec, folder, step, &names)?;
            self.seconds_before = self.seconds_before.max(checkpoint.counters.seconds);
            for (name, layers) in &checkpoint.sets {
                for (i, values) in layers.iter().enumerate() {
                    let at = run * values.len();
                    let target = match *name {
                        "params" => self.network.params_mut(i),
                        name => match self.stepper.state_mut().into_iter().find(|(set, _)| *set == name) {
                            Some((_, layers)) => &mut layers[i],
                            None => continue,
                        },
                    };
                    self.stream.write(target, at, values)?;
                }
            }
        }
        self.step = step.min(self.steps);
        Ok(())
    }

    /// Writes every seed's model.
    pub(super) fn write_models(&mut self) -> Result<()> {
        self.write_as("model.safetensors")
    }

    /// Keeps every seed's model after `epoch`, where that is asked for.
    pub(super) fn snapshot(&mut self, epoch: u64) -> Result<()> {
        match self.settings.snapshot_every {
            Some(every) if epoch.is_multiple_of(every) => self.write_as(&snapshot_name(epoch)),
            _ => Ok(()),
        }
    }

    fn write_as(&mut self, name: &str) -> Result<()> {
        let params = self.network.read(&mut self.stream)?;
        self.check_finite(&params)?;
        for (&seed, params) in self.settings.seeds.iter().zip(params) {
            let provenance = Provenance { seed, ..self.model.provenance.clone() };
            let model = Model { params, provenance, ..self.model.clone() };
            model.write(self.folder.of_seed(seed).join(name))?;
        }
        Ok(())
    }
}
