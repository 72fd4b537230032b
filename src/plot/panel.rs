//! One panel of a figure: axes, grid and the curves of one quantity.

use plotters::coord::Shift;
use plotters::element::{Circle, PathElement, Polygon, Text};
use plotters::prelude::{Color, DrawingArea, DrawingBackend, IntoFont, RGBColor};
use plotters::style::TextStyle;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::metrics::Split;
use super::picture::{FINE, FONT};
use super::scale::Scale;
use super::series::{Axis, Point, Series};

pub(super) const INK: RGBColor = RGBColor(38, 38, 38);
pub(super) const FAINT_INK: RGBColor = RGBColor(96, 96, 96);
pub(super) const GRID: RGBColor = RGBColor(228, 228, 228);
pub(super) const FRAME: RGBColor = RGBColor(150, 150, 150);
// Blue and orange differ for every common kind of colour blindness, and in lightness, so in print too.
pub(super) const BLUE: RGBColor = RGBColor(31, 90, 145);
pub(super) const ORANGE: RGBColor = RGBColor(222, 139, 52);

/// A rectangle in CSS pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

/// The curves of one quantity and where to draw them.
pub(super) struct Panel {
    pub(super) label: &'static str,
    pub(super) series: Vec<Series>,
    pub(super) axis: Axis,
    pub(super) frame: Frame,
}

/// Draws in CSS pixels on an area that counts in finer units.
pub(super) struct Pen<'a, B: DrawingBackend> {
    pub(super) area: &'a DrawingArea<B, Shift>,
    /// How far down text is moved, as a share of its size, to be centred as SVG readers centre it.
    pub(super) drop: f64,
}

impl<B: DrawingBackend> Pen<'_, B> {
    /// Writes `text` at `(x, y)`, anchored by `h` and centred vertically.
    pub(super) fn text(&self, text: &str, x: f64, y: f64, size: f64, color: RGBColor, h: HPos) -> Result<(), String> {
        // Back ends take the line height; 1.24 of it is the size of the letters' em.
        let style = TextStyle::from((FONT, size * 1.24 * f64::from(FINE)).into_font())
            .color(&color)
            .pos(Pos::new(h, VPos::Center));
        self.area.draw(&Text::new(text, fine(x, y + self.drop * size), style)).map_err(|why| why.to_string())
    }

    pub(super) fn line(&self, points: Vec<(f64, f64)>, width: f64, color: RGBColor) -> Result<(), String> {
        let points: Vec<_> = points.into_iter().map(|(x, y)| fine(x, y)).collect();
        let style = color.stroke_width((width * f64::from(FINE)).round() as u32);
        self.area.draw(&PathElement::new(points, style)).map_err(|why| why.to_string())
    }

    /// Fills a polygon; `strength` is how much of the colour is mixed with what lies below.
    pub(super) fn area(&self, points: Vec<(f64, f64)>, color: RGBColor, strength: f64) -> Result<(), String> {
        let points: Vec<_> = points.into_iter().map(|(x, y)| fine(x, y)).collect();
        self.area.draw(&Polygon::new(points, color.mix(strength))).map_err(|why| why.to_string())
    }

    pub(super) fn dot(&self, (x, y): (f64, f64), radius: f64, color: RGBColor) -> Result<(), String> {
        let radius = (radius * f64::from(FINE)) as i32;
        self.area.draw(&Circle::new(fine(x, y), radius, color.filled())).map_err(|why| why.to_string())
    }
}

fn fine(x: f64, y: f64) -> (i32, i32) {
    ((x * f64::from(FINE)).round() as i32, (y * f64::from(FINE)).round() as i32)
}

impl Panel {
    /// Draws the panel, or nothing when it has no points.
    pub(super) fn draw<B: DrawingBackend>(&self, pen: &Pen<'_, B>) -> Result<(), String> {
        let points = || self.series.iter().flat_map(|s| &s.points);
        let Some(vertical) = Scale::vertical(points().flat_map(band)) else { return Ok(()) };
        let Some(horizontal) = Scale::horizontal(points().map(|p| p.x)) else { return Ok(()) };
        let f = self.frame;
        let x = |value| f.x(&horizontal, value);
        let y = |value| f.y(&vertical, value);

        f.grid(pen, &vertical)?;
        f.axis(pen, &horizontal, true)?;
        pen.text(self.axis.label(), (f.left + f.right) / 2.0, f.bottom + 37.0, 13.0, INK, HPos::Center)?;
        pen.text(self.label, f.left, f.top - 18.0, 13.5, INK, HPos::Left)?;

        for series in &self.series {
            let (color, _) = look(series.split);
            if series.points.iter().any(|p| p.spread > 0.0) {
                let edge = |side: usize| series.points.iter().map(move |p| (x(p.x), y(band(p)[side])));
                pen.area(edge(0).chain(edge(1).collect::<Vec<_>>().into_iter().rev()).collect(), color, 0.2)?;
            }
        }
        for series in &self.series {
            let (color, width) = look(series.split);
            if series.points.len() > 1 {
                pen.line(series.points.iter().map(|p| (x(p.x), y(p.mean))).collect(), width, color)?;
            }
            if let Some(last) = series.points.last() {
                pen.dot((x(last.x), y(last.mean)), 3.5, color)?;
            }
        }
        self.legend(pen)?;
        self.last_values(pen, y)
    }

    /// Names the curves, right-aligned above the panel where no curve can be in the way.
    fn legend<B: DrawingBackend>(&self, pen: &Pen<'_, B>) -> Result<(), String> {
        let y = self.frame.top - 18.0;
        let mut right = self.frame.right;
        for series in self.series.iter().rev() {
            let (color, width) = look(series.split);
            pen.text(name(series.split), right - 32.0, y, 13.0, INK, HPos::Left)?;
            pen.line(vec![(right - 62.0, y), (right - 40.0, y)], width, color)?;
            right -= 82.0;
        }
        Ok(())
    }

    /// Writes each curve's last value beside its end, moved apart where they would overlap.
    fn last_values<B: DrawingBackend>(&self, pen: &Pen<'_, B>, y: impl Fn(f64) -> f64) -> Result<(), String> {
        let mut ends: Vec<_> =
            self.series.iter().filter_map(|s| s.points.last().map(|p| (y(p.mean), p.mean, look(s.split).0))).collect();
        ends.sort_by(|a, b| a.0.total_cmp(&b.0));
        if let [upper, lower] = ends.as_mut_slice() {
            let overlap = (15.0 - (lower.0 - upper.0)).max(0.0);
            // The lower label stays above the axis, so near it the upper one makes all the room.
            let down = (overlap / 2.0).min((self.frame.bottom - 4.0 - lower.0).max(0.0));
            lower.0 += down;
            upper.0 -= overlap - down;
        }
        for (y, value, color) in ends {
            pen.text(&significant(value), self.frame.right + 8.0, y, 12.5, color, HPos::Left)?;
        }
        Ok(())
    }
}

/// Three significant digits, as far as that reads well.
fn significant(value: f64) -> String {
    match value.abs() {
        size if size != 0.0 && !(1e-3..1e5).contains(&size) => format!("{value:.1e}"),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

fn band(point: &Point) -> [f64; 2] {
    let low = point.mean - point.spread;
    // A mean of positive values keeps its logarithm even where the band reaches below zero.
    [if low <= 0.0 && point.mean > 0.0 { point.mean * 0.5 } else { low }, point.mean + point.spread]
}

fn look(split: Split) -> (RGBColor, f64) {
    match split {
        Split::Train => (ORANGE, 1.75),
        Split::Test => (BLUE, 2.25),
    }
}

fn name(split: Split) -> &'static str {
    match split {
        Split::Train => "train",
        Split::Test => "test",
    }
}
