//! Moments of an activation of a normal variable, as Lemmas 2 to 6 of the tighter bounds need them.
//!
//! For `z ~ N(m, s²)`: `E a`, `F = E a'`, `E a²`, the residual `r² = Var a − F² s²` of the statistical linearisation
//! `g = E a + F (z − m)`, `Var a²`, `E δ⁴` with `δ = a − g`, `E a⁴` and `E (a² − E a²)⁴`.
//!
//! The work is done in `f64` whatever the float type is: eighth powers leave `f32`'s range and digits long before the
//! results do, and these are a few numbers a neuron beside the matrix products of a layer.

use super::Real;
use super::normal::FRAC_1_SQRT_2PI;
use super::tail_moments::tail_moments;
use super::threads::each;
use crate::Result;
use crate::shape::expect_len;
use rayon::prelude::*;

/// An activation that is applied entry by entry and whose moments are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elementwise {
    /// `a(z) = z`.
    Identity,
    /// `a(z) = max(z, 0)`.
    Relu,
    /// `a(z) = tanh z`.
    Tanh,
}

/// The largest deviation for which the moments of `tanh` have full accuracy.
pub const WIDEST: f64 = 32.0;

/// Moments that are computed; [`planes`] lays them out as so many arrays, in the order of [`Moments`]' fields.
pub const PLANES: usize = 8;

/// Moments of `a(z)`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments<T> {
    /// `E a`.
    pub mean: T,
    /// `F = E a'`; of the rectifier `P(z > 0)`.
    pub slope: T,
    /// `E a²`.
    pub second: T,
    /// `r² = E δ² = Var a − F² s²`.
    pub residual: T,
    /// `Var a²`.
    pub square_variance: T,
    /// `E δ⁴`.
    pub residual_fourth: T,
    /// `E a⁴`.
    pub fourth: T,
    /// `E (a² − E a²)⁴`.
    pub square_fourth: T,
}

/// The moments of every `N(mean, variance)`, `[n]` each, as the planes `[8, n]`.
///
/// # Errors
/// [`crate::Error::Shape`] when the lengths differ.
pub fn planes<T: Real>(kind: Elementwise, mean: &[T], variance: &[T], out: &mut [T]) -> Result<()> {
    const OP: &str = "activation moments";
    /// Variables that a thread takes at a time.
    const BLOCK: usize = 1024;
    let n = mean.len();
    expect_len(OP, "variance [n]", variance.len(), n)?;
    expect_len(OP, "moments [8,n]", out.len(), PLANES * n)?;
    let pairs = mean.par_chunks(BLOCK).zip(variance.par_chunks(BLOCK));
    let mut found = vec![[T::ZERO; PLANES]; n];
    each(found.par_chunks_mut(BLOCK).zip(pairs), |(found, (mean, variance))| {
        for ((found, &mean), &variance) in found.iter_mut().zip(mean).zip(variance) {
            *found = moments(kind, mean, variance).planes();
        }
    });
    for (plane, out) in out.chunks_exact_mut(n.max(1)).enumerate() {
        out.iter_mut().zip(&found).for_each(|(out, found)| *out = found[plane]);
    }
    Ok(())
}

/// The moments of one `N(mean, variance)`. For `tanh` by the trapezoidal rule: good to 1e-12 for deviations up to [`WIDEST`];
/// beyond, the rule's step stays, and its error grows to a step's share of the mass, 2e-3.
pub fn moments<T: Real>(kind: Elementwise, mean: T, variance: T) -> Moments<T> {
    let (m, v) = (mean.to_f64(), variance.to_f64());
    let found = match kind {
        Elementwise::Identity => identity(m, v),
        Elementwise::Relu => relu(m, v),
        Elementwise::Tanh => tanh(m, v),
    };
    found.map(T::of)
}

impl<T: Copy> Moments<T> {
    fn map<U>(self, f: impl Fn(T) -> U) -> Moments<U> {
        Moments {
            mean: f(self.mean),
            slope: f(self.slope),
            second: f(self.second),
            residual: f(self.residual),
            square_variance: f(self.square_variance),
            residual_fourth: f(self.residual_fourth),
            fourth: f(self.fourth),
            square_fourth: f(self.square_fourth),
        }
    }

    /// The fields in order.
    pub fn planes(self) -> [T; PLANES] {
        [
            self.mean,
            self.slope,
            self.second,
            self.residual,
            self.square_variance,
            self.residual_fourth,
            self.fourth,
            self.square_fourth,
        ]
    }
}

fn identity(m: f64, v: f64) -> Moments<f64> {
    let m2 = m * m;
    Moments {
        mean: m,
        slope: 1.0,
        second: m2 + v,
        residual: 0.0,
        square_variance: v * (4.0 * m2 + 2.0 * v),
        residual_fourth: 0.0,
        fourth: m2 * m2 + v * (6.0 * m2 + 3.0 * v),
        square_fourth: v * v * (48.0 * m2 * m2 + v * (240.0 * m2 + 60.0 * v)),
    }
}

/// With `I_k = E (x − τ)₊^k`, `x ~ N(0, 1)`, `τ = |t|`, `t = m/s`: left of 0 the moments of `a` are those; right of it
/// `a(z) = z + a(−z)`, and `a(z)^k = z^k − (−1)^k a(−z)^k` leaves polynomials less tails. `δ` is the same on both sides up to a reflection.
fn relu(m: f64, v: f64) -> Moments<f64> {
    if v == 0.0 {
        let a = m.max(0.0);
        let slope = if m > 0.0 { 1.0 } else { 0.0 };
        return Moments { mean: a, slope, second: a * a, fourth: a * a * a * a, ..Moments::default() };
    }
    let s = v.sqrt();
    let t = m / s;
    let i = tail_moments(t.abs());
    let density = FRAC_1_SQRT_2PI * libm::exp(-0.5 * t * t);
    let residual = v * (i[2] - i[1] * i[1] - i[0] * i[0]);
    let residual_fourth = v * v * relu_residual_fourth(density, &i);
    if t <= 0.0 {
        let square_fourth = i[8] - 4.0 * i[2] * i[6] + 6.0 * i[2] * i[2] * i[4] - 3.0 * i[2].powi(4);
        return Moments {
            mean: s * i[1],
            slope: i[0],
            second: v * i[2],
            residual,
            square_variance: v * v * (i[4] - i[2] * i[2]),
            residual_fourth,
            fourth: v * v * i[4],
            square_fourth: v.powi(4) * square_fourth,
        };
    }
    let linear = identity(m, v);
    // Where the tails vanish, so does their product with powers of t.
    let w = t.min(40.0).powi(2);
    let a = w + 1.0;
    let varying = 2.0 * i[2] * a - i[4] - i[2] * i[2];
    let first = i[2] * (4.0 * w * w * w + 12.0 * w * w + 108.0 * w + 36.0) - 12.0 * w * w * i[2] * i[2];
    let second = 12.0 * a * i[2].powi(3) - 3.0 * i[2].powi(4) - 6.0 * a * a * i[4] + 4.0 * a * i[6] - i[8];
    let third = i[2] * (12.0 * a * i[4] - 4.0 * i[6]) - 6.0 * i[2] * i[2] * i[4];
    Moments {
        mean: m + s * i[1],
        slope: 1.0 - i[0],
        second: linear.second - v * i[2],
        residual,
        square_variance: linear.square_variance + v * v * varying,
        residual_fourth,
        fourth: linear.fourth - v * v * i[4],
        square_fourth: linear.square_fourth + v.powi(4) * (first + second + third),
    }
}

/// `E δ⁴/s⁴`, expanded by the two pieces of the rectifier.
fn relu_residual_fourth(p: f64, i: &[f64; 9]) -> f64 {
    let (f, c) = (i[0], i[1]);
    i[4] * ((1.0 - f).powi(4) - f.powi(4)) - 4.0 * p * i[3] * (1.0 - 3.0 * f + 3.0 * f * f)
        + 6.0 * p * p * i[2] * (1.0 - 2.0 * f)
        - 4.0 * p.powi(3) * c
        + c.powi(4)
        + 6.0 * c * c * f * f
        + 3.0 * f.powi(4)
}

/// By the trapezoidal rule on `z = m + s x`. `tanh` is analytic and at most 1 for `|Im z| ≤ π/4`, so a step `h` errs by less than
/// `2 e^{b²/2 − 2πb/h}` for every `b ≤ π/(4s)`: below 1e-16 for the steps here. Where `tanh` is saturated, fourth powers of what is left grow
/// like `e^{8s|x|}` as far as the middle, and nodes reach farther.
fn tanh(m: f64, v: f64) -> Moments<f64> {
    let s = v.sqrt();
    let reach = f64::min(11.0 + f64::min(8.0 * s, m.abs() / s.max(1e-150)), 30.0);
    let step = f64::min(0.25, 0.125 / s.min(WIDEST));
    let last = (reach / step).ceil() as i32;
    let at = Point { mean: m, value: libm::tanh(m), slope: slope_at(m) };
    let node = |k: i32| {
        let x = f64::from(k) * step;
        (x, step * FRAC_1_SQRT_2PI * libm::exp(-0.5 * x * x), at.bend(s * x))
    };
    let nodes: Vec<(f64, f64, f64)> = (-last..=last).map(node).collect();
    let expect = |f: &dyn Fn(f64, f64) -> f64| nodes.iter().map(|&(x, w, bend)| w * f(x, bend)).sum::<f64>();
    // a = tanh m + rise, a² = tanh² m + grown.
    let rise = |x: f64, bend: f64| at.slope * s * x + bend;
    let grown = |x: f64, bend: f64| rise(x, bend) * (2.0 * at.value + rise(x, bend));
    let (offset, tilt) = (expect(&|_, bend| bend), expect(&|x, bend| x * bend));
    let delta = |x: f64, bend: f64| bend - offset - tilt * x;
    let growth = expect(&grown);
    Moments {
        mean: at.value + offset,
        slope: expect(&|x, _| slope_at(m + s * x)),
        second: expect(&|x, bend| (at.value + rise(x, bend)).powi(2)),
        residual: expect(&|x, bend| delta(x, bend).powi(2)),
        square_variance: expect(&|x, bend| (grown(x, bend) - growth).powi(2)),
        residual_fourth: expect(&|x, bend| delta(x, bend).powi(4)),
        fourth: expect(&|x, bend| (at.value + rise(x, bend)).powi(4)),
        square_fourth: expect(&|x, bend| (grown(x, bend) - growth).powi(4)),
    }
}

/// `tanh' = 1/cosh²`.
fn slope_at(z: f64) -> f64 {
    libm::cosh(z).powi(-2)
}

/// `tanh` and its slope at a mean.
struct Point {
    mean: f64,
    value: f64,
    slope: f64,
}

impl Point {
    /// `tanh(m + d) − tanh m − d tanh' m`, to its own relative accuracy: narrow Gaussians see nothing else of the activation.
    fn bend(&self, d: f64) -> f64 {
        let z = self.mean + d;
        if d.abs() < 0.05 {
            let d2 = d * d;
            // tanh d − d.
            let series = [-1.0 / 3.0, 2.0 / 15.0, -17.0 / 315.0, 62.0 / 2835.0, -1382.0 / 155_925.0];
            let less = d * d2 * series.iter().rev().fold(0.0, |sum, c| sum * d2 + c);
            let turn = d + less;
            return self.slope * (less - self.value * turn * d) / (1.0 + self.value * turn);
        }
        let rise = if d.abs() < 1.0 {
            libm::sinh(d) / (libm::cosh(z) * libm::cosh(self.mean))
        } else if (z < 0.0) == (self.mean < 0.0) {
            // Saturated on one side, the values differ by less than they are known; their distances from ±1 do not.
            let short = |z: f64| 2.0 / (libm::exp(2.0 * z.abs()) + 1.0);
            let gap = short(self.mean) - short(z);
            if z < 0.0 { -gap } else { gap }
        } else {
            libm::tanh(z) - self.value
        };
        rise - self.slope * d
    }
}
