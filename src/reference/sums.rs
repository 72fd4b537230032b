//! Sums of many terms. Sixteen running sums let any machine use its vectors and still give the same bits; they meet in `f64`.

use super::{Real, vectorized};

/// Running sums.
const SUMS: usize = 16;

/// `Σ term(a_i)`.
pub(super) fn sum<T: Real>(a: &[T], term: impl Fn(T) -> T) -> f64 {
    pairs(a, a, |a, _| term(a))
}

/// `Σ term(a_i, b_i)`.
pub(super) fn pairs<T: Real>(a: &[T], b: &[T], term: impl Fn(T, T) -> T) -> f64 {
    let sums = vectorized(
        #[inline(always)]
        || {
            let mut sums = [T::ZERO; SUMS];
            let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<SUMS>(), b.as_chunks::<SUMS>());
            for (a, b) in a.iter().zip(b) {
                for i in 0..SUMS {
                    sums[i] += term(a[i], b[i]);
                }
            }
            for ((sum, &a), &b) in sums.iter_mut().zip(a_rest).zip(b_rest) {
                *sum += term(a, b);
            }
            sums
        },
    );
    sums.iter().map(|sum| sum.to_f64()).sum()
}
