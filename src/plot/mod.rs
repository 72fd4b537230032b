//! Pictures, drawn from result files only: whoever has the files of a run can draw its figures again.

mod animation;
mod axes;
mod bounds;
mod ellipses;
mod lines;
mod marginals;
mod metrics;
mod panel;
mod picture;
mod scale;
mod series;
mod terms;

use std::path::Path;

use plotters::prelude::DrawingBackend;
use plotters::style::text_anchor::HPos;

use crate::io::write_atomic;
use crate::{Error, Result};

pub use animation::animation;
pub use bounds::bounds;
pub use ellipses::{Course, Gaussian2, ellipses};
pub use lines::{Line, LinePoint, LinesPanel, lines};
pub use marginals::marginals;
pub use metrics::{Record, Split, read_metrics};
use panel::{FAINT_INK, Frame, INK, Panel, Pen};
use picture::Drawing;
pub use picture::Picture;
use series::{Axis, series};
pub use terms::terms;

/// Draws `curves.svg` and `curves.png` into the folder `out_dir`: error and loss by epoch, on both splits.
///
/// Several seeds are drawn as their mean with a band of one standard error. Errors are shown as percentages. Where no
/// record has an error (a regression) only the loss is drawn; absent values and values that are not finite are left
/// out. An axis is logarithmic where its values span more than a factor of ten. Records finer than epochs are placed
/// at fractions of an epoch where its length can be told, and by step otherwise; neighbours are averaged to at most
/// 400 points a curve.
///
/// # Errors
/// [`Error::Data`] when there is nothing to draw, [`Error::Io`] when a picture cannot be written.
pub fn curves(metrics: &[Record], title: &str, out_dir: impl AsRef<Path>) -> Result<()> {
    let out_dir = out_dir.as_ref();
    let figure = Curves::new(metrics, title);
    if figure.panels.is_empty() {
        return Err(Error::data(out_dir, "no finite loss or error to draw"));
    }
    let undrawable = |why| Error::data(out_dir, format!("the curves cannot be drawn: {why}"));
    let svg = picture::svg(&figure).map_err(undrawable)?;
    let png = picture::png(&figure).map_err(undrawable)?;
    for (name, bytes) in [("curves.svg", svg.as_bytes()), ("curves.png", &png)] {
        let path = out_dir.join(name);
        write_atomic(&path, |file| file.write_all(bytes).map_err(Error::io("write", &path)))?;
    }
    Ok(())
}

const HEIGHT: u32 = 420;
const PANEL_WIDTH: u32 = 500;

/// The figure of [`curves`].
struct Curves {
    title: String,
    note: String,
    panels: Vec<Panel>,
}

impl Curves {
    fn new(metrics: &[Record], title: &str) -> Self {
        let axis = Axis::of(metrics);
        // Errors are classification errors only where they are fractions; the loss of a regression says all there is.
        let percent = series(metrics, axis, |r| r.error.map(|e| 100.0 * e));
        let loss = series(metrics, axis, |r| r.loss);
        let panels = [("error (%)", percent), ("loss", loss)]
            .into_iter()
            .filter(|(_, series)| !series.is_empty())
            .enumerate()
            .map(|(i, (label, series))| {
                let left = f64::from(PANEL_WIDTH) * i as f64;
                let frame = Frame { left: left + 66.0, top: 104.0, right: left + 442.0, bottom: 362.0 };
                Panel { label, series, axis, frame }
            })
            .collect();
        let mut seeds: Vec<_> = metrics.iter().map(|r| r.seed).collect();
        seeds.sort_unstable();
        seeds.dedup();
        let note = match seeds.len() {
            0 | 1 => String::new(),
            n => format!("mean of {n} seeds, band: ± one standard error"),
        };
        Self { title: title.to_owned(), note, panels }
    }
}

impl Drawing for Curves {
    fn size(&self) -> (u32, u32) {
        (PANEL_WIDTH * self.panels.len() as u32, HEIGHT)
    }

    fn draw<B: DrawingBackend>(&self, pen: &Pen<'_, B>) -> std::result::Result<(), String> {
        let left = 24.0;
        pen.text(&self.title, left, 28.0, 17.0, INK, HPos::Left)?;
        pen.text(&self.note, left, 52.0, 12.5, FAINT_INK, HPos::Left)?;
        self.panels.iter().try_for_each(|panel| panel.draw(pen))
    }
}
