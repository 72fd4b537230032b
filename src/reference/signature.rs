//! Grid signatures of many Gaussians (Corollary 11): points `m + Σ_k √λ_k c_k v_k` over the product of optimal quantizers along
//! a few eigenvectors `v_k`, their masses, and the exact distance `W₂² = Σ_k λ_k D(n_k) + (what is not cut)`.

use super::Real;
use super::threads::each;
use crate::Result;
use crate::shape::{expect_len, stride};
use rayon::prelude::*;

/// Sizes of a batch of signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignatureDims {
    /// Gaussians `C`.
    pub components: usize,
    /// Dimensions `n` of the space.
    pub width: usize,
    /// Directions `k` that may be cut.
    pub cuts: usize,
    /// Points `P` that a signature may have.
    pub points: usize,
}

impl SignatureDims {
    /// Length of the locations `[C, P, np]`.
    pub const fn locations_len(&self) -> usize {
        self.components * self.points * stride(self.width)
    }

    /// Refuses arrays whose lengths do not fit: means `[C, np]`, directions of `direction` numbers each, values and shapes `[C, k]`,
    /// what is left `[C]`, and the results.
    pub(crate) fn check(&self, given: [usize; 5], results: [usize; 3], direction: usize) -> Result<()> {
        const OP: &str = "signatures";
        let (c, cuts) = (self.components, self.components * self.cuts);
        let ([means, directions, values, shape, rest], [masses, locations, distances]) = (given, results);
        expect_len(OP, "means [C,np]", means, c * stride(self.width))?;
        expect_len(OP, "directions", directions, cuts * direction)?;
        expect_len(OP, "variances [C,k]", values, cuts)?;
        expect_len(OP, "points [C,k]", shape, cuts)?;
        expect_len(OP, "variance that is left [C]", rest, c)?;
        expect_len(OP, "masses [C,P]", masses, c * self.points)?;
        expect_len(OP, "locations [C,P,np]", locations, self.locations_len())?;
        expect_len(OP, "distances [C]", distances, c)
    }
}

/// The directions that are cut.
#[derive(Clone, Copy, Debug)]
pub enum Directions<'a, T> {
    /// Coordinates `[C, k]`, of diagonal covariances. One outside of the space is no direction.
    Axes(&'a [u32]),
    /// Unit eigenvectors `[C, k, np]`.
    Vectors(&'a [T]),
}

/// What a signature is made from.
#[derive(Clone, Copy, Debug)]
pub struct Gaussians<'a, T> {
    /// Means `[C, np]`.
    pub means: &'a [T],
    /// Where the Gaussians are cut.
    pub directions: Directions<'a, T>,
    /// Variances `λ` along these, `[C, k]`.
    pub values: &'a [T],
    /// Points `n_k ≥ 1` along these, `[C, k]`; their product is at most `P`.
    pub shape: &'a [u32],
    /// The variance along all other directions, `[C]`.
    pub rest: &'a [T],
}

/// Optimal quantizers of `N(0,1)` of 1 to some number of points.
#[derive(Clone, Copy, Debug)]
pub struct Quantizers<'a, T> {
    /// `(c_i, π_i)` of one point, of two points, and so on: those of `n` points begin at `n(n−1)`.
    pub points: &'a [T],
    /// `D(n)`, from `n = 1`.
    pub distortions: &'a [T],
}

/// The signatures: `masses [C, P]`, `locations [C, P, np]`, squared distances `[C]`. The first cut varies slowest. Points past a signature's
/// own number have mass 0 and lie at the mean. A number of points without a quantizer counts as the largest that has one.
///
/// # Errors
/// [`crate::Error::Shape`] when an array's length does not fit `dims`.
pub fn grid<T: Real>(
    dims: SignatureDims,
    of: Gaussians<'_, T>,
    quantizers: Quantizers<'_, T>,
    masses: &mut [T],
    locations: &mut [T],
    distances: &mut [T],
) -> Result<()> {
    let (directions, direction) = match of.directions {
        Directions::Axes(axes) => (axes.len(), 1),
        Directions::Vectors(vectors) => (vectors.len(), stride(dims.width)),
    };
    let results = [masses.len(), locations.len(), distances.len()];
    let given = [of.means.len(), directions, of.values.len(), of.shape.len(), of.rest.len()];
    dims.check(given, results, direction)?;
    let (np, k, points) = (stride(dims.width).max(1), dims.cuts, dims.points.max(1));
    let outputs = masses.par_chunks_exact_mut(points).zip(locations.par_chunks_exact_mut(points * np));
    each(outputs.zip(distances.par_iter_mut()).enumerate(), |(c, ((masses, locations), distance))| {
        let values = &of.values[c * k..][..k];
        let shape: Vec<usize> =
            of.shape[c * k..][..k].iter().map(|&n| (n as usize).clamp(1, quantizers.distortions.len())).collect();
        let left = values.iter().zip(&shape).map(|(&value, &n)| value * quantizers.distortions[n - 1]);
        *distance = of.rest[c] + left.sum::<T>();
        let total: usize = shape.iter().product();
        for (point, (mass, location)) in masses.iter_mut().zip(locations.chunks_exact_mut(np)).enumerate() {
            location.copy_from_slice(&of.means[c * np..][..np]);
            *mass = T::ZERO;
            if point >= total {
                continue;
            }
            *mass = T::ONE;
            let mut rest = point;
            for cut in (0..k).rev() {
                let n = shape[cut];
                let at = n * (n - 1) + 2 * (rest % n);
                rest /= n;
                *mass *= quantizers.points[at + 1];
                let step = values[cut].root() * quantizers.points[at];
                match of.directions {
                    Directions::Axes(axes) => {
                        let entry = location.get_mut(axes[c * k + cut] as usize);
                        entry.into_iter().for_each(|x| *x += step);
                    }
                    Directions::Vectors(vectors) => {
                        let vector = &vectors[(c * k + cut) * np..][..np];
                        location.iter_mut().zip(vector).for_each(|(x, &v)| *x += step * v);
                    }
                }
            }
        }
    });
    Ok(())
}
