//! Renders a drawing as SVG text and as PNG bytes, both from the same drawing commands.

use std::io::Cursor;
use std::sync::OnceLock;

use image::{ImageBuffer, ImageFormat, Rgb, imageops};
use plotters::prelude::{BitMapBackend, DrawingBackend, IntoDrawingArea, SVGBackend};
use plotters::style::{FontStyle, WHITE, register_font};

use super::panel::Pen;

/// Drawings address quarters of a CSS pixel: plotters takes whole numbers, and whole pixels would make curves jagged.
pub(super) const FINE: u32 = 4;

/// Pixels of the PNG per CSS pixel; what is drawn finer is averaged, which smooths edges.
const PNG_SCALE: u32 = 2;

/// The bitmap back end sets centred text this much of its size too high.
const BITMAP_DROP: f64 = 0.17;

/// The family that text is drawn in: a generic name for SVG readers, the bundled font for PNG and for measuring text.
pub(super) const FONT: &str = "sans-serif";

/// Something that draws itself, in units of 1 / [`FINE`] CSS pixels.
pub(super) trait Drawing {
    /// Width and height in CSS pixels.
    fn size(&self) -> (u32, u32);

    /// Draws with a pen whose area is [`FINE`] times that size. An error is the back end's, as text.
    fn draw<B: DrawingBackend>(&self, pen: &Pen<'_, B>) -> Result<(), String>;
}

/// A drawing in both formats.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Its name in a folder, without an ending.
    pub name: String,
    /// As an SVG document.
    pub svg: String,
    /// As a PNG file.
    pub png: Vec<u8>,
}

impl Picture {
    /// Draws it.
    pub(super) fn of(name: &str, drawing: &(impl Drawing + Sync)) -> crate::Result<Self> {
        let undrawable = |why| crate::Error::data(name, format!("the picture cannot be drawn: {why}"));
        let (svg, png) = rayon::join(|| svg(drawing), || png(drawing));
        Ok(Self { name: name.to_owned(), svg: svg.map_err(undrawable)?, png: png.map_err(undrawable)? })
    }
}

/// The drawing as an SVG document.
pub(super) fn svg(drawing: &impl Drawing) -> Result<String, String> {
    register()?;
    let (width, height) = drawing.size();
    let (fine_width, fine_height) = (width * FINE, height * FINE);
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (fine_width, fine_height)).into_drawing_area();
        draw(drawing, &Pen { area: &area, drop: 0.0 })?;
    }
    // The view box keeps the fine units; the size on a page is in CSS pixels.
    Ok(text.replacen(
        &format!("width=\"{fine_width}\" height=\"{fine_height}\""),
        &format!("width=\"{width}\" height=\"{height}\""),
        1,
    ))
}

/// The drawing as a PNG file.
pub(super) fn png(drawing: &impl Drawing) -> Result<Vec<u8>, String> {
    register()?;
    let (width, height) = drawing.size();
    let (fine_width, fine_height) = (width * FINE, height * FINE);
    let mut pixels = vec![0; (fine_width * fine_height * 3) as usize];
    {
        let area = BitMapBackend::with_buffer(&mut pixels, (fine_width, fine_height)).into_drawing_area();
        draw(drawing, &Pen { area: &area, drop: BITMAP_DROP })?;
    }
    let fine: ImageBuffer<Rgb<u8>, _> =
        ImageBuffer::from_raw(fine_width, fine_height, pixels).ok_or("the pixel buffer does not fit the picture")?;
    let picture = imageops::thumbnail(&fine, width * PNG_SCALE, height * PNG_SCALE);
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).map_err(|why| why.to_string())?;
    Ok(bytes.into_inner())
}

fn draw<B: DrawingBackend>(drawing: &impl Drawing, pen: &Pen<'_, B>) -> Result<(), String> {
    pen.area.fill(&WHITE).map_err(|why| why.to_string())?;
    drawing.draw(pen)?;
    pen.area.present().map_err(|why| why.to_string())
}

fn register() -> Result<(), String> {
    static DONE: OnceLock<bool> = OnceLock::new();
    let bytes = include_bytes!("../../assets/fonts/DejaVuSans-subset.ttf");
    let done = *DONE.get_or_init(|| register_font(FONT, FontStyle::Normal, bytes).is_ok());
    if done { Ok(()) } else { Err("the bundled font cannot be read".to_owned()) }
}
