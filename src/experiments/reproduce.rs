//! All figures of a paper, from training to pictures and rows of a table.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use serde::Serialize;

use super::catalogue::{Catalogue, Experiment, Figure, FigurePlan};
use super::expected::Row;
use super::flows::{self, Compared, Flows};
use super::reduction::{Measured, Reduction, measure};
use super::runs::{Runs, Stage};
use super::{course, curves};
use crate::device::Device;
use crate::io::write_atomic;
use crate::plot::{self, Picture};
use crate::{Error, Result};

/// A figure with what was measured for it.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// What the paper calls it.
    pub name: &'static str,
    /// One line.
    pub title: String,
    /// What is to be seen.
    pub caption: String,
    /// The figure.
    pub picture: Picture,
    /// What the paper says beside what was measured.
    pub rows: Vec<Row>,
}

/// A paper's experiments as they came out.
#[derive(Clone, Debug)]
pub struct Reproduction {
    /// The paper.
    pub title: String,
    /// Its authors.
    pub authors: String,
    /// Whether budgets were small.
    pub quick: bool,
    /// The figures.
    pub figures: Vec<Drawn>,
    /// Device, version and commit.
    pub device: String,
    /// Wall-clock seconds of this call.
    pub seconds: f64,
}

/// A line of `results.jsonl`.
#[derive(Serialize)]
struct Line<'a> {
    figure: &'a str,
    #[serde(flatten)]
    row: &'a Row,
}

/// Runs experiments of the paper on Gaussian-mixture layers into `out`: `data/` with every training run, a picture for each figure, `results.jsonl`
/// with a line for every number. Runs that are there are not made again; one that was killed goes on.
///
/// # Errors
/// What training, reading and drawing report; [`Error::Data`] when `out` holds runs with other settings.
pub fn reproduce(
    experiment: Experiment,
    device: &Device,
    out: &Path,
    quick: bool,
    tell: &mut (dyn FnMut(Stage<'_>) + Send),
) -> Result<Reproduction> {
    let started = Instant::now();
    let (catalogue, figures) = Catalogue::of(experiment)?;
    let mut runs = Runs { catalogue: &catalogue, device, out, quick, data: BTreeMap::new(), tell };
    let datasets = catalogue.datasets(quick);
    let mut drawn = Vec::new();
    for figure in &figures {
        drawn.push(draw(&mut runs, figure, &datasets)?);
    }
    write_results(&out.join("results.jsonl"), &drawn)?;
    Ok(Reproduction {
        title: catalogue.title.clone(),
        authors: catalogue.authors.clone(),
        quick,
        figures: drawn,
        device: device.describe(),
        seconds: started.elapsed().as_secs_f64(),
    })
}

fn draw(runs: &mut Runs<'_>, figure: &Figure, datasets: &[String]) -> Result<Drawn> {
    let name = figure.slug;
    let (title, caption) = figure.plan.texts();
    let heading = format!("{}: {title}", figure.name);
    let (mut reductions, mut flows): (Vec<Measured>, Option<Compared>) = (Vec::new(), None);
    let picture = match &figure.plan {
        FigurePlan::Curves { curves, .. } => {
            let panels = curves::panels(runs, datasets, curves)?;
            plot::lines(name, &heading, &panels)?
        }
        FigurePlan::Course { cases, .. } => {
            let courses = course::courses(runs, datasets, cases)?;
            (runs.tell)(Stage::Does("an animation"));
            write(&runs.out.join(format!("{name}.gif")), &plot::animation(name, &heading, &courses)?)?;
            plot::ellipses(name, &heading, &courses)?
        }
        FigurePlan::Reduction { run, epoch, neurons, draws, .. } => {
            let plan = Reduction { run, epoch: *epoch, neurons, draws: *draws };
            for data in datasets {
                reductions.push(measure(runs, data, &plan)?);
            }
            let panels: Vec<_> = reductions.iter().flat_map(Measured::panels).collect();
            plot::lines(name, &heading, &panels)?
        }
        FigurePlan::Flows { components, time, steps, .. } => {
            (runs.tell)(Stage::Does("two gradient flows"));
            let found = flows::compare(&Flows { components: *components, time: *time, steps })?;
            let picture = plot::lines(name, &heading, &found.panels())?;
            flows = Some(found);
            picture
        }
    };
    for (ending, bytes) in [("svg", picture.svg.as_bytes()), ("png", &picture.png)] {
        write(&runs.out.join(format!("{name}.{ending}")), bytes)?;
    }
    let mut rows = Vec::new();
    for data in datasets {
        for expected in &figure.expected {
            rows.extend(expected.row(runs, data, (&reductions, flows.as_ref()))?);
        }
    }
    // On the quick set the same claim about two data sets is one row.
    rows.dedup_by(|a, b| a.what == b.what && a.data == b.data);
    Ok(Drawn { name: figure.name, title: title.to_owned(), caption: caption.to_owned(), picture, rows })
}

fn write_results(path: &Path, figures: &[Drawn]) -> Result<()> {
    let mut text = String::new();
    for figure in figures {
        for row in &figure.rows {
            let line = serde_json::to_string(&Line { figure: figure.name, row });
            text += &line.map_err(|why| Error::format(path, why.to_string()))?;
            text.push('\n');
        }
    }
    write(path, text.as_bytes())
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    write_atomic(path, |file| file.write_all(bytes).map_err(Error::io("write", path)))
}
