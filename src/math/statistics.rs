//! What is said of a handful of measured values.

/// Mean and standard error of the mean; the error is 0 for one value.
pub fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (mean, if values.len() > 1 { (squares / (n - 1.0) / n).sqrt() } else { 0.0 })
}

/// A mean with its standard error for people, `0.250 ± 0.010`; an error of 0 is left out.
pub fn with_error((mean, error): (f64, f64), decimals: usize) -> String {
    if error > 0.0 { format!("{mean:.decimals$} ± {error:.decimals$}") } else { format!("{mean:.decimals$}") }
}

/// The same of a fraction, as a percentage: `3.00 ± 1.00 %`.
pub fn percent((mean, error): (f64, f64), decimals: usize) -> String {
    with_error((100.0 * mean, 100.0 * error), decimals) + " %"
}

#[cfg(test)]
mod tests {
    use super::{mean_and_error, percent, with_error};

    #[test]
    fn errors_are_those_of_the_mean() {
        let (mean, error) = mean_and_error(&[1.0, 2.0, 3.0, 6.0]);
        // Variance 14/3 of the values, a quarter of it of their mean.
        assert!((mean - 3.0).abs() < 1e-15 && (error * error - 14.0 / 12.0).abs() < 1e-15, "{mean} {error}");
        assert_eq!(percent(mean_and_error(&[0.02, 0.04]), 2), "3.00 ± 1.00 %");
        assert_eq!(with_error(mean_and_error(&[0.5]), 3), "0.500");
    }
}
