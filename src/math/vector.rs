//! Scalar products.

use crate::reference::vectorized;

/// Running sums of a scalar product, whatever the vectors of the machine.
const LANES: usize = 8;

/// `Σ x_j y_j`, in an order that depends on the length alone: the same bits on every machine.
pub(super) fn dot(x: &[f64], y: &[f64]) -> f64 {
    if x.len() < LANES {
        return x.iter().zip(y).map(|(a, b)| a * b).sum();
    }
    vectorized(
        #[inline(always)]
        || dot_lanes(x, y),
    )
}

/// [`dot`] inside of a loop that is [`vectorized`] already.
#[inline(always)]
pub(super) fn dot_lanes(x: &[f64], y: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let ((x, x_rest), (y, y_rest)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
    for (x, y) in x.iter().zip(y) {
        for k in 0..LANES {
            sums[k] += x[k] * y[k];
        }
    }
    let rest: f64 = x_rest.iter().zip(y_rest).map(|(x, y)| x * y).sum();
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::dot;

    #[test]
    fn every_length_is_summed_whole() {
        for n in 0..40 {
            let x: Vec<f64> = (1..=n).map(f64::from).collect();
            let y: Vec<f64> = x.iter().map(|x| x + 1.0).collect();
            let n = f64::from(n);
            assert_eq!(dot(&x, &y), n * (n + 1.0) * (n + 2.0) / 3.0, "{n}");
        }
    }
}
