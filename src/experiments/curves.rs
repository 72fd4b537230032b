//! Figures of error by epoch: on the test part, or on the examples that runs set aside.

use super::catalogue::CurvePlan;
use super::runs::{Done, Runs};
use crate::Result;
use crate::math::statistics::mean_and_error;
use crate::plot::{Line, LinePoint, LinesPanel};

/// A panel for every data set.
pub(super) fn panels(runs: &mut Runs<'_>, datasets: &[String], curves: &[CurvePlan]) -> Result<Vec<LinesPanel>> {
    let mut panels = Vec::new();
    for data in datasets {
        let (mut lines, mut aside) = (Vec::new(), false);
        for curve in curves {
            let done = runs.get(&curve.run, data)?;
            aside |= done.settings.validation > 0;
            let until = match &curve.until {
                Some(other) => runs.get(other, data)?.settings.epochs,
                None => done.settings.epochs,
            };
            lines.push(line(&done, &curve.label, until.min(done.settings.epochs)));
        }
        let (x, y) = ("epoch".to_owned(), format!("{} error (%)", if aside { "validation" } else { "test" }));
        panels.push(LinesPanel { title: data.clone(), x, y, log_x: false, log_y: false, lines });
    }
    Ok(panels)
}

fn line(done: &Done, label: &str, until: u64) -> Line {
    let point = |epoch: u64| {
        let errors: Vec<f64> = done.errors(epoch).iter().map(|error| 100.0 * error).collect();
        let (mean, spread) = mean_and_error(&errors);
        (!errors.is_empty()).then_some(LinePoint { x: epoch as f64, mean, spread })
    };
    Line { label: label.to_owned(), points: (1..=until).filter_map(point).collect(), reference: false }
}
