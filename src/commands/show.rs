//! Numbers as people read them, and how far a run is.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Common;
use crate::math::statistics;
pub(super) use crate::math::statistics::mean_and_error;

/// A count with thousands separated by commas.
pub(super) fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A duration: `14 s`, `3 min 5 s`, `2 h 4 min`.
pub(super) fn seconds(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..10 => format!("{seconds:.1} s"),
        10..120 => format!("{whole} s"),
        120..7200 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// A number without needless digits: `0.1`, `1e-2`.
pub(super) fn rate(value: f32) -> String {
    if value != 0.0 && value < 0.05 { format!("{value:e}") } else { value.to_string() }
}

/// The mean of fractions as a percentage, with the standard error where there is one.
pub(super) fn percent(values: &[f64]) -> String {
    statistics::percent(mean_and_error(values), 2)
}

/// A bar on standard error when it is a terminal, and nothing elsewhere.
pub(super) fn progress_bar(common: &Common, length: u64, prefix: &'static str) -> ProgressBar {
    if !common.chatty() || !std::io::stderr().is_terminal() {
        return ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    }
    let style = ProgressStyle::with_template("{prefix} {bar:40} {percent:>3} %  {msg}  eta {eta}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─");
    ProgressBar::new(length).with_style(style).with_prefix(prefix)
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_read_well() {
        assert_eq!(super::count(172_660), "172,660");
        assert_eq!(super::count(999), "999");
        assert_eq!(super::seconds(14.2), "14 s");
        assert_eq!(super::seconds(125.0), "2 min 5 s");
        assert_eq!(super::rate(0.1), "0.1");
        assert_eq!(super::rate(0.01), "1e-2");
        assert_eq!(super::percent(&[0.02, 0.04]), "3.00 ± 1.00 %");
    }
}
