//! What a person wants to know of a certificate first.

use super::record::Record;

/// The figures of a whole run.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Inputs.
    pub inputs: usize,
    /// Median of the relative bounds.
    pub median: f64,
    /// The largest relative bound.
    pub worst: f64,
    /// The input that has it.
    pub worst_input: usize,
    /// Where the worst comes from, largest first.
    pub shares: Vec<Share>,
}

/// A part of a bound.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    /// The layer it arises in, from 1.
    pub layer: usize,
    /// Why, as in [`super::RecordTerm`].
    pub kind: String,
    /// Its fraction of the bound.
    pub fraction: f64,
}

impl Summary {
    /// Of these lines; none when there are none.
    pub fn of(records: &[Record]) -> Option<Self> {
        // The first of equals, whatever the order of comparison.
        let worst = records.iter().reduce(|a, b| if b.relative_bound > a.relative_bound { b } else { a })?;
        let mut bounds: Vec<f64> = records.iter().map(|record| record.relative_bound).collect();
        bounds.sort_unstable_by(f64::total_cmp);
        let mut shares: Vec<Share> = Vec::new();
        for term in worst.terms.iter().filter(|_| worst.bound > 0.0) {
            let fraction = term.value / worst.bound;
            match shares.iter_mut().find(|share| share.layer == term.layer && share.kind == term.kind) {
                Some(share) => share.fraction += fraction,
                None => shares.push(Share { layer: term.layer, kind: term.kind.clone(), fraction }),
            }
        }
        shares.sort_by(|a, b| b.fraction.total_cmp(&a.fraction));
        Some(Self {
            inputs: records.len(),
            median: median(&bounds),
            worst: worst.relative_bound,
            worst_input: worst.input,
            shares,
        })
    }
}

/// The median of sorted values: the upper one of the two in the middle, so that it is a bound of half of them.
pub fn median(sorted: &[f64]) -> f64 {
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

/// A bound for people: `digits` significant digits, never below `value`.
pub fn round_up(value: f64, digits: usize) -> String {
    let text = format!("{value:.*e}", digits.saturating_sub(1));
    let Some((mantissa, exponent)) = text.split_once('e').filter(|_| value > 0.0) else {
        return if value == 0.0 { "0".to_owned() } else { value.to_string() };
    };
    let (Ok(whole), Ok(mut exponent)) = (mantissa.replace('.', "").parse::<u64>(), exponent.parse::<i32>()) else {
        return value.to_string();
    };
    let short = text.parse::<f64>().is_ok_and(|rounded| rounded < value);
    let mut mantissa = (whole + u64::from(short)).to_string();
    if mantissa.len() > digits {
        mantissa.pop();
        exponent += 1;
    }
    let decimals = digits as i32 - 1 - exponent;
    match exponent {
        -4..0 => format!("0.{}{mantissa}", "0".repeat((-exponent - 1) as usize)),
        0..7 if decimals > 0 => {
            let (whole, fraction) = mantissa.split_at((exponent + 1) as usize);
            format!("{whole}.{fraction}")
        }
        0..7 => mantissa + &"0".repeat(-decimals as usize),
        _ if digits > 1 => format!("{}.{}e{exponent}", &mantissa[..1], &mantissa[1..]),
        _ => format!("{mantissa}e{exponent}"),
    }
}

#[cfg(test)]
mod tests {
    use super::round_up;

    #[test]
    fn bounds_are_never_rounded_down() {
        for (value, digits, want) in [
            (0.007_51, 2, "0.0076"),
            (0.0075, 2, "0.0075"),
            (0.030_000_1, 2, "0.031"),
            (9.96, 2, "10"),
            (0.999, 2, "1.0"),
            (123.4, 2, "130"),
            (1234.0, 4, "1234"),
            (3.21e-9, 2, "3.3e-9"),
            (9.99e-7, 1, "1e-6"),
            (2.4e12, 2, "2.4e12"),
            (0.0, 2, "0"),
        ] {
            assert_eq!(round_up(value, digits), want, "{value}");
        }
        for i in 1..2000 {
            let value = (f64::from(i) * 0.37).exp2() * 1e-100;
            let shown: f64 = round_up(value, 2).parse().expect("a number");
            assert!(shown >= value && shown <= 1.11 * value, "{value} is shown as {shown}");
        }
    }
}
