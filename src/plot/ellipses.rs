//! The course of Gaussians in a plane: covariance ellipses and dots that grow opaque with time (Figure 4).

use glam::{DMat2, DVec2};
use plotters::prelude::{DrawingBackend, RGBColor};
use plotters::style::text_anchor::HPos;

use super::panel::{BLUE, FAINT_INK, FRAME, Frame, INK, ORANGE, Pen};
use super::picture::{Drawing, Picture};
use crate::Result;

/// A Gaussian in the plane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gaussian2 {
    /// Its mean.
    pub mean: DVec2,
    /// Its covariance, symmetric.
    pub covariance: DMat2,
}

impl Gaussian2 {
    /// The ellipse of one standard deviation as a closed path: `mean + √Σ (cos, sin)`.
    fn ellipse(&self) -> Vec<DVec2> {
        const STEPS: u32 = 72;
        let root = self.root();
        let angle = |step: u32| std::f64::consts::TAU * f64::from(step) / f64::from(STEPS);
        (0..=STEPS).map(|step| self.mean + root * DVec2::from_angle(angle(step))).collect()
    }

    /// `√Σ` of a 2 × 2 matrix: `(Σ + √det I)/√(tr + 2√det)`.
    fn root(&self) -> DMat2 {
        let det = self.covariance.determinant().max(0.0).sqrt();
        let trace = self.covariance.x_axis.x + self.covariance.y_axis.y + 2.0 * det;
        if trace > 0.0 { (self.covariance + DMat2::IDENTITY * det) * (1.0 / trace.sqrt()) } else { DMat2::ZERO }
    }
}

/// What one panel shows: at every time a Gaussian of each component and a neuron for each dot.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    /// What stands above it.
    pub title: String,
    /// `[times][components]`.
    pub components: Vec<Vec<Gaussian2>>,
    /// `[times][neurons]`.
    pub neurons: Vec<Vec<DVec2>>,
}

const COLORS: [RGBColor; 5] = [BLUE, ORANGE, RGBColor(0, 140, 105), RGBColor(190, 105, 155), RGBColor(110, 110, 110)];
const PANEL: f64 = 420.0;
const MARGIN: f64 = 20.0;

/// Times that are drawn in a still picture.
const STILLS: usize = 12;

/// Draws all courses, two in a row, with some of their times over one another.
///
/// # Errors
/// [`crate::Error::Data`] where the drawing fails.
pub fn ellipses(name: &str, title: &str, courses: &[Course]) -> Result<Picture> {
    Picture::of(name, &Ellipses { title, courses, until: None })
}

/// The same at one time, with faint traces of what was before, as a PNG frame of an animation. `time` counts from 0.
///
/// # Errors
/// [`crate::Error::Data`] where the drawing fails.
pub(super) fn ellipses_at(name: &str, title: &str, courses: &[Course], time: usize) -> Result<Vec<u8>> {
    Ok(Picture::of(name, &Ellipses { title, courses, until: Some(time) })?.png)
}

struct Ellipses<'a> {
    title: &'a str,
    courses: &'a [Course],
    until: Option<usize>,
}

impl Drawing for Ellipses<'_> {
    fn size(&self) -> (u32, u32) {
        let columns = self.courses.len().clamp(1, 2) as f64;
        let rows = self.courses.len().div_ceil(2) as f64;
        ((columns * (PANEL + MARGIN) + MARGIN) as u32, (76.0 + rows * (PANEL + 44.0)) as u32)
    }

    fn draw<B: DrawingBackend>(&self, pen: &Pen<'_, B>) -> std::result::Result<(), String> {
        pen.text(self.title, MARGIN, 28.0, 17.0, INK, HPos::Left)?;
        let note = "ellipses: components of the GM layer · dots: neurons of the dense network · fainter: earlier";
        pen.text(note, MARGIN, 52.0, 12.5, FAINT_INK, HPos::Left)?;
        for (at, course) in self.courses.iter().enumerate() {
            let left = MARGIN + (PANEL + MARGIN) * (at % 2) as f64;
            let top = 108.0 + (PANEL + 44.0) * (at / 2) as f64;
            let frame = Frame { left, top, right: left + PANEL, bottom: top + PANEL - 10.0 };
            course.draw(pen, frame, self.until)?;
        }
        Ok(())
    }
}

impl Course {
    /// The times that are drawn, each with its strength between 0 and 1.
    fn times(&self, until: Option<usize>) -> Vec<(usize, f64)> {
        let last = self.components.len().max(self.neurons.len()).saturating_sub(1);
        let end = until.unwrap_or(last).min(last);
        let stride = (last / STILLS).max(1);
        let mut times: Vec<usize> = (0..=end).step_by(stride).chain([end]).collect();
        times.dedup();
        let share = |time: usize| if end == 0 { 1.0 } else { time as f64 / end as f64 };
        times.into_iter().map(|time| (time, 0.12 + 0.88 * share(time).powi(2))).collect()
    }

    fn draw<B: DrawingBackend>(
        &self,
        pen: &Pen<'_, B>,
        f: Frame,
        until: Option<usize>,
    ) -> std::result::Result<(), String> {
        pen.text(&self.title, f.left, f.top - 16.0, 14.0, INK, HPos::Left)?;
        let corners = vec![(f.left, f.top), (f.right, f.top), (f.right, f.bottom), (f.left, f.bottom), (f.left, f.top)];
        pen.line(corners, 0.75, FRAME)?;
        let Some((low, scale)) = self.view(&f) else { return Ok(()) };
        let place = |p: DVec2| {
            let q = (p - low) * scale;
            (f.left + q.x, f.bottom - q.y)
        };
        for (time, strength) in self.times(until) {
            for (k, gaussian) in self.components.get(time).into_iter().flatten().enumerate() {
                let color = COLORS[k % COLORS.len()];
                let path: Vec<(f64, f64)> = gaussian.ellipse().into_iter().map(place).collect();
                pen.area(path.clone(), color, 0.06 * strength)?;
                pen.line(path, 1.5, faded(color, strength))?;
            }
            for (k, &neuron) in self.neurons.get(time).into_iter().flatten().enumerate() {
                pen.dot(place(neuron), 3.25, faded(COLORS[k % COLORS.len()], strength))?;
            }
        }
        Ok(())
    }

    /// The lower left corner of what is shown, and CSS pixels per unit, the same on both axes.
    fn view(&self, f: &Frame) -> Option<(DVec2, f64)> {
        let ellipses = self.components.iter().flatten().flat_map(Gaussian2::ellipse);
        let all = ellipses.chain(self.neurons.iter().flatten().copied()).filter(|p| p.is_finite());
        let (low, high) = all.fold(None, |range: Option<(DVec2, DVec2)>, p| {
            let (low, high) = range.unwrap_or((p, p));
            Some((low.min(p), high.max(p)))
        })?;
        let size = DVec2::new(f.right - f.left, f.bottom - f.top);
        let extent = (high - low).max(DVec2::splat(1e-12)) * 1.08;
        let scale = (size / extent).min_element();
        Some(((low + high) / 2.0 - size / (2.0 * scale), scale))
    }
}

/// A colour mixed with white.
fn faded(color: RGBColor, strength: f64) -> RGBColor {
    let mix = |channel: u8| (255.0 + (f64::from(channel) - 255.0) * strength).round() as u8;
    RGBColor(mix(color.0), mix(color.1), mix(color.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ellipse_of_a_covariance() {
        let gaussian = Gaussian2 {
            mean: DVec2::new(1.0, -2.0),
            covariance: DMat2::from_cols(DVec2::new(5.0, 3.0), DVec2::new(3.0, 5.0)),
        };
        let root = gaussian.root();
        let square = root * root;
        assert!((square.x_axis - gaussian.covariance.x_axis).length() < 1e-12, "{square}");
        // Every point of the ellipse is one standard deviation from the mean.
        let inverse = gaussian.covariance.inverse();
        for point in gaussian.ellipse() {
            let off = point - gaussian.mean;
            assert!((off.dot(inverse * off) - 1.0).abs() < 1e-12);
        }
        let flat = Gaussian2 { mean: DVec2::ZERO, covariance: DMat2::ZERO };
        assert!(flat.ellipse().iter().all(|p| *p == DVec2::ZERO));
    }
}
