//! What a paper says, and how what was measured compares with it.

use serde::{Deserialize, Serialize};

use super::course;
use super::flows::Compared;
use super::reduction::Measured;
use super::runs::Runs;
use crate::Result;
use crate::math::statistics::{self, mean_and_error};

/// A number or a claim of a paper.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Expected {
    /// In words.
    what: String,
    /// Where the paper says it.
    place: String,
    /// On which data set.
    data: String,
    /// The number; a claim has none.
    #[serde(default)]
    value: Option<f64>,
    /// How far from it still counts as reached.
    #[serde(default)]
    tolerance: Option<f64>,
    #[serde(flatten)]
    measure: Measure,
}

/// How it is measured.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "measure", rename_all = "kebab-case")]
enum Measure {
    /// Mean over the seeds of the last test error.
    LastError { run: String },
    /// Test errors of the runs fall in this order, at the last epoch that all have.
    Order { runs: Vec<String> },
    /// The means of a run's components move further than another run's neurons.
    Farther { run: String, than: String },
    /// Slope of a figure's distances.
    Slope,
    /// Gap in test error at a figure's end.
    Gap,
    /// Order in the step of the gap between two flows.
    FlowOrder,
}

/// Whether what a paper says was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Within the tolerance, or the claim holds.
    Found,
    /// Better than the number by more than the tolerance.
    Better,
    /// Neither.
    Missed,
    /// A budget too small to tell.
    Untold,
}

/// A line of a report's table.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// In words.
    pub what: String,
    /// Where the paper says it.
    pub place: String,
    /// Data set.
    pub data: String,
    /// The paper's number.
    pub paper: Option<f64>,
    /// How far from it still counts as reached.
    pub tolerance: Option<f64>,
    /// Ours; of a claim on an order, absent.
    pub ours: Option<f64>,
    /// Standard error of ours.
    pub standard_error: Option<f64>,
    /// Whether numbers are shares, shown as percentages.
    pub percent: bool,
    /// How many trials.
    pub trials: usize,
    /// Epochs of training.
    pub epochs: Option<u64>,
    /// Wall-clock seconds of the training.
    pub seconds: Option<f64>,
    /// What was found.
    pub verdict: Verdict,
    /// The numbers behind a claim.
    pub detail: String,
}

impl Row {
    /// What was measured, in words.
    pub fn measured(&self) -> String {
        let Some(ours) = self.ours else { return self.detail.clone() };
        let text = if self.percent { statistics::percent } else { statistics::with_error };
        text((ours, self.standard_error.unwrap_or(0.0)), 3)
    }
}

impl Expected {
    /// The runs that it names.
    #[cfg(test)]
    pub(super) fn runs(&self) -> Vec<&String> {
        match &self.measure {
            Measure::LastError { run } => vec![run],
            Measure::Order { runs } => runs.iter().collect(),
            Measure::Farther { run, than } => vec![run, than],
            Measure::Slope | Measure::Gap | Measure::FlowOrder => Vec::new(),
        }
    }

    /// Measures it; `None` where it is about a data set that is not among those measured. With `--quick` every row is made on the quick set.
    pub(super) fn row(
        &self,
        runs: &mut Runs<'_>,
        data: &str,
        (reductions, flows): (&[Measured], Option<&Compared>),
    ) -> Result<Option<Row>> {
        if let (Measure::FlowOrder, Some(found)) = (&self.measure, flows) {
            return Ok(Some(measured(self.blank(&self.data), found.slope(), 0.0, false)));
        }
        if !runs.quick && self.data != data {
            return Ok(None);
        }
        let blank = self.blank(data);
        let reduction = reductions.iter().find(|measured| measured.data == data);
        let row = match &self.measure {
            Measure::LastError { run } => {
                let done = runs.get(run, data)?;
                let errors = done.errors(done.settings.epochs);
                let (mean, error) = mean_and_error(&errors);
                let (epochs, seconds) = (Some(done.settings.epochs), Some(done.seconds()));
                let blank = Row { percent: true, trials: errors.len(), epochs, seconds, ..blank };
                measured(blank, mean, error, true)
            }
            Measure::Order { runs: names } => ordered(blank, runs, names, data)?,
            Measure::Farther { run, than } => {
                let (a, b) = (runs.get(run, data)?, runs.get(than, data)?);
                let (components, neurons) = (course::distance(&a)?, course::distance(&b)?);
                let verdict = claim(components > neurons);
                let detail = format!("components {components:.2}, neurons {neurons:.2}");
                let epochs = Some(a.settings.epochs);
                Row { ours: Some(components / neurons), epochs, verdict, detail, ..blank }
            }
            Measure::Slope | Measure::Gap | Measure::FlowOrder => match (reduction, &self.measure) {
                (None, _) => blank,
                (Some(found), Measure::Slope) => {
                    let (slope, error) = found.slope();
                    measured(Row { trials: found.draws(), ..blank }, slope, error, false)
                }
                (Some(found), _) => {
                    let (gap, error) = found.gap();
                    let row = Row { percent: true, trials: found.draws(), verdict: claim(gap > 0.0), ..blank };
                    Row { ours: Some(gap), standard_error: Some(error), ..row }
                }
            },
        };
        Ok(Some(if runs.quick { Row { verdict: Verdict::Untold, ..row } } else { row }))
    }
}

impl Expected {
    /// A row with nothing measured yet.
    fn blank(&self, data: &str) -> Row {
        Row {
            what: self.what.clone(),
            place: self.place.clone(),
            data: data.to_owned(),
            paper: self.value,
            tolerance: self.tolerance,
            ours: None,
            standard_error: None,
            percent: false,
            trials: 1,
            epochs: None,
            seconds: None,
            verdict: Verdict::Untold,
            detail: String::new(),
        }
    }
}

fn claim(holds: bool) -> Verdict {
    if holds { Verdict::Found } else { Verdict::Missed }
}

/// A number with its verdict; of an error, less is better.
fn measured(row: Row, mean: f64, error: f64, less_is_better: bool) -> Row {
    let off = row.paper.map(|paper| mean - paper);
    let verdict = match (off, row.tolerance) {
        (Some(off), Some(tolerance)) if off.abs() <= tolerance => Verdict::Found,
        (Some(off), Some(_)) if less_is_better && off < 0.0 => Verdict::Better,
        _ => Verdict::Missed,
    };
    Row { ours: Some(mean), standard_error: Some(error), verdict, ..row }
}

fn ordered(row: Row, runs: &mut Runs<'_>, names: &[String], data: &str) -> Result<Row> {
    let all = names.iter().map(|name| runs.get(name, data)).collect::<Result<Vec<_>>>()?;
    let epoch = all.iter().map(|done| done.settings.epochs).min().unwrap_or(0);
    let errors: Vec<(f64, f64)> = all.iter().map(|done| mean_and_error(&done.errors(epoch))).collect();
    let verdict = claim(errors.windows(2).all(|pair| pair[0].0 > pair[1].0));
    let detail = errors.iter().map(|&error| statistics::percent(error, 2)).collect::<Vec<_>>().join(", ");
    let trials = all.iter().map(|done| done.settings.seeds.len()).min().unwrap_or(0);
    let seconds = Some(all.iter().map(super::runs::Done::seconds).sum());
    Ok(Row { trials, epochs: Some(epoch), seconds, verdict, detail, ..row })
}
