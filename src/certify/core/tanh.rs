//! The hyperbolic tangent, by the trapezoidal rule with its error proved.
//!
//! With `z = m + s x` an expectation is `∫ f(z) φ(x) dx`. `|tanh z| ≤ 1` for `|Im z| ≤ π/4`, so for `b ≤ π/(4s)` the integrand is
//! analytic in `|Im x| < b` and `∫ |·| dx ≤ e^{b²/2} sup |f|` on every line there. The rule with step `h` and all its nodes is then
//! off by at most `2 e^{b²/2} sup |f|/(e^{2πb/h} − 1)` (Trefethen and Weideman 2014, Theorem 5.1): below 10⁻²⁸ sup |f| where
//! `2πb/h − b²/2 ≥ 66`. Nodes beyond 12 add less than 10⁻³⁰ (2.8 + s)². The page has the constants.

use std::f64::consts::TAU;
use std::sync::OnceLock;

use super::activation::{Activation, Displaced, Moments, ROOT4_OF_3};
use super::normal::{density, padded, upper_tail};
use super::rounding::{
    Interval, U, add_up, cover, div_up, fourth_power, fourth_root, gamma, larger, mul_up, plain_dot, smaller, sqrt_up,
};

/// `tanh z`.
pub(super) struct Tanh;

/// `sup |tanh''| = sup |2 tanh tanh'| = 4/(3√3)`, rounded up.
const CURVATURE: f64 = 0.769_800_359;

/// Steps are `17/32 · 2^−level`, so that nodes are exact.
const STEP: f64 = 17.0 / 32.0;
const LEVELS: usize = 11;
const REACH: f64 = 12.0;

impl Activation for Tanh {
    fn lipschitz(&self) -> f64 {
        1.0
    }

    fn moments(&self, mean: f64, variance: f64) -> Moments {
        if variance == 0.0 {
            let value = padded(libm::tanh(mean));
            return Moments::fixed(value, (Interval::ONE - value.square()).non_negative());
        }
        let Some(sample) = Sample::new(mean, variance) else {
            return saturated(mean, variance);
        };
        let (first, second) = sample.centers();
        let (residual, residual_fourth) = sample.residuals(first.center().0, 1.0 - second.center().0);
        let (spread, spread_fourth) = sample.squares(second.center().0);
        // Taylor: r ≤ ½ sup|a''| √3 s², ‖δ‖₄ ≤ 2.44 s². A Lipschitz function: q ≤ sup|2aa'| s, and against its value at the mean.
        let near = mul_up(mul_up(CURVATURE, 0.866_025_404), variance);
        let steep = mul_up(CURVATURE, sqrt_up(variance));
        Moments {
            mean: first,
            slope: (Interval::ONE - second).non_negative(),
            square: second,
            residual: smaller(residual, mul_up(near, near)),
            square_variance: smaller(spread, mul_up(steep, steep)),
            fourth: smaller(second.hi, add_up(spread, mul_up(second.hi, second.hi))),
            residual_fourth: smaller(residual_fourth, fourth_power(mul_up(2.44, variance))),
            square_fourth: smaller(spread_fourth, fourth_power(mul_up(2.0 * ROOT4_OF_3, steep))),
        }
    }

    /// `‖(a'(ẑ) − f) d‖₂ + ½ sup|a''| ‖d²‖₂`; `a' = 1 − a²`.
    fn displacement(&self, neuron: &Displaced) -> f64 {
        let slope = neuron.slope;
        let always = mul_up(larger(slope, (1.0 - slope).next_up()), sqrt_up(neuron.second()));
        let ((mean, off_mean), (variance, off_variance)) = (neuron.mean.center(), neuron.variance.center());
        if !(variance > 0.0) {
            return always;
        }
        let off_scale = smaller(sqrt_up(off_variance), div_up(off_variance, variance.sqrt().next_down()));
        let moments = self.moments(mean, variance);
        let off_slope = larger((moments.slope.hi - slope).next_up(), (slope - moments.slope.lo).next_up());
        let spread = fourth_root(moments.square_fourth);
        let moved = mul_up(CURVATURE, add_up(off_mean, mul_up(ROOT4_OF_3, off_scale)));
        let linear = mul_up(add_up(add_up(spread, off_slope), moved), neuron.fourth());
        let curved = mul_up(0.5 * CURVATURE, mul_up(neuron.fourth(), neuron.fourth()));
        smaller(always, add_up(linear, curved))
    }
}

/// Nodes and weights of one step.
struct Table {
    nodes: Vec<f64>,
    /// `h φ(x)` or more.
    weights: Vec<f64>,
    /// All by which the weights may be too large, in sum.
    slack: f64,
}

impl Table {
    fn new(level: usize) -> Self {
        let step = STEP / (1_u32 << level) as f64;
        let last = (REACH / step).ceil() as i32;
        let nodes: Vec<f64> = (-last..=last).map(|k| f64::from(k) * step).collect();
        let enclosed: Vec<Interval> = nodes.iter().map(|&x| step * density(x)).collect();
        let slack = enclosed.iter().fold(0.0, |sum, w| add_up(sum, (w.hi - w.lo).next_up()));
        Self { nodes, weights: enclosed.iter().map(|w| w.hi).collect(), slack }
    }

    /// The coarsest whose rule is proved for a standard deviation of at most `scale`.
    fn fine_enough(scale: f64) -> Option<&'static Self> {
        static TABLES: [OnceLock<Table>; LEVELS] = [const { OnceLock::new() }; LEVELS];
        // Below π/4 by more than the roundings here, as 66.1 is above 66.
        let strip = if scale * REACH > 0.785 { 0.785 / scale } else { REACH };
        (0..LEVELS).find_map(|level| {
            let step = STEP / (1_u32 << level) as f64;
            let proved = TAU * strip / step - 0.5 * strip * strip >= 66.1;
            proved.then(|| TABLES.get(level).map(|table| table.get_or_init(|| Table::new(level))))?
        })
    }
}

/// `tanh` at the nodes.
struct Sample {
    table: &'static Table,
    scale: f64,
    values: Vec<f64>,
    /// Each value is off by at most this.
    off: f64,
    /// What the plain sums below may be off by, in parts.
    sums: f64,
}

impl Sample {
    /// `None` for a standard deviation that no table covers, or NaN.
    fn new(mean: f64, variance: f64) -> Option<Self> {
        let scale = variance.sqrt();
        let table = Table::fine_enough(scale.next_up())?;
        let values = table.nodes.iter().map(|x| libm::tanh(mean + scale * x)).collect();
        let off = (4.0 * U * (mean.abs() + 13.0 * scale) + 20.0 * U).next_up();
        let sums = gamma(table.nodes.len() / 8 + 16);
        (off.is_finite() && mean.is_finite()).then_some(Self { table, scale, values, off, sums })
    }

    /// `E a`, `E a²`.
    fn centers(&self) -> (Interval, Interval) {
        let first = plain_dot(&self.table.weights, &self.values);
        let squares: Vec<f64> = self.values.iter().map(|a| a * a).collect();
        let second = plain_dot(&self.table.weights, &squares);
        let common = add_up(add_up(self.table.slack, mul_up(1.01, self.sums)), 1e-26);
        let around = |center: f64, off: f64| {
            let off = add_up(common, mul_up(1.01, off));
            let end = |x: f64| larger(-1.0, smaller(1.0, x));
            Interval::new(end((center - off).next_down()), end((center + off).next_up()))
        };
        (around(first, self.off), around(second, 3.0 * self.off).non_negative())
    }

    /// At least `E δ²` and `E δ⁴` for `δ = a − c − f s x`: for every `c` and `f` the first is at least `r²`.
    /// For the fourth moment the distance to the best `c` and `f` is added.
    fn residuals(&self, c: f64, f: f64) -> (f64, f64) {
        let slope = f * self.scale;
        let delta = self.values.iter().zip(&self.table.nodes).map(|(a, x)| a - c - slope * x);
        let off = add_up(self.off, 6.0 * U * (2.0 + 13.0 * self.scale));
        let s2 = self.scale * self.scale;
        let (second, fourth) = self.powers(delta, off, 1.1e-27 * (1.0 + s2), 1.1e-25 * (1.0 + s2 * s2));
        // E a lies within this of c, and F of f.
        let misplaced = 4.0 * (self.off + self.sums + self.table.slack + 1e-26) * (1.0 + ROOT4_OF_3 * self.scale);
        (second, fourth_power(add_up(fourth_root(fourth), misplaced.next_up())))
    }

    /// At least `E (a² − e)²` and `E (a² − E a²)⁴`.
    fn squares(&self, e: f64) -> (f64, f64) {
        let (second, fourth) = self.powers(self.values.iter().map(|a| a * a - e), 4.0 * self.off, 1e-27, 1e-26);
        let misplaced = 4.0 * (self.off + self.sums + self.table.slack + 1e-26);
        (second, fourth_power(add_up(fourth_root(fourth), misplaced)))
    }

    /// Second and fourth moment of what is known up to `off`, with the rule's errors added: Minkowski, as the weights are a
    /// measure of mass below 1.01.
    fn powers(&self, values: impl Iterator<Item = f64>, off: f64, second: f64, fourth: f64) -> (f64, f64) {
        let squares: Vec<f64> = values.map(|x| x * x).collect();
        let fourths: Vec<f64> = squares.iter().map(|x| x * x).collect();
        let n = squares.len();
        let moment = |powers: &[f64]| cover(plain_dot(&self.table.weights, powers), n / 8 + 16, 3 * n);
        let root = add_up(sqrt_up(moment(&squares)), mul_up(1.01, off));
        let root4 = add_up(fourth_root(moment(&fourths)), mul_up(1.01, off));
        (add_up(mul_up(root, root), second), add_up(fourth_power(root4), fourth))
    }
}

/// For standard deviations above all tables: `tanh` against the sign, `∫ |tanh − sgn| = 2 ln 2` and `∫ tanh' = 2` under a density
/// of at most `φ(0)/s`.
fn saturated(mean: f64, variance: f64) -> Moments {
    let scale = Interval::point(variance).sqrt();
    let t = Interval::point(mean) / scale;
    let sign = Interval::new(upper_tail(-t.lo).lo, upper_tail(-t.hi).hi);
    let off = (Interval::point(0.554) / scale).hi;
    let mean = 2.0 * sign - Interval::ONE + Interval::new(-off, off);
    let slope = Interval::new(0.0, (Interval::point(0.798) / scale).hi);
    let known = mean.hi * 0.0 + 1.0;
    Moments {
        mean,
        slope,
        square: Interval::ONE - slope,
        residual: known,
        square_variance: 0.25,
        fourth: known,
        residual_fourth: 139.0 * known,
        square_fourth: known,
    }
}
