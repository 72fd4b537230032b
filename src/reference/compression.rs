//! Compression of mixtures (Algorithm 3): components go to the nearest of some centres, and every cluster becomes the Gaussian with its moments,
//! `π = Σ π_i`, `m = Σ π_i m_i/π`, `S = Σ π_i (S_i + (m_i − m)(m_i − m)ᵀ)/π`.

use super::Real;
use super::propagation::Covariances;
use super::threads::each;
use crate::Result;
use crate::shape::{expect_len, stride};
use rayon::prelude::*;

/// Sizes of a batch of mixtures that are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompressionDims {
    /// Mixtures `B`.
    pub batch: usize,
    /// Components `C` of each.
    pub components: usize,
    /// Clusters `k` of each.
    pub clusters: usize,
    /// Dimensions `n` of the space.
    pub width: usize,
}

impl CompressionDims {
    /// Length of the components' means `[B, C, np]`.
    pub const fn means_len(&self) -> usize {
        self.batch * self.components * stride(self.width)
    }

    /// Length of the clusters' means `[B, k, np]`.
    pub const fn centres_len(&self) -> usize {
        self.batch * self.clusters * stride(self.width)
    }

    /// Refuses what [`assign`] cannot take.
    pub(crate) fn check_assign(&self, means: usize, centres: usize, labels: usize) -> Result<()> {
        const OP: &str = "assignment to clusters";
        expect_len(OP, "means [B,C,np]", means, self.means_len())?;
        expect_len(OP, "centres [B,k,np]", centres, self.centres_len())?;
        expect_len(OP, "labels [B,C]", labels, self.batch * self.components)
    }

    /// Refuses what [`merge`] cannot take: labels, weights, means, covariances of `per_row` numbers for each of a mean's, and the results.
    pub(crate) fn check_merge(&self, given: [usize; 4], results: [usize; 3], per_row: usize) -> Result<()> {
        const OP: &str = "merging of clusters";
        let [labels, weights, means, covariances] = given;
        let [merged_weights, merged_means, merged_covariances] = results;
        expect_len(OP, "labels [B,C]", labels, self.batch * self.components)?;
        expect_len(OP, "weights [B,C]", weights, self.batch * self.components)?;
        expect_len(OP, "means [B,C,np]", means, self.means_len())?;
        expect_len(OP, "covariances", covariances, self.means_len() * per_row)?;
        expect_len(OP, "merged weights [B,k]", merged_weights, self.batch * self.clusters)?;
        expect_len(OP, "merged means [B,k,np]", merged_means, self.centres_len())?;
        expect_len(OP, "merged covariances [B,k,n,np]", merged_covariances, self.centres_len() * self.width)
    }
}

/// Labels `[B, C]`: for every component the centre whose mean is nearest, the lowest of several.
///
/// # Errors
/// [`crate::Error::Shape`] when an array's length does not fit `dims`.
pub fn assign<T: Real>(dims: CompressionDims, means: &[T], centres: &[T], labels: &mut [u32]) -> Result<()> {
    dims.check_assign(means.len(), centres.len(), labels.len())?;
    let np = stride(dims.width).max(1);
    let problems = means
        .par_chunks_exact((dims.components * np).max(1))
        .zip(centres.par_chunks_exact((dims.clusters * np).max(1)));
    each(labels.par_chunks_exact_mut(dims.components.max(1)).zip(problems), |(labels, (means, centres))| {
        for (label, mean) in labels.iter_mut().zip(means.chunks_exact(np)) {
            let apart = |centre: &[T]| mean.iter().zip(centre).map(|(&x, &c)| (x - c) * (x - c)).sum::<T>();
            let mut best = None;
            for (number, centre) in (0u32..).zip(centres.chunks_exact(np)) {
                let distance = apart(centre);
                if best.is_none_or(|(least, _)| distance < least) {
                    best = Some((distance, number));
                }
            }
            *label = best.map_or(0, |(_, number)| number);
        }
    });
    Ok(())
}

/// Components of a batch of mixtures, with the cluster of each.
#[derive(Clone, Copy, Debug)]
pub struct Components<'a, T> {
    /// `[B, C]`, each below `k`.
    pub labels: &'a [u32],
    /// `[B, C]`.
    pub weights: &'a [T],
    /// `[B, C, np]`.
    pub means: &'a [T],
    /// `[B, C, np]` or `[B, C, n, np]`.
    pub covariances: Covariances<'a, T>,
}

/// A batch of compressed mixtures, to be written.
#[derive(Debug)]
pub struct Merged<'a, T> {
    /// `[B, k]`.
    pub weights: &'a mut [T],
    /// `[B, k, np]`.
    pub means: &'a mut [T],
    /// `[B, k, n, np]`.
    pub covariances: &'a mut [T],
}

/// The clusters' moments. A cluster of weight 0 takes the moments of its first component; one without components is 0 throughout.
///
/// # Errors
/// [`crate::Error::Shape`] when an array's length does not fit `dims`.
pub fn merge<T: Real>(dims: CompressionDims, from: Components<'_, T>, to: Merged<'_, T>) -> Result<()> {
    let (n, np, count) = (dims.width, stride(dims.width).max(1), dims.components);
    let (entries, per_row) = match from.covariances {
        Covariances::Diagonal(values) => (values, 1),
        Covariances::Full(values) => (values, n),
    };
    let results = [to.weights.len(), to.means.len(), to.covariances.len()];
    let given = [from.labels.len(), from.weights.len(), from.means.len(), entries.len()];
    dims.check_merge(given, results, per_row)?;
    let outputs = to.means.par_chunks_exact_mut(np).zip(to.covariances.par_chunks_exact_mut((n * np).max(1)));
    each(to.weights.par_iter_mut().zip(outputs).enumerate(), |(cluster, (weight, (mean, covariance)))| {
        let (problem, label) = (cluster / dims.clusters, (cluster % dims.clusters) as u32);
        let members: Vec<usize> =
            (problem * count..(problem + 1) * count).filter(|&c| from.labels[c] == label).collect();
        *weight = members.iter().map(|&c| from.weights[c]).sum();
        mean.fill(T::ZERO);
        covariance.fill(T::ZERO);
        let share = |c: usize| match *weight {
            zero if zero == T::ZERO => {
                if members.first() == Some(&c) {
                    T::ONE
                } else {
                    T::ZERO
                }
            }
            total => from.weights[c] / total,
        };
        for &c in &members {
            let share = share(c);
            mean.iter_mut().zip(&from.means[c * np..]).for_each(|(sum, &x)| *sum += share * x);
        }
        for &c in &members {
            let share = share(c);
            let apart: Vec<T> = from.means[c * np..][..np].iter().zip(mean.iter()).map(|(&x, &m)| x - m).collect();
            let own = &entries[c * per_row * np..][..per_row * np];
            for (i, row) in covariance.chunks_exact_mut(np).enumerate() {
                row.iter_mut().zip(&apart).for_each(|(sum, &x)| *sum += share * apart[i] * x);
                match from.covariances {
                    Covariances::Diagonal(_) => row[i] += share * own[i],
                    Covariances::Full(_) => {
                        row.iter_mut().zip(&own[i * np..]).for_each(|(sum, &s)| *sum += share * s);
                    }
                }
            }
        }
    });
    Ok(())
}
