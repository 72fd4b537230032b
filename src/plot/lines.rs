//! Panels of labelled curves with bands: the figures of experiments.

use plotters::prelude::{DrawingBackend, RGBColor};
use plotters::style::text_anchor::HPos;

use super::panel::{BLUE, FAINT_INK, Frame, INK, ORANGE, Pen};
use super::picture::{Drawing, Picture};
use super::scale::Scale;
use crate::Result;

/// A point of a [`Line`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinePoint {
    /// Where on the horizontal axis.
    pub x: f64,
    /// Mean of the measurements.
    pub mean: f64,
    /// Standard error of the mean; 0 for one measurement.
    pub spread: f64,
}

/// A labelled curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Its name in the legend.
    pub label: String,
    /// From left to right.
    pub points: Vec<LinePoint>,
    /// Whether it is a reference rather than a measurement: thin and dashed.
    pub reference: bool,
}

/// Axes with curves.
#[derive(Clone, Debug, PartialEq)]
pub struct LinesPanel {
    /// What stands above it.
    pub title: String,
    /// What the horizontal axis counts.
    pub x: String,
    /// What the vertical axis measures.
    pub y: String,
    /// Whether the horizontal axis is logarithmic.
    pub log_x: bool,
    /// Whether the vertical axis is logarithmic whatever it spans.
    pub log_y: bool,
    /// The curves; those without a finite point are left out.
    pub lines: Vec<Line>,
}

/// Colours that differ for every common kind of colour blindness (Okabe and Ito).
const COLORS: [RGBColor; 6] =
    [BLUE, ORANGE, RGBColor(0, 140, 105), RGBColor(190, 105, 155), RGBColor(110, 110, 110), RGBColor(160, 80, 20)];

const PANEL: (f64, f64) = (500.0, 430.0);
const LEGEND_ROW: f64 = 18.0;

/// Draws panels side by side, two in a row.
///
/// # Errors
/// [`crate::Error::Data`] where the drawing fails.
pub fn lines(name: &str, title: &str, panels: &[LinesPanel]) -> Result<Picture> {
    Picture::of(name, &Lines { title, panels })
}

struct Lines<'a> {
    title: &'a str,
    panels: &'a [LinesPanel],
}

impl Lines<'_> {
    /// Rows that the longest legend takes.
    fn legend(&self) -> f64 {
        let rows = self.panels.iter().map(|panel| panel.lines.len().div_ceil(2)).max().unwrap_or(0);
        rows as f64 * LEGEND_ROW
    }
}

impl Drawing for Lines<'_> {
    fn size(&self) -> (u32, u32) {
        let columns = self.panels.len().clamp(1, 2) as f64;
        let rows = self.panels.len().div_ceil(2) as f64;
        // A title is about so wide.
        let title = 48.0 + 8.8 * self.title.chars().count() as f64;
        ((columns * PANEL.0).max(title) as u32, (44.0 + rows * (PANEL.1 + self.legend())) as u32)
    }

    fn draw<B: DrawingBackend>(&self, pen: &Pen<'_, B>) -> std::result::Result<(), String> {
        pen.text(self.title, 24.0, 28.0, 17.0, INK, HPos::Left)?;
        for (at, panel) in self.panels.iter().enumerate() {
            let left = PANEL.0 * (at % 2) as f64 + 66.0;
            let height = PANEL.1 + self.legend();
            let top = 44.0 + height * (at / 2) as f64;
            let frame =
                Frame { left, top: top + 68.0 + self.legend(), right: left + 404.0, bottom: top + height - 58.0 };
            panel.draw(pen, frame, top + 24.0)?;
        }
        Ok(())
    }
}

impl LinesPanel {
    fn draw<B: DrawingBackend>(&self, pen: &Pen<'_, B>, f: Frame, top: f64) -> std::result::Result<(), String> {
        pen.text(&self.title, f.left, top, 14.5, INK, HPos::Left)?;
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let ends = |p: &LinePoint| [if p.mean > p.spread { p.mean - p.spread } else { p.mean }, p.mean + p.spread];
        let heights = || points().flat_map(ends);
        let vertical = if self.log_y { Scale::logarithmic(heights()) } else { Scale::vertical(heights()) };
        let Some(vertical) = vertical else { return Ok(()) };
        let across = || points().map(|p| p.x);
        let horizontal = if self.log_x { Scale::logarithmic(across()) } else { Scale::horizontal(across()) };
        let Some(horizontal) = horizontal else { return Ok(()) };
        let (x, y) = (|value| f.x(&horizontal, value), |value| f.y(&vertical, value));
        f.grid(pen, &vertical)?;
        f.axis(pen, &horizontal, points().all(|p| p.x.fract() == 0.0))?;
        pen.text(&self.x, (f.left + f.right) / 2.0, f.bottom + 37.0, 13.0, INK, HPos::Center)?;
        pen.text(&self.y, f.left, f.top - 16.0, 13.0, FAINT_INK, HPos::Left)?;
        for (at, line) in self.lines.iter().enumerate() {
            let color = COLORS[at % COLORS.len()];
            if line.points.iter().any(|p| p.spread > 0.0) {
                let edge = |side: usize| line.points.iter().map(move |p| (x(p.x), y(ends(p)[side])));
                pen.area(edge(0).chain(edge(1).collect::<Vec<_>>().into_iter().rev()).collect(), color, 0.2)?;
            }
            let path: Vec<(f64, f64)> = line.points.iter().map(|p| (x(p.x), y(p.mean))).collect();
            line.stroke(pen, path, color)?;
            let place = (f.left + 202.0 * (at % 2) as f64, top + 20.0 + LEGEND_ROW * (at / 2) as f64);
            line.stroke(pen, vec![place, (place.0 + 24.0, place.1)], color)?;
            pen.text(&line.label, place.0 + 32.0, place.1, 13.0, INK, HPos::Left)?;
        }
        Ok(())
    }
}

impl Line {
    fn stroke<B: DrawingBackend>(
        &self,
        pen: &Pen<'_, B>,
        path: Vec<(f64, f64)>,
        color: RGBColor,
    ) -> std::result::Result<(), String> {
        if let [only] = path[..] {
            return pen.dot(only, 3.5, color);
        }
        if !self.reference {
            return pen.line(path, 2.0, color);
        }
        dashes(&path).into_iter().try_for_each(|dash| pen.line(dash, 1.5, color))
    }
}

/// A path cut into dashes of 6 and gaps of 4 CSS pixels.
fn dashes(path: &[(f64, f64)]) -> Vec<Vec<(f64, f64)>> {
    const DASH: f64 = 6.0;
    const PERIOD: f64 = 10.0;
    let mut out = Vec::new();
    let mut walked = 0.0_f64;
    for pair in path.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        let length = (x1 - x0).hypot(y1 - y0);
        let at = |along: f64| (x0 + (x1 - x0) * along / length, y0 + (y1 - y0) * along / length);
        let mut start = (walked / PERIOD).floor() * PERIOD - walked;
        while start < length {
            let (from, to) = (start.max(0.0), (start + DASH).min(length));
            if to > from {
                out.push(vec![at(from), at(to)]);
            }
            start += PERIOD;
        }
        walked += length;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::dashes;

    #[test]
    fn dashes_go_on_round_corners() {
        let cut = dashes(&[(0.0, 0.0), (8.0, 0.0), (8.0, 20.0)]);
        assert_eq!(cut[0], [(0.0, 0.0), (6.0, 0.0)]);
        // 8 pixels are behind at the corner: the next dash begins 2 further on.
        assert_eq!(cut[1], [(8.0, 2.0), (8.0, 8.0)]);
        assert_eq!(cut.len(), 3);
    }
}
