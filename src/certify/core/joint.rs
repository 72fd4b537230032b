//! The proof for several inputs at once: the joint law of the outputs under one random network, as one Gaussian.

use super::gaussian::store_covariance;
use super::joint_law::Stacked;
use super::joint_noise::JointNoise;
use super::matrix::product;
use super::noise::rows_up;
use super::prepared::{Hidden, Prepared};
use super::prove::{Component, State, not_finite};
use super::rounding::{
    add_up, cover, div_up, dot_up, gamma, hypot_up, larger, mul_up, norm_up, smaller, sqrt_up, sum_up,
};
use super::types::{LayerWitness, Method, Proof, Term, TermKind, Witness};
use crate::{Error, Result};

/// Proves a distance between the joint law of the network's outputs at `inputs` and one Gaussian on their stacked values, index
/// `point · outputs + output`. The witness is the tight method's, without splits.
///
/// # Errors
/// When an input or the witness does not fit the network, there is no input, a layer drops neurons, the covariances of a layer
/// do not fit this machine's memory, or any number of the proof is not finite.
pub fn prove_joint(prepared: &Prepared, inputs: &[&[f64]], witness: &Witness) -> Result<Proof> {
    let [first, ..] = inputs else {
        return Err(Error::Config("no inputs: a joint certificate needs one at least".to_owned()));
    };
    let plain = witness.method == Method::Tight && witness.layers.iter().all(|layer| *layer == LayerWitness::default());
    if !plain || witness.layers.len() != prepared.hidden.len() {
        return Err(Error::Config("a joint certificate is made by the tight method without splits".to_owned()));
    }
    if let Some(index) = prepared.hidden.iter().position(|layer| layer.drop.hi != 0.0) {
        let what = format!("layer {} has dropout: joint certificates are for networks without", index + 1);
        return Err(Error::Config(what));
    }
    let (need, have) = (joint_bytes(prepared, inputs.len()), crate::memory::total() as u64);
    if need > have {
        let what = format!("bytes of memory for the joint law at {} inputs: take fewer", inputs.len());
        return Err(Error::Limit { what, need, have });
    }
    let mut state = State::start(&prepared.first, first)?;
    let (mut law, rounding) = Stacked::first(&prepared.first, inputs)?;
    state.terms = vec![Term { layer: 1, kind: TermKind::Rounding, value: rounding }];
    for (index, layer) in prepared.hidden.iter().enumerate() {
        for term in &mut state.terms {
            term.value = mul_up(layer.carry, term.value);
        }
        let (next, distances) = step(layer, law)?;
        if !next.mean.iter().chain(&next.covariance).all(|x| x.is_finite()) {
            return Err(not_finite(index + 1));
        }
        distances.into_iter().for_each(|(kind, value)| state.push(index + 1, kind, value));
        law = next;
    }
    let (gaussian, rounding) = law.gaussian();
    state.push(prepared.hidden.len().max(1), TermKind::Rounding, rounding);
    state.components = vec![Component::new(1.0, gaussian)];
    state.finish(prepared.hidden.len())
}

/// Bytes that [`prove_joint`] takes for `points` inputs, nearly: the covariances of two layers that follow one another, what is kept
/// for every pair of points, and the copies of the last covariance.
pub fn joint_bytes(prepared: &Prepared, points: usize) -> u64 {
    let pairs = |numbers: usize| (points as u64).saturating_mul(points as u64).saturating_mul(numbers as u64);
    let mut before = pairs(prepared.first.outputs);
    let mut most = pairs(prepared.outputs().pow(2)).saturating_mul(4);
    for layer in &prepared.hidden {
        let next = pairs(layer.outputs.pow(2));
        let scratch = pairs(3 * layer.inputs + 2 * layer.outputs);
        most = most.max(before.saturating_add(next).saturating_add(scratch));
        before = next;
    }
    most.saturating_mul(8)
}

/// One layer: the next law, and its distances by kind. The page has the proof.
fn step(layer: &Hidden, mut z: Stacked) -> Result<(Stacked, [(TermKind, f64); 3])> {
    let linear = Linear::new(layer, &z);
    let through = through(layer, &z, &linear.residuals);
    let bent = linear.bent(&z);
    z.scale(&linear.slopes);
    let noise = JointNoise::new(layer, &z, &linear.means, &bent)?;
    let weights = layer.column_variances.iter();
    let gaps = linear.residuals.chunks_exact(z.points).zip(linear.misplaced.chunks_exact(z.points));
    let seen = weights.zip(gaps).fold(0.0, |sum, (&v, (r, m))| add_up(sum, mul_up(v, add_up(sum_up(r), sum_up(m)))));
    let own = hypot_up(sqrt_up(through), add_up(sqrt_up(seen), sqrt_up(noise.cost)));
    let bends = add_up(through, seen);
    let whole = (bends + noise.cost) * (1.0 - 4.0 * f64::EPSILON);
    let share = |square: f64| if square == 0.0 { 0.0 } else { mul_up(own, div_up(square, whole)) };
    let (next, rounding) = moved(layer, &z, &linear.means, &noise);
    let misplaced = sqrt_up(mul_up(layer.gram_norm, sum_up(&linear.misplaced)));
    let distances = [
        (TermKind::Linearisation, share(bends)),
        (TermKind::Noise, share(noise.cost)),
        (TermKind::Rounding, add_up(misplaced, rounding)),
    ];
    Ok((next, distances))
}

/// `g = ā + f∘(z − m)` with exactly these numbers, in the order of the law.
struct Linear {
    means: Vec<f64>,
    slopes: Vec<f64>,
    /// `r²` or more.
    residuals: Vec<f64>,
    /// `E (a − g)² − r²` or more: what the roundings of `ā` and `f` do.
    misplaced: Vec<f64>,
}

impl Linear {
    fn new(layer: &Hidden, z: &Stacked) -> Self {
        let mut linear = Self { means: Vec::new(), slopes: Vec::new(), residuals: Vec::new(), misplaced: Vec::new() };
        for (k, &mean) in z.mean.iter().enumerate() {
            let variance = z.variance(k);
            let moments = layer.activation.moments(mean, variance);
            let ((center, off), (slope, off_slope)) = (moments.mean.center(), moments.slope.center());
            linear.means.push(center);
            linear.slopes.push(slope);
            linear.residuals.push(moments.residual);
            linear.misplaced.push(add_up(mul_up(off, off), mul_up(mul_up(off_slope, off_slope), variance)));
        }
        linear
    }

    /// `K_j = ρ_j∘ρ_j∘r_jr_jᵀ` over the points: `E δ_jδ_jᵀ` on the diagonal and for equal inputs.
    fn bent(&self, z: &Stacked) -> Vec<f64> {
        let scale = |(k, r): (usize, &f64)| if *r == 0.0 { 0.0 } else { r.sqrt() / z.variance(k) };
        let scales: Vec<f64> = self.residuals.iter().enumerate().map(scale).collect();
        let row = |k: usize| z.own(k).iter().zip(&scales[k - k % z.points..]).map(|(c, s)| c * s);
        (0..scales.len())
            .flat_map(|k| row(k).zip(z.own(k)).map(|(x, c)| x * (c * scales[k])).collect::<Vec<f64>>())
            .collect()
    }
}

/// `Σ_points E‖Mδ‖²` by Lemma 2.
fn through(layer: &Hidden, z: &Stacked, residuals: &[f64]) -> f64 {
    let (n, points) = (z.width, z.points);
    if z.independent() {
        return layer
            .columns
            .iter()
            .zip(residuals.chunks_exact(points))
            .fold(0.0, |sum, (&c, r)| add_up(sum, mul_up(c, sum_up(r))));
    }
    (0..points).fold(0.0, |sum, d| {
        let each = (d..n * points).step_by(points);
        let roots: Vec<f64> = each.clone().map(|k| sqrt_up(residuals[k])).collect();
        let inverse = |v: f64| if v == 0.0 { 0.0 } else { 1.0 / v.sqrt() };
        let inverses: Vec<f64> = each.clone().map(|k| inverse(z.variance(k))).collect();
        let mut pairs = 0.0;
        for (j, at) in each.enumerate() {
            for (k, c) in z.row(at).1[d..].iter().step_by(points).enumerate() {
                // A little more than |ρ|, so that neither it nor its square vanishes in underflow.
                let correlation = (c.abs() * inverses[j] * inverses[k] + 1e-100).min(1.0);
                pairs += layer.gram[j * n + k] * correlation * correlation * roots[j] * roots[k];
            }
        }
        let most = roots.iter().copied().fold(0.0, larger);
        let vanished = mul_up((n * n) as f64 * 1e-300, mul_up(most, add_up(most, 1.0)));
        let squares: Vec<f64> = roots.iter().map(|&r| mul_up(r, r)).collect();
        let whole = mul_up(layer.gram_norm, sum_up(&squares));
        add_up(sum, smaller(add_up(cover(pairs, n * n + 24, n * n), vanished), whole))
    })
}

/// The next law, mean `M ā + b̄` and covariance `M C Mᵀ + S̃`, as stored, and its distance to the one with exact products and `T` for
/// `S̃`; `C` is the covariance of `z`.
fn moved(layer: &Hidden, z: &Stacked, means: &[f64], noise: &JointNoise) -> (Stacked, f64) {
    let (n, rows, points) = (z.width, layer.outputs, z.points);
    let mut mean = product(&layer.mean, rows, n, means, points);
    for (row, bias) in mean.chunks_exact_mut(points).zip(&layer.bias_mean) {
        row.iter_mut().for_each(|m| *m += bias);
    }
    let biases = mul_up(sqrt_up(points as f64), layer.bias_norm);
    let lost = (n * rows * points) as f64 * f64::MIN_POSITIVE;
    let off_mean = add_up(mul_up(gamma(n + 2), add_up(mul_up(layer.mean_norm, norm_up(means)), biases)), lost);

    let size = rows * points;
    let mut covariance = Vec::with_capacity(size * size);
    for row in layer.mean.chunks_exact(n) {
        let inner = (!z.independent()).then(|| product(row, 1, n, &z.covariance, points * n * points));
        let both: Vec<f64> = layer.mean.iter().enumerate().map(|(k, m)| m * row[k % n]).collect();
        for d in 0..points {
            covariance.extend(match &inner {
                Some(inner) => product(&layer.mean, rows, n, &inner[d * n * points..][..n * points], points),
                None => {
                    let own: Vec<f64> = (0..n).flat_map(|j| z.own(j * points + d)).copied().collect();
                    product(&both, rows, n, &own, points)
                }
            });
        }
    }
    for (k, shared) in noise.stored.chunks_exact(points).enumerate() {
        let own = &mut covariance[k * size + k - k % points..][..points];
        own.iter_mut().zip(shared).for_each(|(c, s)| *c += s);
    }
    for k in 0..size {
        for l in 0..k {
            covariance[l * size + k] = covariance[k * size + l];
        }
    }
    let trace = covariance.iter().step_by(size + 1).fold(0.0, |sum, &x| add_up(sum, x));
    let rounding = mul_up(gamma(2 * n + 24 + z.roundings), spread(layer, z));
    let lost = mul_up((size * n * n) as f64 * 1e-300, add_up(1.0, mul_up(layer.mean_norm, layer.mean_norm)));
    let off = add_up(add_up(add_up(rounding, lost), sqrt_up(noise.off)), mul_up(f64::EPSILON, trace));
    let (off_covariance, _) = store_covariance(&mut covariance, size, off, noise.floor, |_| false);
    (Stacked { points, width: rows, mean, covariance, roundings: 0 }, hypot_up(off_mean, off_covariance))
}

/// At least `Σ v²` over outputs and points, where the terms of every covariance of `M C Mᵀ` sum to at most `v v'` in absolute values.
fn spread(layer: &Hidden, z: &Stacked) -> f64 {
    let absolute: Vec<f64> = layer.mean.iter().map(|x| x.abs()).collect();
    (0..z.points).fold(0.0, |sum, d| {
        let variances: Vec<f64> = (0..z.width).map(|j| cover(z.variance(j * z.points + d), 4, 1)).collect();
        add_up(
            sum,
            if z.independent() {
                dot_up(&layer.columns, &variances)
            } else {
                let scales: Vec<f64> = variances.iter().map(|&v| sqrt_up(v)).collect();
                let length = norm_up(&rows_up(&absolute, &scales));
                mul_up(length, length)
            },
        )
    })
}
