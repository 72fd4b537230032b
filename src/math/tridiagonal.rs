//! Some eigenpairs of a symmetric tridiagonal matrix: values by bisection on Sturm counts, vectors by inverse iteration.

use super::vector::dot;
use crate::reference::philox::Philox;

/// Halvings of an interval that hold an eigenvalue: what is left is rounding.
const HALVINGS: usize = 56;

/// Eigenvalues that are bisected side by side, so that their chains of divisions overlap.
const LANES: usize = 4;

/// Solutions per eigenvector; the first is already close.
const ITERATIONS: usize = 3;

/// Stands for a pivot of 0.
const TINY: f64 = 1e-290;

pub(super) struct Tridiagonal {
    pub(super) diagonal: Vec<f64>,
    /// Entry `(i, i+1)`; one more, 0, at the end.
    pub(super) off: Vec<f64>,
}

impl Tridiagonal {
    /// `diagonal [n]`, `off [n]` with 0 at the end; the entries are of moderate size.
    pub(super) fn new(diagonal: Vec<f64>, off: Vec<f64>) -> Self {
        Self { diagonal, off }
    }

    /// An interval that holds all eigenvalues (Gershgorin).
    fn range(&self) -> (f64, f64) {
        let mut before = 0.0;
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for (d, off) in self.diagonal.iter().zip(&self.off) {
            let radius = f64::abs(before) + off.abs();
            (low, high) = (low.min(d - radius), high.max(d + radius));
            before = *off;
        }
        let slack = 1e-14 * low.abs().max(high.abs()) + f64::MIN_POSITIVE;
        (low - slack, high + slack)
    }

    /// How many eigenvalues are above each of the shifts: as many as there are positive pivots of `T − shift·I`.
    fn above(&self, shifts: [f64; LANES]) -> [usize; LANES] {
        let mut pivots = [1.0; LANES];
        let mut counts = [0; LANES];
        let mut before = 0.0;
        for (d, off) in self.diagonal.iter().zip(&self.off) {
            for lane in 0..LANES {
                let pivot = d - shifts[lane] - before * before / pivots[lane];
                pivots[lane] = if pivot.abs() < TINY { -TINY } else { pivot };
                counts[lane] += usize::from(pivots[lane] > 0.0);
            }
            before = *off;
        }
        counts
    }

    /// The `count` largest eigenvalues, descending.
    pub(super) fn largest(&self, count: usize) -> Vec<f64> {
        let (low, high) = self.range();
        let mut values = Vec::with_capacity(count);
        for first in (0..count).step_by(LANES) {
            let (mut low, mut high) = ([low; LANES], [high; LANES]);
            for _ in 0..HALVINGS {
                let middle: [f64; LANES] = std::array::from_fn(|lane| 0.5 * (low[lane] + high[lane]));
                let above = self.above(middle);
                for lane in 0..LANES {
                    let below = above[lane] <= first + lane;
                    high[lane] = if below { middle[lane] } else { high[lane] };
                    low[lane] = if below { low[lane] } else { middle[lane] };
                }
            }
            values.extend((0..LANES.min(count - first)).map(|lane| 0.5 * (low[lane] + high[lane])));
        }
        values
    }

    /// Unit eigenvectors of given eigenvalues, orthogonal to one another. Repeated values are told apart by different starts.
    pub(super) fn vectors(&self, values: &[f64]) -> Vec<Vec<f64>> {
        let mut rng = Philox::new(0, 0);
        let mut found: Vec<Vec<f64>> = Vec::with_capacity(values.len());
        for &value in values {
            let factors = Factors::new(self, value);
            let mut x: Vec<f64> = self.diagonal.iter().map(|_| rng.uniform() - 0.5).collect();
            for _ in 0..ITERATIONS {
                factors.solve(&mut x);
                normalise(&mut x);
                for known in &found {
                    let along = dot(known, &x);
                    x.iter_mut().zip(known).for_each(|(x, y)| *x -= along * y);
                }
                normalise(&mut x);
            }
            found.push(x);
        }
        found
    }
}

/// `T − λI = L U` with partial pivoting; `U` has two diagonals above its own.
struct Factors {
    upper: Vec<[f64; 3]>,
    /// Whether rows `i` and `i + 1` were swapped, and the multiple of row `i` that was taken from the next.
    lower: Vec<(bool, f64)>,
}

impl Factors {
    fn new(matrix: &Tridiagonal, value: f64) -> Self {
        let n = matrix.diagonal.len();
        let (mut upper, mut lower) = (Vec::with_capacity(n), Vec::with_capacity(n));
        let size = matrix.diagonal.iter().chain(&matrix.off).fold(TINY, |largest, x| f64::max(largest, x.abs()));
        let nonzero = |pivot: f64| if pivot.abs() < f64::EPSILON * size { f64::EPSILON * size } else { pivot };
        let (mut pivot, mut beside) = (matrix.diagonal[0] - value, matrix.off[0]);
        for i in 1..n {
            let (below, diagonal, off) = (matrix.off[i - 1], matrix.diagonal[i] - value, matrix.off[i]);
            if pivot.abs() >= below.abs() {
                let pivot_used = nonzero(pivot);
                let multiple = below / pivot_used;
                upper.push([pivot_used, beside, 0.0]);
                lower.push((false, multiple));
                (pivot, beside) = (diagonal - multiple * beside, off);
            } else {
                let multiple = pivot / below;
                upper.push([below, diagonal, off]);
                lower.push((true, multiple));
                (pivot, beside) = (beside - multiple * diagonal, -multiple * off);
            }
        }
        upper.push([nonzero(pivot), 0.0, 0.0]);
        Self { upper, lower }
    }

    fn solve(&self, x: &mut [f64]) {
        for (i, &(swapped, multiple)) in self.lower.iter().enumerate() {
            if swapped {
                x.swap(i, i + 1);
            }
            x[i + 1] -= multiple * x[i];
        }
        let (mut next, mut after) = (0.0, 0.0);
        for (x, [pivot, first, second]) in x.iter_mut().zip(&self.upper).rev() {
            *x = (*x - first * next - second * after) / pivot;
            (next, after) = (*x, next);
        }
    }
}

/// To length 1, by way of the largest entry, so that nothing overflows.
fn normalise(x: &mut [f64]) {
    let largest = x.iter().fold(0.0, |largest, x| f64::max(largest, x.abs()));
    x.iter_mut().for_each(|x| *x /= largest);
    let length = dot(x, x).sqrt();
    x.iter_mut().for_each(|x| *x /= length);
}
