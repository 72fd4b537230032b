//! Gauss–Legendre integration.

/// Positive nodes and weights of the rule of 8 points on `[−1, 1]`.
pub(super) const LEGENDRE: [(f64, f64); 4] = [
    (0.183_434_642_495_649_8, 0.362_683_783_378_362),
    (0.525_532_409_916_329, 0.313_706_645_877_887_3),
    (0.796_666_477_413_626_7, 0.222_381_034_453_374_48),
    (0.960_289_856_497_536_2, 0.101_228_536_290_376_26),
];

/// `∫_a^b f` by that rule on `panels` equal parts of the interval.
pub(super) fn integrate(f: impl Fn(f64) -> f64, a: f64, b: f64, panels: usize) -> f64 {
    let half = 0.5 * (b - a) / panels as f64;
    let panel = |index: usize| {
        let middle = a + (2 * index + 1) as f64 * half;
        LEGENDRE.iter().map(|(node, weight)| weight * (f(middle - half * node) + f(middle + half * node))).sum::<f64>()
    };
    half * (0..panels).map(panel).sum::<f64>()
}
