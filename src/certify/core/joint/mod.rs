//! The proof for several inputs at once: the joint law of the outputs under one random network, as one Gaussian.

mod law;
mod noise;

use self::law::JointLaw;
use self::noise::JointNoise;
use super::gaussian::store_covariance;
use super::layer::{Neurons, step as one_point};
use super::matrix::product;
use super::prepared::{Hidden, Prepared};
use super::prove::{Component, State};
use super::rounding::{add_up, cover, dot_up, gamma, hypot_up, mul_up, sqrt_up, sum_up};
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
    let (law, rounding) = JointLaw::first(&prepared.first, inputs)?;
    let mut law = law.within(1)?;
    state.terms = vec![Term { layer: 1, kind: TermKind::Rounding, value: rounding }];
    for (index, layer) in prepared.hidden.iter().enumerate() {
        for term in &mut state.terms {
            term.value = mul_up(layer.carry, term.value);
        }
        let (next, (own, squares), rounding) = step(layer, law)?;
        law = next.within(index + 1)?;
        state.share(index + 1, own, squares);
        state.push(index + 1, TermKind::Rounding, rounding);
    }
    let (gaussian, rounding) = law.gaussian();
    state.push(prepared.hidden.len().max(1), TermKind::Rounding, rounding);
    state.components = vec![Component::new(1.0, gaussian)];
    state.finish(prepared.hidden.len())
}

/// Bytes that [`prove_joint`] takes for `points` inputs, at most: the covariances of all layers, what is kept for every pair of points,
/// and copies of the last covariance.
pub fn joint_bytes(prepared: &Prepared, points: usize) -> u64 {
    let last = 4 * prepared.outputs().pow(2) + prepared.first.outputs;
    let layers = prepared.hidden.iter().map(|layer| layer.outputs.pow(2) + 3 * layer.inputs + 3 * layer.outputs);
    let each = (8 * layers.fold(last, usize::saturating_add)) as u64;
    (points as u64).saturating_mul(points as u64).saturating_mul(each)
}

/// One layer: the next law, its distance by Lemma 2's coupling of all points at once (with the squares in proportion to which its
/// causes share it), and the distance of rounding. The page has the proof.
fn step(layer: &Hidden, mut z: JointLaw) -> Result<(JointLaw, (f64, [f64; 3]), f64)> {
    let size = z.mean.len();
    // g = ā + f∘(z − m) with exactly the numbers here; K_j = ρ_j∘ρ_j∘r_jr_jᵀ over the points.
    let (mut means, mut slopes, mut bends) = (vec![0.0; size], vec![0.0; size], vec![0.0; size]);
    let (mut through, mut seen, mut misplaced) = (0.0, 0.0, 0.0);
    let (mut mean, mut off_mean) = (vec![0.0; layer.outputs * z.points], 0.0);
    for d in 0..z.points {
        let law = z.at(d);
        let neurons = Neurons::new(layer, &law);
        for (j, x) in neurons.moments.iter().enumerate() {
            let (k, variance) = (j * z.points + d, law.variance(j));
            let ((mean, off), (slope, off_slope)) = (x.mean.center(), x.slope.center());
            (means[k], slopes[k]) = (mean, slope);
            bends[k] = if x.residual == 0.0 { 0.0 } else { x.residual.sqrt() / variance };
            let moved = add_up(mul_up(off, off), mul_up(mul_up(off_slope, off_slope), variance));
            misplaced = add_up(misplaced, moved);
            seen = add_up(seen, mul_up(layer.column_variances[j], add_up(x.residual, moved)));
        }
        let what = || Error::Config(format!("one of {} inputs alone has no certificate", z.points));
        let alone = one_point(layer, &law, neurons, false, &[]).ok_or_else(what)?;
        through = add_up(through, alone.own[0]);
        off_mean = hypot_up(off_mean, alone.rounding);
        alone.next.mean.iter().enumerate().for_each(|(i, &m)| mean[i * z.points + d] = m);
    }
    let bent = |k: usize| {
        let others = z.own(k).iter().zip(&bends[k - k % z.points..]);
        others.map(|(c, b)| (c * b) * (c * bends[k])).collect::<Vec<f64>>()
    };
    let bent: Vec<f64> = (0..size).flat_map(bent).collect();
    z.scale(&slopes);
    let noise = JointNoise::new(layer, &z, &means, &bent)?;
    let (covariance, off_covariance) = spread(layer, &z, &noise);
    let own = hypot_up(sqrt_up(through), add_up(sqrt_up(seen), sqrt_up(noise.cost)));
    let squares = [add_up(through, seen), noise.cost, 0.0];
    let next = JointLaw { points: z.points, width: layer.outputs, mean, covariance, roundings: 0 };
    let rounding = add_up(hypot_up(off_mean, off_covariance), sqrt_up(mul_up(layer.gram_norm, misplaced)));
    Ok((next, (own, squares), rounding))
}

/// The next covariance `M C Mᵀ + S̃` as stored, `C` that of `z`, and its distance to the one with exact products and `T` for `S̃`.
fn spread(layer: &Hidden, z: &JointLaw, noise: &JointNoise) -> (Vec<f64>, f64) {
    let (n, rows, points) = (z.width, layer.outputs, z.points);
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
    let sizes: Vec<f64> =
        (0..n).map(|j| cover((0..points).map(|d| z.variance(j * points + d)).sum(), points + 4, 1)).collect();
    // The terms of a covariance sum to at most v v' in absolute values; this is Σ v².
    let spread = if z.independent() {
        dot_up(&layer.columns, &sizes)
    } else {
        mul_up(mul_up(layer.mean_norm, layer.mean_norm), sum_up(&sizes))
    };
    let trace = sum_up(&covariance.iter().step_by(size + 1).copied().collect::<Vec<f64>>());
    let lost = mul_up((size * size * n) as f64 * 1e-300, add_up(1.0, mul_up(layer.mean_norm, layer.mean_norm)));
    let products = add_up(mul_up(gamma(2 * n + 24 + z.roundings), spread), lost);
    let off = add_up(add_up(products, sqrt_up(noise.off)), mul_up(f64::EPSILON, trace));
    let (off_covariance, _) = store_covariance(&mut covariance, size, off, noise.floor, |_| false);
    (covariance, off_covariance)
}
