//! What the bounds of a certification are made of: their terms, stacked.

use plotters::prelude::{DrawingBackend, RGBColor};
use plotters::style::text_anchor::HPos;

use super::panel::{FRAME, Frame, INK, Pen};
use super::picture::{Drawing, Picture};
use super::scale::Scale;
use crate::Result;
use crate::certify::{Record, kind_text};

/// Columns at most; neighbours are averaged.
const MOST: usize = 240;

/// Width of a bar at most, in CSS pixels.
const WIDEST: f64 = 120.0;

const FRAME_OF_PANEL: Frame = Frame { left: 78.0, top: 92.0, right: 560.0, bottom: 362.0 };

/// Distinct for most kinds of colour blindness (Okabe and Ito), then repeated.
const COLORS: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(213, 94, 0),
    RGBColor(240, 228, 66),
    RGBColor(150, 150, 150),
];

/// Draws the terms of every input's bound, stacked by layer and kind, in the order of the relative bounds. Heights are
/// relative too, so that a stack is as high as the relative bound.
///
/// # Errors
/// [`crate::Error::Data`] where the drawing fails.
pub fn terms(records: &[Record], title: &str) -> Result<Picture> {
    let mut order: Vec<&Record> = records.iter().collect();
    order.sort_by(|a, b| a.relative_bound.total_cmp(&b.relative_bound));
    let mut keys: Vec<(usize, &str)> = Vec::new();
    for term in order.iter().flat_map(|record| &record.terms).filter(|term| term.value > 0.0) {
        if !keys.contains(&(term.layer, &term.kind)) {
            keys.push((term.layer, &term.kind));
        }
    }
    keys.sort_unstable();
    let height = |record: &Record, key: (usize, &str)| -> f64 {
        let of_key = record.terms.iter().filter(|term| (term.layer, term.kind.as_str()) == key);
        let sum: f64 = of_key.map(|term| term.value).sum();
        if record.bound > 0.0 { sum / record.bound * record.relative_bound } else { 0.0 }
    };
    let column = |records: &[&Record]| -> Vec<f64> {
        let mean = |&key: &(usize, &str)| records.iter().map(|r| height(r, key)).sum::<f64>() / records.len() as f64;
        keys.iter().map(mean).collect()
    };
    let columns: Vec<Vec<f64>> = order.chunks(order.len().div_ceil(MOST).max(1)).map(column).collect();
    let largest = |key: usize| columns.iter().map(|column| column[key]).fold(0.0, f64::max);
    let tallest = columns.iter().map(|column| column.iter().sum::<f64>()).fold(0.0, f64::max);
    // What nobody could see in the picture is not in the legend either.
    let seen: Vec<usize> = (0..keys.len()).filter(|&key| largest(key) > 0.002 * tallest).collect();
    let names = seen.iter().map(|&key| format!("{} in layer {}", kind_text(keys[key].1), keys[key].0));
    let columns = columns.iter().map(|column| seen.iter().map(|&key| column[key]).collect()).collect();
    let figure = Terms { title: title.to_owned(), count: records.len(), names: names.collect(), columns };
    Picture::of("terms", &figure)
}

struct Terms {
    title: String,
    count: usize,
    names: Vec<String>,
    /// Heights of the terms, by column.
    columns: Vec<Vec<f64>>,
}

impl Drawing for Terms {
    fn size(&self) -> (u32, u32) {
        (800, 420)
    }

    fn draw<B: DrawingBackend>(&self, pen: &Pen<'_, B>) -> std::result::Result<(), String> {
        pen.text(&self.title, 24.0, 28.0, 17.0, INK, HPos::Left)?;
        let f = FRAME_OF_PANEL;
        pen.text("parts of the relative bound", f.left, f.top - 22.0, 13.5, INK, HPos::Left)?;
        let sums = self.columns.iter().map(|column| column.iter().sum::<f64>());
        let Some(vertical) = Scale::from_zero(sums) else { return Ok(()) };
        let y = |value| f.y(&vertical, value);
        f.grid(pen, &vertical)?;
        let width = (f.right - f.left) / self.columns.len().max(1) as f64;
        // A gap shows bars as bars, as long as it would not eat them up.
        let gap = if width > 12.0 { (0.12 * width).max((width - WIDEST) / 2.0) } else { 0.0 };
        for (at, column) in self.columns.iter().enumerate() {
            let (left, right) = (f.left + width * at as f64 + gap, f.left + width * (at as f64 + 1.0) - gap);
            let mut below = 0.0;
            for (key, height) in column.iter().enumerate().filter(|(_, height)| **height > 0.0) {
                let (low, high) = (y(below), y(below + height));
                let corners = vec![(left, low), (right, low), (right, high), (left, high)];
                pen.area(corners, COLORS[key % COLORS.len()], 1.0)?;
                below += height;
            }
        }
        pen.line(vec![(f.left, f.bottom), (f.right, f.bottom)], 1.0, FRAME)?;
        let plural =
            if self.count == 1 { "one input".to_owned() } else { "inputs, in the order of their bounds".to_owned() };
        pen.text(&plural, (f.left + f.right) / 2.0, f.bottom + 20.0, 13.0, INK, HPos::Center)?;
        // From the top down, as the stacks are.
        for (row, (key, name)) in self.names.iter().enumerate().rev().enumerate() {
            let middle = f.top + 10.0 + 24.0 * row as f64;
            let (left, low, high) = (f.right + 22.0, middle + 6.0, middle - 6.0);
            let corners = vec![(left, low), (left + 12.0, low), (left + 12.0, high), (left, high)];
            pen.area(corners, COLORS[key % COLORS.len()], 1.0)?;
            pen.text(name, left + 20.0, middle, 13.0, INK, HPos::Left)?;
        }
        Ok(())
    }
}
