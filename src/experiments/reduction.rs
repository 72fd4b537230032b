//! Figure 6: networks of neurons drawn from a trained GM layer, against the layer.

use super::runs::{Runs, Stage};
use crate::data::{Dataset, Targets};
use crate::math::statistics::mean_and_error;
use crate::nn::{Model, sample_neurons};
use crate::plot::{Line, LinePoint, LinesPanel};
use crate::train::predict;
use crate::{Error, Result};

/// What is drawn from which layers.
pub(super) struct Reduction<'a> {
    pub(super) run: &'a str,
    pub(super) epoch: u64,
    pub(super) neurons: &'a [usize],
    pub(super) draws: usize,
}

/// Networks of one size, drawn several times.
#[derive(Clone, Debug)]
pub(super) struct Size {
    neurons: usize,
    /// Test error of every draw, as a fraction.
    errors: Vec<f64>,
    /// Root mean square distance of the logits from the layer's, of every draw.
    distances: Vec<f64>,
}

/// What was measured on one data set.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    pub(super) data: String,
    /// Test errors of the layers themselves.
    layers: Vec<f64>,
    sizes: Vec<Size>,
}

/// Sizes and draws that `--quick` keeps.
const QUICK: (usize, usize) = (300, 2);

pub(super) fn measure(runs: &mut Runs<'_>, data: &str, plan: &Reduction<'_>) -> Result<Measured> {
    let done = runs.get(plan.run, data)?;
    (runs.tell)(Stage::Does("networks of drawn neurons"));
    let (most, draws) = if runs.quick { QUICK } else { (usize::MAX, plan.draws) };
    // Every draw is an independent trial: a layer of its own where there are as many seeds.
    let seeds = done.settings.seeds.iter().cycle().take(draws.max(1));
    let models: Vec<Model> = seeds
        .map(|&seed| {
            let kept = done.snapshots(seed)?;
            let wanted = kept.iter().rfind(|(epoch, _)| *epoch <= plan.epoch);
            let (_, path) = wanted.ok_or_else(|| Error::data(done.folder.path(), "no snapshot is early enough"))?;
            Model::read(path, None)
        })
        .collect::<Result<_>>()?;
    let device = runs.device;
    let set = runs.dataset(data)?;
    let outputs = |model: &Model| predict(device, model, set.test.features.clone());
    let exact: Vec<Vec<f32>> = models.iter().map(outputs).collect::<Result<_>>()?;
    let layers = exact.iter().map(|logits| error(set, logits)).collect::<Result<_>>()?;
    let mut sizes = Vec::new();
    for &neurons in plan.neurons.iter().filter(|&&neurons| neurons <= most) {
        let mut size = Size { neurons, errors: Vec::new(), distances: Vec::new() };
        for (draw, (model, exact)) in models.iter().zip(&exact).enumerate() {
            let logits = outputs(&sample_neurons(model, neurons, draw as u64)?)?;
            size.errors.push(error(set, &logits)?);
            let squares = logits.iter().zip(exact).map(|(a, b)| f64::from(a - b) * f64::from(a - b));
            size.distances.push((squares.sum::<f64>() / logits.len() as f64).sqrt());
        }
        sizes.push(size);
    }
    Ok(Measured { data: data.to_owned(), layers, sizes })
}

/// The share of wrong classes, with class 0 as the reference with logit 0.
fn error(set: &Dataset, logits: &[f32]) -> Result<f64> {
    let Targets::Classes { labels, .. } = &set.test.targets else {
        return Err(Error::Config(format!("{} has no classes", set.name)));
    };
    let wrong = |(row, &label): (&[f32], &_)| {
        let (mut best, mut class) = (0.0_f32, 0_usize);
        for (at, &logit) in row.iter().enumerate() {
            if logit > best {
                (best, class) = (logit, at + 1);
            }
        }
        class != label as usize
    };
    let rows = logits.chunks_exact(logits.len() / labels.len().max(1)).zip(labels);
    Ok(rows.filter(|&row| wrong(row)).count() as f64 / labels.len() as f64)
}

impl Measured {
    /// Slope of the logits' distance against `m`, both logarithmic: least squares over all draws, and its standard error.
    pub(super) fn slope(&self) -> (f64, f64) {
        let points: Vec<(f64, f64)> = self
            .sizes
            .iter()
            .flat_map(|size| size.distances.iter().map(|d| ((size.neurons as f64).ln(), d.ln())))
            .collect();
        let n = points.len() as f64;
        let (x, y) = points.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0 / n, sum.1 + point.1 / n));
        let (sxx, sxy) =
            points.iter().fold((0.0, 0.0), |sum, p| (sum.0 + (p.0 - x) * (p.0 - x), sum.1 + (p.0 - x) * (p.1 - y)));
        let slope = sxy / sxx;
        let rest: f64 = points.iter().map(|p| (p.1 - y - slope * (p.0 - x)).powi(2)).sum();
        (slope, (rest / (n - 2.0).max(1.0) / sxx).sqrt())
    }

    /// By how much the largest networks err more than the layers: mean, and standard error.
    pub(super) fn gap(&self) -> (f64, f64) {
        let Some(last) = self.sizes.last() else { return (f64::NAN, 0.0) };
        let gaps: Vec<f64> = last.errors.iter().zip(&self.layers).map(|(network, layer)| network - layer).collect();
        mean_and_error(&gaps)
    }

    /// How many networks of each size there are.
    pub(super) fn draws(&self) -> usize {
        self.layers.len()
    }

    /// Test error, and distance of the logits with the line of slope −½ through its first point.
    pub(super) fn panels(&self) -> [LinesPanel; 2] {
        let line = |label: &str, value: &dyn Fn(&Size) -> Vec<f64>| {
            let point = |size: &Size| {
                let (mean, spread) = mean_and_error(&value(size));
                LinePoint { x: size.neurons as f64, mean, spread }
            };
            Line { label: label.to_owned(), points: self.sizes.iter().map(point).collect(), reference: false }
        };
        let percent = |values: &[f64]| values.iter().map(|value| 100.0 * value).collect::<Vec<f64>>();
        let (layer, _) = mean_and_error(&percent(&self.layers));
        let level = |size: &Size| LinePoint { x: size.neurons as f64, mean: layer, spread: 0.0 };
        let reference = |label: &str, points| Line { label: label.to_owned(), points, reference: true };
        let errors = vec![
            line("drawn network", &|size| percent(&size.errors)),
            reference("GM layer", self.sizes.iter().map(level).collect()),
        ];
        let distance = line("drawn network", &|size| size.distances.clone());
        let root = distance.points.first().map(|first| first.mean * first.x.sqrt()).unwrap_or(0.0);
        let ideal = |size: &Size| {
            let x = size.neurons as f64;
            LinePoint { x, mean: root / x.sqrt(), spread: 0.0 }
        };
        let distances = vec![distance, reference("1/√m", self.sizes.iter().map(ideal).collect())];
        let panel = |y: &str, log_y, lines| LinesPanel {
            title: self.data.clone(),
            x: "neurons m".to_owned(),
            y: y.to_owned(),
            log_x: true,
            log_y,
            lines,
        };
        [
            panel("test error (%)", false, errors),
            panel("root mean square distance to the layer's logits", true, distances),
        ]
    }
}
