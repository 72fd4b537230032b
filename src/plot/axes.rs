//! Grid and axes of a panel.

use plotters::prelude::DrawingBackend;
use plotters::style::text_anchor::HPos;

use super::panel::{FAINT_INK, FRAME, Frame, GRID, Pen};
use super::scale::Scale;

impl Frame {
    /// Where `value` lies along the lower edge.
    pub(super) fn x(&self, scale: &Scale, value: f64) -> f64 {
        self.left + (self.right - self.left) * scale.position(value)
    }

    /// How high `value` lies.
    pub(super) fn y(&self, scale: &Scale, value: f64) -> f64 {
        self.bottom - (self.bottom - self.top) * scale.position(value)
    }

    /// A line across the panel and a label at each tick of the vertical scale.
    pub(super) fn grid<B: DrawingBackend>(&self, pen: &Pen<'_, B>, vertical: &Scale) -> Result<(), String> {
        for (value, label) in vertical.ticks(false) {
            let y = self.y(vertical, value);
            pen.line(vec![(self.left, y), (self.right, y)], 0.75, GRID)?;
            pen.text(&label, self.left - 8.0, y, 12.5, FAINT_INK, HPos::Right)?;
        }
        Ok(())
    }

    /// The ticks of the horizontal scale with their labels, and the line they stand on; `whole` for counts.
    pub(super) fn axis<B: DrawingBackend>(
        &self,
        pen: &Pen<'_, B>,
        horizontal: &Scale,
        whole: bool,
    ) -> Result<(), String> {
        for (value, label) in horizontal.ticks(whole) {
            let x = self.x(horizontal, value);
            pen.line(vec![(x, self.bottom), (x, self.bottom + 5.0)], 0.75, FRAME)?;
            pen.text(&label, x, self.bottom + 16.0, 12.5, FAINT_INK, HPos::Center)?;
        }
        pen.line(vec![(self.left, self.bottom), (self.right, self.bottom)], 1.0, FRAME)
    }
}
