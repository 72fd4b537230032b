//! Theorem 1: Euclidean gradient flow on `(μ, C)`, `Σ = CCᵀ`, is the Bures–Wasserstein gradient flow on `(μ, Σ)`, but for the time scale `K`.

use crate::Result;
use crate::data::{Features, LoadOptions, Targets, load};
use crate::math::eigen::square_root;
use crate::plot::{Line, LinePoint, LinesPanel};
use crate::reference::joint_regression::Layer;
use crate::reference::philox::Philox;

/// What is compared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flows<'a> {
    /// Components of the regression layer.
    pub(super) components: usize,
    /// How long both flows go on.
    pub(super) time: f64,
    /// Steps that this time is cut into; each a run.
    pub(super) steps: &'a [usize],
}

/// Both flows with one number of steps.
#[derive(Clone, Debug)]
struct Pair {
    step: f64,
    /// Losses of the Euclidean and of the Bures–Wasserstein flow at the beginning of every step, and at the end.
    losses: [Vec<f64>; 2],
    /// Root of the summed squares of the differences in means and covariances, at the end.
    gap: f64,
}

/// What came out.
#[derive(Clone, Debug)]
pub(super) struct Compared {
    pairs: Vec<Pair>,
}

/// Inputs `(x, 1)` and targets of a regression in one dimension.
struct Problem {
    x: Vec<f64>,
    y: Vec<f64>,
    components: usize,
}

/// Inputs, with the constant that stands for a bias.
const INPUTS: usize = 2;
/// Coordinates of `(ω, β)`.
const WIDTH: usize = INPUTS + 1;
const ENTRIES: usize = WIDTH * WIDTH;

/// Means `[K, 1+d]`, and either roots or covariances `[K, 1+d, 1+d]`; or how these move.
#[derive(Clone)]
struct Point {
    mu: Vec<f64>,
    matrix: Vec<f64>,
}

impl Point {
    fn moved(&self, step: f64, velocity: &Self) -> Self {
        let add = |x: &[f64], v: &[f64]| x.iter().zip(v).map(|(x, v)| x + step * v).collect();
        Self { mu: add(&self.mu, &velocity.mu), matrix: add(&self.matrix, &velocity.matrix) }
    }
}

/// What moves a layer, seen both ways.
struct Velocities {
    loss: f64,
    mu: Vec<f64>,
    root: Vec<f64>,
    covariance: Vec<f64>,
}

pub(super) fn compare(plan: &Flows<'_>) -> Result<Compared> {
    let problem = Problem::noisy_sines(plan.components)?;
    let pairs = plan.steps.iter().map(|&steps| problem.pair(plan.time, steps));
    Ok(Compared { pairs: pairs.collect::<Result<_>>()? })
}

impl Problem {
    fn noisy_sines(components: usize) -> Result<Self> {
        let data = load("noisy-sines", &LoadOptions::default())?;
        let (Features::F32(x), Targets::Values { values, .. }) = (&data.train.features, &data.train.targets) else {
            return Err(crate::Error::Config("noisy-sines is no regression".to_owned()));
        };
        let x = x.iter().flat_map(|&x| [f64::from(x), 1.0]).collect();
        Ok(Self { x, y: values.iter().map(|&y| f64::from(y)).collect(), components })
    }

    /// `μ ~ N(0, 1)`, `C = I/2 + ` a little noise: no component's covariance commutes with what moves it.
    fn start(&self) -> Point {
        let mut random = Philox::new(0, 0);
        let mu = (0..self.components * WIDTH).map(|_| random.normal()).collect();
        let identity = |at: usize| if (at % ENTRIES).is_multiple_of(WIDTH + 1) { 0.5 } else { 0.0 };
        let matrix = (0..self.components * ENTRIES).map(|at| identity(at) + 0.1 * random.normal()).collect();
        Point { mu, matrix }
    }

    /// Loss, and the velocities of means, roots and covariances at means and roots.
    fn velocities(&self, at: &Point) -> Result<Velocities> {
        let layer = Layer { components: self.components, inputs: INPUTS, mu: &at.mu, root: &at.matrix };
        let gradient = layer.gradient(&self.x, &self.y)?;
        let (mu, covariance) = layer.velocity(&gradient);
        let root = gradient.root.iter().map(|g| -(self.components as f64) * g).collect();
        Ok(Velocities { loss: gradient.loss, mu, root, covariance })
    }

    /// Loss and velocity of the Euclidean flow on `(μ, C)`, in the time of the other.
    fn euclidean(&self, at: &Point) -> Result<(f64, Point)> {
        let Velocities { loss, mu, root, .. } = self.velocities(at)?;
        Ok((loss, Point { mu, matrix: root }))
    }

    /// Loss and velocity of the Bures–Wasserstein flow on `(μ, Σ)`: whatever root of `Σ` is taken, here the symmetric one.
    fn bures_wasserstein(&self, at: &Point) -> Result<(f64, Point)> {
        let roots =
            at.matrix.chunks_exact(ENTRIES).map(|sigma| square_root(sigma, WIDTH)).collect::<Result<Vec<_>>>()?;
        let rooted = Point { mu: at.mu.clone(), matrix: roots.concat() };
        let Velocities { loss, mu, covariance, .. } = self.velocities(&rooted)?;
        Ok((loss, Point { mu, matrix: covariance }))
    }

    /// Both flows by the midpoint rule, whose error is of the second order in the step.
    fn pair(&self, time: f64, steps: usize) -> Result<Pair> {
        let step = time / steps as f64;
        let mut euclidean = self.start();
        let mut wasserstein = Point { mu: euclidean.mu.clone(), matrix: self.covariances(&euclidean) };
        let mut losses = [Vec::new(), Vec::new()];
        for done in 0..=steps {
            let (loss, velocity) = self.euclidean(&euclidean)?;
            losses[0].push(loss);
            let (other, push) = self.bures_wasserstein(&wasserstein)?;
            losses[1].push(other);
            if done == steps {
                break;
            }
            let (_, middle) = self.euclidean(&euclidean.moved(0.5 * step, &velocity))?;
            euclidean = euclidean.moved(step, &middle);
            let (_, middle) = self.bures_wasserstein(&wasserstein.moved(0.5 * step, &push))?;
            wasserstein = wasserstein.moved(step, &middle);
        }
        let squares = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
        let gap = squares(&euclidean.mu, &wasserstein.mu) + squares(&self.covariances(&euclidean), &wasserstein.matrix);
        Ok(Pair { step, losses, gap: gap.sqrt() })
    }

    fn covariances(&self, at: &Point) -> Vec<f64> {
        let layer = Layer { components: self.components, inputs: INPUTS, mu: &at.mu, root: &at.matrix };
        (0..self.components).flat_map(|k| layer.covariance(k)).collect()
    }
}

impl Compared {
    /// Slope of the gap against the step, both logarithmic.
    pub(super) fn slope(&self) -> f64 {
        let (Some(coarse), Some(fine)) = (self.pairs.first(), self.pairs.last()) else { return f64::NAN };
        (coarse.gap / fine.gap).ln() / (coarse.step / fine.step).ln()
    }

    /// The losses by time with the coarsest steps, and the gap by step beside a line of slope 2.
    pub(super) fn panels(&self) -> Vec<LinesPanel> {
        let Some(coarse) = self.pairs.first() else { return Vec::new() };
        let course = |label: &str, losses: &[f64], reference| {
            let at = |(i, &loss): (usize, &f64)| LinePoint { x: i as f64 * coarse.step, mean: loss, spread: 0.0 };
            Line { label: label.to_owned(), points: losses.iter().enumerate().map(at).collect(), reference }
        };
        let gaps: Vec<LinePoint> =
            self.pairs.iter().rev().map(|pair| LinePoint { x: pair.step, mean: pair.gap, spread: 0.0 }).collect();
        let square = |point: &LinePoint| {
            let mean = coarse.gap * (point.x / coarse.step) * (point.x / coarse.step);
            LinePoint { mean, ..*point }
        };
        let ideal = Line { label: "slope 2".to_owned(), points: gaps.iter().map(square).collect(), reference: true };
        let panel = |title: &str, x: &str, y: &str, log, lines| LinesPanel {
            title: title.to_owned(),
            x: x.to_owned(),
            y: y.to_owned(),
            log_x: log,
            log_y: log,
            lines,
        };
        let losses = vec![
            course("Euclidean on (μ, C)", &coarse.losses[0], false),
            course("Bures–Wasserstein on (μ, Σ)", &coarse.losses[1], true),
        ];
        let gap = Line { label: "gap at the end".to_owned(), points: gaps, reference: false };
        vec![
            panel("noisy-sines", "time", "mean squared error", false, losses),
            panel("noisy-sines", "step", "gap in means and covariances", true, vec![gap, ideal]),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Halving the step quarters the gap, and the losses of both flows fall together.
    #[test]
    fn the_flows_are_one() {
        let found = compare(&Flows { components: 3, time: 0.5, steps: &[20, 40, 80] }).expect("flows");
        for pair in found.pairs.windows(2) {
            let ratio = pair[0].gap / pair[1].gap;
            assert!((3.7..4.3).contains(&ratio), "{ratio}");
        }
        let [first, second] = &found.pairs[2].losses;
        assert!(first.last() < Some(&(0.9 * first[0])), "{first:?}");
        for (a, b) in first.iter().zip(second) {
            assert!((a - b).abs() < 1e-3 * a, "{a} {b}");
        }
        assert!((found.slope() - 2.0).abs() < 0.1);
    }
}
