//! Optimal quantizers of `N(0,1)` (Eqn 30): the `n` points `c_i` with the least squared error
//! `D(n) = W₂²(N(0,1), Σ π_i δ(c_i))`, where `π_i` is the mass of the points' Voronoi cells (Proposition 10).
//!
//! The points are stored ([`asset`]); masses and errors are computed from them. `examples/make_quantizers.rs` makes the stored table.

pub mod asset;
pub mod solve;

use std::sync::OnceLock;

use super::normal::Cell;
use crate::{Error, Result};

pub use asset::LARGEST;

static TABLE: &[u8] = include_bytes!("../../../assets/quantizers/normal-1-1000.bin");

/// An `n`-point quantizer of `N(0,1)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantizer {
    locations: Vec<f64>,
    boundaries: Vec<f64>,
    masses: Vec<f64>,
    distortion: f64,
}

impl Quantizer {
    /// The optimal quantizer of `n` points, `1 ≤ n ≤ 1000`.
    ///
    /// # Errors
    /// [`Error::Config`] for other `n`; [`Error::Numeric`] when the stored table is damaged.
    pub fn optimal(n: usize) -> Result<&'static Self> {
        type Slot = (Vec<f64>, OnceLock<Quantizer>);
        static SLOTS: OnceLock<Result<Vec<Slot>>> = OnceLock::new();
        let slots = SLOTS.get_or_init(|| {
            let halves = asset::decode(TABLE, LARGEST)?;
            Ok(halves.into_iter().map(|half| (half, OnceLock::new())).collect())
        });
        let slots = match slots {
            Ok(slots) => slots,
            Err(error) => return Err(Error::numeric("quantizers", error.to_string())),
        };
        let Some((half, slot)) = n.checked_sub(1).and_then(|at| slots.get(at)) else {
            return Err(Error::Config(format!("a quantizer has 1 to {LARGEST} points, not {n}")));
        };
        Ok(slot.get_or_init(|| Self::symmetric(half, n)))
    }

    /// The quantizer whose `⌊n/2⌋` positive points are `half`; the others mirror them, and an odd one is 0.
    fn symmetric(half: &[f64], n: usize) -> Self {
        let negative = half.iter().rev().map(|&c| -c);
        let locations = negative.chain((!n.is_multiple_of(2)).then_some(0.0)).chain(half.iter().copied()).collect();
        Self::at(locations)
    }

    /// The Voronoi cells of ascending points.
    fn at(locations: Vec<f64>) -> Self {
        let cells: Vec<Cell> = (0..locations.len()).map(|i| voronoi(&locations, i)).collect();
        let error = |(c, cell): (&f64, &Cell)| cell.mass * (cell.variance + (cell.mean - c) * (cell.mean - c));
        let distortion = locations.iter().zip(&cells).map(error).sum();
        let boundaries = locations.windows(2).map(|pair| 0.5 * (pair[0] + pair[1])).collect();
        Self { masses: cells.iter().map(|cell| cell.mass).collect(), boundaries, locations, distortion }
    }

    /// How many points.
    pub fn points(&self) -> usize {
        self.locations.len()
    }

    /// `c_i`, ascending, symmetric about 0.
    pub fn locations(&self) -> &[f64] {
        &self.locations
    }

    /// Where one cell ends and the next begins, ascending, one fewer than the points.
    pub fn boundaries(&self) -> &[f64] {
        &self.boundaries
    }

    /// `π_i = P(z in the cell of c_i)`; they sum to 1 up to rounding.
    pub fn masses(&self) -> &[f64] {
        &self.masses
    }

    /// `D(n) = Σ π_i[ν_i + (μ_i − c_i)²]` (Eqn 10), a squared distance.
    pub fn distortion(&self) -> f64 {
        self.distortion
    }
}

/// The cell of `points[i]`: it ends halfway to the neighbours.
fn voronoi(points: &[f64], i: usize) -> Cell {
    let halfway = |a: usize| match (points.get(a), points.get(a + 1)) {
        (Some(low), Some(high)) => 0.5 * (low + high),
        _ => f64::INFINITY,
    };
    let lower = i.checked_sub(1).map_or(f64::NEG_INFINITY, halfway);
    Cell::new(lower, halfway(i))
}
