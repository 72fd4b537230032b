//! Animations as GIF files.

use image::codecs::gif::{GifEncoder, Repeat};
use image::{Delay, Frame, imageops};

use super::ellipses::{Course, ellipses_at};
use crate::{Error, Result};

/// Frames of an animation at most.
const MOST: usize = 40;
const MILLISECONDS: u32 = 120;
/// The last frame stays, so that the end can be looked at.
const LAST_MILLISECONDS: u32 = 2500;

/// The courses as they go on, a frame for each of some of their times, repeated for ever.
///
/// # Errors
/// [`Error::Data`] where a frame cannot be drawn.
pub fn animation(name: &str, title: &str, courses: &[Course]) -> Result<Vec<u8>> {
    let times = courses.iter().map(|course| course.components.len()).max().unwrap_or(0);
    let bad = |why: image::ImageError| Error::data(name, format!("the animation cannot be made: {why}"));
    let mut bytes = Vec::new();
    {
        // Colours are few: the encoder's fastest search for a palette finds them.
        let mut encoder = GifEncoder::new_with_speed(&mut bytes, 30);
        encoder.set_repeat(Repeat::Infinite).map_err(bad)?;
        let stride = times.div_ceil(MOST).max(1);
        for time in (0..times).filter(|time| time % stride == 0 || time + 1 == times) {
            let drawn = image::load_from_memory(&ellipses_at(name, title, courses, time)?).map_err(bad)?.into_rgba8();
            // Back to CSS pixels.
            let small = imageops::thumbnail(&drawn, drawn.width() / 2, drawn.height() / 2);
            let shown = if time + 1 == times { LAST_MILLISECONDS } else { MILLISECONDS };
            let frame = Frame::from_parts(small, 0, 0, Delay::from_numer_denom_ms(shown, 1));
            encoder.encode_frame(frame).map_err(bad)?;
        }
    }
    Ok(bytes)
}
