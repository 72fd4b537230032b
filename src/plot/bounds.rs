//! The bounds of a certification, input by input, and the sampled distances beside them.

use plotters::prelude::DrawingBackend;
use plotters::style::text_anchor::HPos;

use super::panel::{BLUE, FRAME, Frame, INK, ORANGE, Pen};
use super::picture::{Drawing, Picture};
use super::scale::Scale;
use crate::Result;
use crate::certify::Record;

/// Dots get no denser than this: more would not be seen, and would make the SVG heavy.
const MOST: usize = 400;

const FRAME_OF_PANEL: Frame = Frame { left: 78.0, top: 92.0, right: 640.0, bottom: 362.0 };

/// Draws the relative bounds in increasing order and, where there are samples, the distance of samples of both laws for each input
/// and that of two samples of the network: where the dots lie together, samples see no difference, however far both are from 0.
///
/// # Errors
/// [`crate::Error::Data`] where the drawing fails.
pub fn bounds(records: &[Record], title: &str) -> Result<Picture> {
    let mut order: Vec<&Record> = records.iter().collect();
    order.sort_by(|a, b| a.relative_bound.total_cmp(&b.relative_bound));
    let relative = |record: &Record, value: f64| value / record.second_moment.sqrt();
    let pick = |value: &dyn Fn(&Record) -> Option<f64>| -> Vec<(f64, f64)> {
        // Counted from the end, so that the worst is among them.
        let points = order.iter().enumerate().rev().step_by(order.len().div_ceil(MOST).max(1));
        points.filter_map(|(rank, record)| Some((rank as f64 + 1.0, value(record)?))).collect()
    };
    let figure = Bounds {
        title: title.to_owned(),
        count: records.len(),
        bound: pick(&|record| Some(record.relative_bound)),
        distance: pick(&|record| record.empirical.as_ref().map(|e| relative(record, e.distance))),
        floor: pick(&|record| record.empirical.as_ref().map(|e| relative(record, e.floor))),
    };
    Picture::of("bounds", &figure)
}

struct Bounds {
    title: String,
    count: usize,
    bound: Vec<(f64, f64)>,
    distance: Vec<(f64, f64)>,
    floor: Vec<(f64, f64)>,
}

impl Drawing for Bounds {
    fn size(&self) -> (u32, u32) {
        (680, 420)
    }

    fn draw<B: DrawingBackend>(&self, pen: &Pen<'_, B>) -> std::result::Result<(), String> {
        pen.text(&self.title, 24.0, 28.0, 17.0, INK, HPos::Left)?;
        let values = || self.bound.iter().chain(&self.distance).chain(&self.floor).map(|(_, value)| *value);
        let Some(vertical) = Scale::vertical(values()) else { return Ok(()) };
        let Some(horizontal) = Scale::horizontal([1.0, self.count as f64].into_iter()) else { return Ok(()) };
        let f = FRAME_OF_PANEL;
        let x = |value| f.x(&horizontal, value);
        let y = |value| f.y(&vertical, value);
        f.grid(pen, &vertical)?;
        f.axis(pen, &horizontal, true)?;
        let middle = (f.left + f.right) / 2.0;
        pen.text("inputs, in the order of their bounds", middle, f.bottom + 37.0, 13.0, INK, HPos::Center)?;
        pen.text("relative W2 distance", f.left, f.top - 22.0, 13.5, INK, HPos::Left)?;
        // The floor's dots are larger, so that they show where both lie in one place.
        for (points, radius, color) in [(&self.floor, 3.25, FRAME), (&self.distance, 2.0, ORANGE)] {
            points.iter().try_for_each(|&(rank, value)| pen.dot((x(rank), y(value)), radius, color))?;
        }
        if self.bound.len() > 1 {
            pen.line(self.bound.iter().map(|&(rank, value)| (x(rank), y(value))).collect(), 2.25, BLUE)?;
        }
        if self.bound.len() < 40 {
            self.bound.iter().try_for_each(|&(rank, value)| pen.dot((x(rank), y(value)), 3.0, BLUE))?;
        }
        self.legend(pen)
    }
}

impl Bounds {
    fn legend<B: DrawingBackend>(&self, pen: &Pen<'_, B>) -> std::result::Result<(), String> {
        let y = FRAME_OF_PANEL.top - 22.0;
        let mut entries = vec![("proven bound", BLUE, 128.0)];
        if !self.distance.is_empty() {
            entries = vec![("samples of one law", FRAME, 158.0), ("samples of both", ORANGE, 140.0), entries[0]];
        }
        let mut right = FRAME_OF_PANEL.right;
        for (name, color, width) in entries {
            pen.text(name, right, y, 13.0, INK, HPos::Right)?;
            pen.dot((right - width + 20.0, y), 4.0, color)?;
            right -= width;
        }
        Ok(())
    }
}
