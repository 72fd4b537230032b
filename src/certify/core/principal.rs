//! Leading eigenvectors of `diag(d) + UUᵀ`. Nothing rests on them: any directions make a sound signature, these make a small one.

use super::bures_distance::{Merged, factorise, pair, solve};
use super::rounding::plain_dot;

/// Halvings of the interval that holds an eigenvalue.
const HALVINGS: usize = 60;

/// At most `count` eigenvectors, those of the largest eigenvalues, in order: eigenvalues by bisection, vectors by inverse iteration.
pub(super) fn principal(of: &Merged, count: usize) -> Vec<Vec<f64>> {
    let n = of.mean.len();
    if of.columns.is_empty() {
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&a, &b| of.variances[b].total_cmp(&of.variances[a]).then(a.cmp(&b)));
        let unit = |j: usize| (0..n).map(|i| f64::from(u8::from(i == j))).collect();
        return order.into_iter().take(count).map(unit).collect();
    }
    let mut found: Vec<Vec<f64>> = Vec::new();
    for index in 0..count.min(n) {
        let (mut low, mut high) = (0.0, of.trace());
        for _ in 0..HALVINGS {
            let middle = 0.5 * (low + high);
            if Shifted::new(of, middle).above > index { low = middle } else { high = middle }
        }
        let shifted = Shifted::new(of, high);
        // Any start in which all eigenvectors take part.
        let mut vector: Vec<f64> = (0..n).map(|j| 1.0 + ((j + index) as f64 * 0.618_034).fract()).collect();
        for _ in 0..4 {
            let next = shifted.solve(vector.clone());
            vector = match normal(&found, next) {
                Some(next) => next,
                None => break,
            };
        }
        found.push(vector);
    }
    found
}

/// `Σ − μI`, ready to be solved (Woodbury).
struct Shifted<'a> {
    of: &'a Merged,
    /// `1/(d − μ)`.
    inverse: Vec<f64>,
    /// `LDLᵀ` of `I + Uᵀ(D − μ)⁻¹U`, packed.
    factors: Vec<f64>,
    /// How many eigenvalues of `Σ` are above `μ`: those of `D`, and one for each negative pivot (Sylvester).
    above: usize,
}

impl<'a> Shifted<'a> {
    fn new(of: &'a Merged, mu: f64) -> Self {
        let apart = |d: &f64| if *d == mu { 1e150 } else { 1.0 / (d - mu) };
        let inverse: Vec<f64> = of.variances.iter().map(apart).collect();
        let mut factors = Vec::new();
        for (p, u) in of.columns.iter().enumerate() {
            let weighted: Vec<f64> = u.iter().zip(&inverse).map(|(u, w)| u * w).collect();
            factors.extend(of.columns[..=p].iter().map(|v| plain_dot(&weighted, v)));
            factors[pair(p, p)] += 1.0;
        }
        let negative = factorise(&mut factors, of.columns.len());
        let above = of.variances.iter().filter(|&&d| d > mu).count() + negative;
        Self { of, inverse, factors, above }
    }

    fn solve(&self, mut b: Vec<f64>) -> Vec<f64> {
        b.iter_mut().zip(&self.inverse).for_each(|(x, w)| *x *= w);
        let mut y: Vec<f64> = self.of.columns.iter().map(|u| plain_dot(u, &b)).collect();
        solve(&self.factors, &mut y);
        for (u, y) in self.of.columns.iter().zip(y) {
            b.iter_mut().zip(u.iter().zip(&self.inverse)).for_each(|(x, (u, w))| *x -= y * u * w);
        }
        b
    }
}

/// What is left of a vector beside those found, with length 1; `None` where it is not finite.
fn normal(found: &[Vec<f64>], mut vector: Vec<f64>) -> Option<Vec<f64>> {
    for _ in 0..2 {
        let largest = vector.iter().fold(0.0, |largest, x| f64::max(largest, x.abs()));
        vector.iter_mut().for_each(|x| *x /= largest);
        for known in found {
            let along = plain_dot(known, &vector);
            vector.iter_mut().zip(known).for_each(|(x, b)| *x -= along * b);
        }
        let length = plain_dot(&vector, &vector).sqrt();
        vector.iter_mut().for_each(|x| *x /= length);
    }
    vector.iter().all(|x| x.is_finite()).then_some(vector)
}
