//! A mixture's marginals over histograms of samples.

use plotters::prelude::DrawingBackend;
use plotters::style::text_anchor::HPos;

use super::panel::{BLUE, FAINT_INK, FRAME, Frame, INK, ORANGE, Pen};
use super::picture::{Drawing, Picture};
use super::scale::Scale;
use crate::Result;
use crate::certify::core::Mixture;

/// Outputs that are drawn: the first ones.
const MOST: usize = 12;
const COLUMNS: usize = 4;
const BINS: usize = 30;
const STEPS: usize = 120;
const PANEL: (f64, f64) = (220.0, 170.0);

/// Draws, for each of the first outputs, a histogram of the samples `[n, D]` and the density of the mixture's marginal.
///
/// # Errors
/// [`crate::Error::Data`] where the drawing fails.
pub fn marginals(mixture: &Mixture, samples: &[f64], title: &str) -> Result<Picture> {
    let width = mixture.width;
    let panel = |output: usize| {
        let values: Vec<f64> = samples.chunks_exact(width).map(|row| row[output]).collect();
        Marginal::new(mixture, output, &values)
    };
    let panels = (0..width.min(MOST)).map(panel).collect();
    Picture::of("marginals", &Marginals { title: title.to_owned(), panels })
}

struct Marginals {
    title: String,
    panels: Vec<Marginal>,
}

/// One output: bars of the histogram, and the density on a grid.
struct Marginal {
    output: usize,
    left: f64,
    bin: f64,
    bars: Vec<f64>,
    density: Vec<(f64, f64)>,
}

impl Marginal {
    fn new(mixture: &Mixture, output: usize, values: &[f64]) -> Self {
        let width = mixture.width;
        let laws: Vec<(f64, f64, f64)> = mixture
            .weights
            .iter()
            .enumerate()
            .map(|(c, &weight)| {
                let variance = mixture.covariances[(c * width + output) * width + output];
                (weight, mixture.means[c * width + output], variance.max(0.0).sqrt())
            })
            .collect();
        let reach = laws.iter().flat_map(|(_, m, s)| [m - 3.5 * s, m + 3.5 * s]);
        let (mut left, mut right) = values
            .iter()
            .copied()
            .chain(reach)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, r), v| (l.min(v), r.max(v)));
        if right - left <= 1e-9 * (left.abs() + right.abs()) {
            (left, right) = (left - 0.5, right + 0.5);
        }
        let bin = (right - left) / BINS as f64;
        let mut bars = vec![0.0; BINS];
        let share = 1.0 / (values.len().max(1) as f64 * bin);
        for value in values {
            bars[(((value - left) / bin) as usize).min(BINS - 1)] += share;
        }
        let at = |x: f64| -> f64 {
            // A law narrower than the picture resolves is drawn as wide as a quarter of a bin.
            let part = |&(weight, m, s): &(f64, f64, f64)| {
                let s = s.max(0.25 * bin);
                let t = (x - m) / s;
                weight * libm::exp(-0.5 * t * t) * crate::reference::normal::FRAC_1_SQRT_2PI / s
            };
            laws.iter().map(part).sum()
        };
        let grid = (0..=STEPS).map(|i| left + (right - left) * i as f64 / STEPS as f64);
        Self { output, left, bin, bars, density: grid.map(|x| (x, at(x))).collect() }
    }

    fn draw<B: DrawingBackend>(&self, pen: &Pen<'_, B>, f: Frame) -> std::result::Result<(), String> {
        let heights = self.bars.iter().copied().chain(self.density.iter().map(|(_, height)| *height));
        let Some(vertical) = Scale::from_zero(heights) else { return Ok(()) };
        let right = self.left + self.bin * BINS as f64;
        let Some(horizontal) = Scale::horizontal([self.left, right].into_iter()) else { return Ok(()) };
        let x = |value| f.left + (f.right - f.left) * horizontal.position(value);
        let y = |value| f.bottom - (f.bottom - f.top) * vertical.position(value);
        for (at, &height) in self.bars.iter().enumerate().filter(|(_, height)| **height > 0.0) {
            let (from, to) = (x(self.left + self.bin * at as f64), x(self.left + self.bin * (at as f64 + 1.0)));
            let corners = vec![(from, f.bottom), (to, f.bottom), (to, y(height)), (from, y(height))];
            pen.area(corners, ORANGE, 0.45)?;
        }
        pen.line(self.density.iter().map(|&(value, height)| (x(value), y(height))).collect(), 2.0, BLUE)?;
        pen.line(vec![(f.left, f.bottom), (f.right, f.bottom)], 1.0, FRAME)?;
        let ticks = horizontal.ticks(false);
        for (value, label) in ticks.iter().step_by(ticks.len().div_ceil(4).max(1)) {
            pen.line(vec![(x(*value), f.bottom), (x(*value), f.bottom + 4.0)], 0.75, FRAME)?;
            pen.text(label, x(*value), f.bottom + 13.0, 11.0, FAINT_INK, HPos::Center)?;
        }
        pen.text(&format!("output {}", self.output), f.left, f.top - 10.0, 12.0, INK, HPos::Left)
    }
}

impl Drawing for Marginals {
    fn size(&self) -> (u32, u32) {
        let columns = self.panels.len().clamp(2, COLUMNS) as f64;
        let rows = self.panels.len().div_ceil(COLUMNS) as f64;
        ((40.0 + columns * PANEL.0) as u32, (84.0 + rows * PANEL.1) as u32)
    }

    fn draw<B: DrawingBackend>(&self, pen: &Pen<'_, B>) -> std::result::Result<(), String> {
        pen.text(&self.title, 24.0, 28.0, 17.0, INK, HPos::Left)?;
        for (name, color, x) in [("samples of the network", ORANGE, 30.0), ("mixture", BLUE, 216.0)] {
            pen.dot((x, 52.0), 4.5, color)?;
            pen.text(name, x + 11.0, 52.0, 13.0, INK, HPos::Left)?;
        }
        for (at, panel) in self.panels.iter().enumerate() {
            let left = 24.0 + PANEL.0 * (at % COLUMNS) as f64;
            let top = 92.0 + PANEL.1 * (at / COLUMNS) as f64;
            panel.draw(pen, Frame { left, top, right: left + PANEL.0 - 24.0, bottom: top + PANEL.1 - 62.0 })?;
        }
        Ok(())
    }
}
