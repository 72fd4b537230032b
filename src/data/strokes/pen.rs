//! Turns control points into an anti-aliased 28×28 picture.

use glam::Vec2;

/// Pixels along one side of a picture.
pub(super) const SIDE: usize = 28;

/// Straight pieces between two control points of a smooth curve.
const PIECES: usize = 5;

/// The polyline through `points`, as a Catmull–Rom curve when `smooth`.
pub(super) fn polyline(points: &[Vec2], smooth: bool) -> Vec<Vec2> {
    let (Some(&first), Some(&last)) = (points.first(), points.last()) else {
        return Vec::new();
    };
    if !smooth {
        return points.to_vec();
    }
    let mut line = vec![first];
    for (i, span) in points.windows(2).enumerate() {
        let &[from, to] = span else { continue };
        // The ends of the curve lean on themselves.
        let before = i.checked_sub(1).and_then(|j| points.get(j)).copied().unwrap_or(first);
        let after = points.get(i + 2).copied().unwrap_or(last);
        for piece in 1..=PIECES {
            let t = piece as f32 / PIECES as f32;
            let a = to - before;
            let b = before * 2.0 - from * 5.0 + to * 4.0 - after;
            let c = from * 3.0 - before - to * 3.0 + after;
            line.push(from + (a + (b + c * t) * t) * (0.5 * t));
        }
    }
    line
}

/// A picture of ink from 0 to 1, row-major.
pub(super) struct Canvas {
    ink: [f32; SIDE * SIDE],
}

impl Canvas {
    /// An empty picture.
    pub(super) fn new() -> Self {
        Self { ink: [0.0; SIDE * SIDE] }
    }

    /// Draws `line` (pixel coordinates) with a round pen of the given radius; overlapping ink
    /// does not add up.
    pub(super) fn draw(&mut self, line: &[Vec2], radius: f32, ink: f32) {
        for piece in line.windows(2) {
            if let &[from, to] = piece {
                self.draw_piece(from, to, radius, ink);
            }
        }
    }

    fn draw_piece(&mut self, from: Vec2, to: Vec2, radius: f32, ink: f32) {
        let along = to - from;
        let inverse = 1.0 / along.length_squared().max(1e-12);
        let reach = radius + 0.5;
        let low = from.min(to) - Vec2::splat(reach);
        let high = from.max(to) + Vec2::splat(reach);
        for row in pixels(low.y, high.y) {
            for column in pixels(low.x, high.x) {
                let offset = Vec2::new(column as f32, row as f32) - from;
                let t = (offset.dot(along) * inverse).clamp(0.0, 1.0);
                let distance = (offset - along * t).length();
                let covered = (reach - distance).clamp(0.0, 1.0) * ink;
                if let Some(cell) = self.ink.get_mut(row * SIDE + column) {
                    *cell = cell.max(covered);
                }
            }
        }
    }

    /// The picture as u8 pixels, each ink value passed through `finish` first.
    pub(super) fn write(&self, pixels: &mut [u8], mut finish: impl FnMut(f32) -> f32) {
        for (pixel, &ink) in pixels.iter_mut().zip(&self.ink) {
            *pixel = (finish(ink).clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
        }
    }
}

/// The pixels between two coordinates, cut to the picture.
fn pixels(low: f32, high: f32) -> std::ops::Range<usize> {
    let side = SIDE as f32;
    low.ceil().clamp(0.0, side) as usize..(high.floor() + 1.0).clamp(0.0, side) as usize
}
