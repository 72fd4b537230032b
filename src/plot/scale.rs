//! Axis ranges, positions and round-numbered ticks, linear or logarithmic.

/// An axis: the values it spans and how they are spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    log: bool,
}

impl Scale {
    /// The vertical axis for these values: logarithmic when all are positive and they span more than a factor of ten.
    /// `None` when there is no finite value.
    pub(super) fn vertical(values: impl Iterator<Item = f64> + Clone) -> Option<Self> {
        let (min, max) = extremes(values)?;
        if min > 0.0 && max > 10.0 * min {
            return Some(Self { low: min / 1.1, high: max * 1.1, log: true });
        }
        if min == max {
            let room = if min == 0.0 { 1.0 } else { 0.2 * min.abs() };
            return Some(Self { low: min - room, high: max + room, log: false });
        }
        let room = 0.06 * (max - min);
        // Values that come near zero are better read from a zero line.
        let low = if min >= 0.0 && min < 0.4 * max { 0.0 } else { min - room };
        Some(Self { low, high: max + room, log: false })
    }

    /// A logarithmic axis for the values above 0 among these. `None` when there are none.
    pub(super) fn logarithmic(values: impl Iterator<Item = f64>) -> Option<Self> {
        let (min, max) = extremes(values.filter(|v| *v > 0.0))?;
        Some(Self { low: min / 1.1, high: max * 1.1, log: true })
    }

    /// The horizontal axis for these counts of epochs or steps. `None` when there are none.
    pub(super) fn horizontal(values: impl Iterator<Item = f64> + Clone) -> Option<Self> {
        let (min, max) = extremes(values)?;
        let room = if min == max { 0.5 } else { 0.02 * (max - min) };
        Some(Self { low: min - room, high: max + room, log: false })
    }

    /// The vertical axis from zero to these values, for what is stacked. `None` when there is none above zero.
    pub(super) fn from_zero(values: impl Iterator<Item = f64>) -> Option<Self> {
        let (_, max) = extremes(values)?;
        (max > 0.0).then_some(Self { low: 0.0, high: 1.06 * max, log: false })
    }

    /// Where `value` lies between the ends of the axis, as a fraction clamped to 0..1.
    pub(super) fn position(&self, value: f64) -> f64 {
        let map = |v: f64| if self.log { v.max(f64::MIN_POSITIVE).ln() } else { v };
        ((map(value) - map(self.low)) / (map(self.high) - map(self.low))).clamp(0.0, 1.0)
    }

    /// Ticks at round numbers, with their labels; `whole` allows integers only.
    pub(super) fn ticks(&self, whole: bool) -> Vec<(f64, String)> {
        if self.log { self.log_ticks() } else { self.linear_ticks(whole) }
    }

    fn linear_ticks(&self, whole: bool) -> Vec<(f64, String)> {
        let rough = (self.high - self.low) / 5.0;
        let decade = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * decade).into_iter().find(|s| *s >= rough).unwrap_or(rough);
        let step = if whole { step.max(1.0) } else { step };
        let decimals = (-step.log10().floor()).clamp(0.0, 12.0) as usize;
        let (first, last) = ((self.low / step).ceil() as i64, (self.high / step).floor() as i64);
        let label =
            |v: f64| if (1e-6..1e7).contains(&step) { group(&format!("{v:.decimals$}")) } else { format!("{v:e}") };
        (first..=last).map(|i| i as f64 * step).map(|v| (v, label(v))).collect()
    }

    fn log_ticks(&self) -> Vec<(f64, String)> {
        let decades = self.high.log10() - self.low.log10();
        let every = (decades / 6.0).ceil().max(1.0) as usize;
        let multiples: &[f64] = if decades <= 3.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let (first, last) = (self.low.log10().floor() as i32, self.high.log10().ceil() as i32);
        (first..=last)
            .filter(|power| power.rem_euclid(every as i32) == 0)
            .flat_map(|power| multiples.iter().map(move |m| (m * 10_f64.powi(power), *m, power)))
            .filter(|(value, ..)| (self.low..=self.high).contains(value))
            .map(|(value, m, power)| {
                let plain = (-4..=4).contains(&power) && decades <= 3.0;
                let label = if plain { plain_number(value, power) } else { scientific(m, power) };
                (value, label)
            })
            .collect()
    }
}

fn extremes(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.filter(|v| v.is_finite()).fold(None, |range, v| {
        let (min, max) = range.unwrap_or((v, v));
        Some((min.min(v), max.max(v)))
    })
}

fn plain_number(value: f64, power: i32) -> String {
    let decimals = power.min(0).unsigned_abs() as usize;
    group(&format!("{value:.decimals$}"))
}

fn scientific(multiple: f64, power: i32) -> String {
    let exponent: String = power.to_string().chars().map(superscript).collect();
    if multiple == 1.0 { format!("10{exponent}") } else { format!("{multiple}·10{exponent}") }
}

fn superscript(digit: char) -> char {
    match digit {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '0'..='9' => char::from_u32('⁰' as u32 + digit as u32 - '0' as u32).unwrap_or(digit),
        other => other,
    }
}

/// Puts a comma between thousands from five digits on, and a true minus sign in front of negative numbers.
fn group(number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |rest| ("−", rest));
    let (whole, fraction) = digits.find('.').map_or((digits, ""), |dot| digits.split_at(dot));
    let mut grouped = sign.to_owned();
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && whole.len() > 4 && (whole.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(c);
    }
    grouped + fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: Scale, whole: bool) -> Vec<String> {
        scale.ticks(whole).into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round_numbers() {
        let scale = |values: &'static [f64]| Scale::vertical(values.iter().copied()).expect("finite values");
        assert_eq!(labels(scale(&[0.1, 0.52]), false), ["0.0", "0.2", "0.4"]);
        assert_eq!(labels(scale(&[2.4, 40.0]), false), ["5", "10", "20"]);
        assert_eq!(labels(scale(&[1e-5, 1.0]), false), ["10⁻⁵", "10⁻⁴", "10⁻³", "10⁻²", "10⁻¹", "10⁰"]);
        assert_eq!(labels(scale(&[-1.0, 1.0]), false), ["−1.0", "−0.5", "0.0", "0.5", "1.0"]);
        let epochs = Scale::horizontal([1.0, 3.0].into_iter()).expect("finite values");
        assert_eq!(labels(epochs, true), ["1", "2", "3"]);
    }

    #[test]
    fn every_input_gives_a_usable_axis_or_none() {
        assert_eq!(Scale::vertical([f64::NAN].into_iter()), None);
        for values in
            [vec![0.0], vec![3.0], vec![-2.0, -2.0], vec![0.0, 1e-300], vec![1e-300, 1e300], vec![-1e300, 1e300]]
        {
            let scale = Scale::vertical(values.iter().copied()).expect("finite values");
            assert!(values.iter().all(|v| (0.0..=1.0).contains(&scale.position(*v))), "{values:?}");
            assert!(scale.ticks(false).len() < 40, "{values:?}");
        }
    }
}
