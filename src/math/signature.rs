//! Grid signatures: a Gaussian replaced by points along its leading eigenvectors (Corollary 11, Eqns 12, 13).
//!
//! `N(m, V diag(λ) Vᵀ)` becomes the points `m + V diag(λ)^½ g`, `g` in the product of optimal quantizers of `n_j` points, whose masses multiply.
//! Its distance is exact: `W₂² = Σ_j λ_j D(n_j)`. The `n_j` are chosen by [`allocation`](super::allocation).

use super::allocation::{allocate_sorted, most_cut};
use super::gaussian_w2::trace;
use super::leading::leading;
use super::quantizer::{LARGEST, Quantizer};
use crate::{Error, Result};

/// More factors of 2 than any budget has.
const DEPTH: usize = usize::BITS as usize;

/// Eigenvalues below this part of the largest are taken for 0 and never cut.
const DEGENERATE: f64 = 1e-12;

/// Points with masses in place of a Gaussian.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Signature {
    /// `[points]`, sum to 1.
    pub masses: Vec<f64>,
    /// `[points, width]`.
    pub locations: Vec<f64>,
    /// The squared distance to the Gaussian: exact for a grid, an upper bound for a cross.
    pub w2_squared: f64,
}

/// Makes grid signatures of at most so many points. One maker serves many Gaussians, and once its buffers have grown it allocates no memory
/// for diagonal ones.
#[derive(Clone, Debug)]
pub struct Grid {
    budget: usize,
    left: Vec<f64>,
}

/// The directions that are cut, by falling eigenvalue.
struct Cuts {
    count: usize,
    values: [f64; DEPTH],
    /// Coordinate or number of the eigenvector.
    axes: [usize; DEPTH],
    points: [u32; DEPTH],
}

impl Grid {
    /// Signatures of at most `budget` points.
    ///
    /// # Errors
    /// [`Error::Config`] for a budget of 0.
    pub fn new(budget: usize) -> Result<Self> {
        if budget == 0 {
            return Err(Error::Config("a signature needs at least one point".to_owned()));
        }
        Ok(Self { budget, left: Vec::new() })
    }

    /// The signature of `N(mean, diag(variances))`, both `[width]`, written over `out`.
    ///
    /// # Errors
    /// [`Error::Shape`] when the lengths differ; [`Error::Numeric`] for a variance that is negative or not finite.
    pub fn diagonal(&mut self, mean: &[f64], variances: &[f64], out: &mut Signature) -> Result<()> {
        if mean.len() != variances.len() {
            let expected = format!("{} variances", mean.len());
            return Err(Error::Shape { op: "signature", expected, got: variances.len().to_string() });
        }
        let mut cuts = Cuts::largest(variances, most_cut(self.budget))?;
        cuts.allocate(self.budget)?;
        let quantizers = cuts.quantizers()?;
        self.left.clear();
        self.left.extend_from_slice(variances);
        place(mean, &cuts, &quantizers, out, |row, axis, step| row[axis] += step);
        cuts.each(&quantizers, |axis, value, quantizer| self.left[axis] = value * quantizer.distortion());
        out.w2_squared = self.left.iter().sum();
        Ok(())
    }

    /// The signature of `N(mean, covariance)`, `[width]` and `[width, width]`, written over `out`. Of the eigenpairs only the leading
    /// `⌊log₂ budget⌋` are computed; the others count with what they leave of the trace.
    ///
    /// # Errors
    /// [`Error::Shape`] when the sizes differ; [`Error::Numeric`] for entries that are not finite or a covariance that is not
    /// positive semidefinite.
    pub fn full(&mut self, mean: &[f64], covariance: &[f64], out: &mut Signature) -> Result<()> {
        let n = mean.len();
        let eigen = leading(covariance, n, most_cut(self.budget).min(n))?;
        eigen.roots()?;
        let values: Vec<f64> = eigen.values.iter().map(|value| value.max(0.0)).collect();
        let mut cuts = Cuts::largest(&values, values.len())?;
        cuts.allocate(self.budget)?;
        let quantizers = cuts.quantizers()?;
        place(mean, &cuts, &quantizers, out, |row, axis, step| {
            let vector = &eigen.vectors[axis * n..][..n];
            row.iter_mut().zip(vector).for_each(|(x, v)| *x += step * v);
        });
        let rest = if values.len() == n { 0.0 } else { trace(covariance, n) - values.iter().sum::<f64>() };
        self.left.clear();
        self.left.extend_from_slice(&values);
        cuts.each(&quantizers, |axis, value, quantizer| self.left[axis] = value * quantizer.distortion());
        out.w2_squared = self.left.iter().sum::<f64>() + rest.max(0.0);
        Ok(())
    }
}

impl Cuts {
    /// The `count` largest of `values` that are worth cutting, by selection: no sorting of the others.
    fn largest(values: &[f64], count: usize) -> Result<Self> {
        let mut cuts = Self { count: 0, values: [0.0; DEPTH], axes: [0; DEPTH], points: [1; DEPTH] };
        for (axis, &value) in values.iter().enumerate() {
            if !(0.0..f64::INFINITY).contains(&value) {
                return Err(Error::numeric("signature", format!("variance {axis} is {value}")));
            }
            if value > 0.0 && cuts.count < count {
                cuts.count += 1;
            } else if cuts.count == 0 || value <= cuts.values[cuts.count - 1] {
                continue;
            }
            let mut at = cuts.count - 1;
            while at > 0 && cuts.values[at - 1] < value {
                (cuts.values[at], cuts.axes[at]) = (cuts.values[at - 1], cuts.axes[at - 1]);
                at -= 1;
            }
            (cuts.values[at], cuts.axes[at]) = (value, axis);
        }
        let floor = DEGENERATE * cuts.values[0];
        cuts.count = cuts.values[..cuts.count].iter().take_while(|&&value| value > floor).count();
        Ok(cuts)
    }

    fn allocate(&mut self, budget: usize) -> Result<()> {
        allocate_sorted(&self.values[..self.count], budget, &mut self.points[..self.count])?;
        while self.count > 0 && self.points[self.count - 1] == 1 {
            self.count -= 1;
        }
        Ok(())
    }

    fn quantizers(&self) -> Result<[&'static Quantizer; DEPTH]> {
        let mut quantizers = [Quantizer::optimal(1)?; DEPTH];
        for (slot, &n) in quantizers.iter_mut().zip(&self.points[..self.count]) {
            *slot = Quantizer::optimal((n as usize).min(LARGEST))?;
        }
        Ok(quantizers)
    }

    fn each(&self, quantizers: &[&Quantizer], mut work: impl FnMut(usize, f64, &Quantizer)) {
        for (k, quantizer) in quantizers.iter().enumerate().take(self.count) {
            work(self.axes[k], self.values[k], quantizer);
        }
    }
}

/// Writes the product grid: the first cut varies slowest. `step` moves a row by a length along an axis.
fn place(
    mean: &[f64],
    cuts: &Cuts,
    quantizers: &[&Quantizer; DEPTH],
    out: &mut Signature,
    step: impl Fn(&mut [f64], usize, f64),
) {
    let width = mean.len();
    let total: usize = quantizers[..cuts.count].iter().map(|quantizer| quantizer.points()).product();
    out.masses.clear();
    out.locations.clear();
    for point in 0..total {
        out.locations.extend_from_slice(mean);
        let row = &mut out.locations[point * width..];
        let (mut rest, mut mass) = (point, 1.0);
        for k in (0..cuts.count).rev() {
            let quantizer = quantizers[k];
            let at = rest % quantizer.points();
            rest /= quantizer.points();
            mass *= quantizer.masses()[at];
            step(row, cuts.axes[k], cuts.values[k].sqrt() * quantizer.locations()[at]);
        }
        out.masses.push(mass);
    }
}
