//! The random numbers: uniform, normal, bounded, and in random order. Seeds are fixed, so nothing here is left to
//! chance; the bounds are those that a correct generator would break once in 10⁵ seeds.

use bures::reference::philox::{Philox, block};

/// `Σ (found − expected)²/expected`; its mean is the number of cells less 1, its variance twice that.
fn chi_square(counts: &[u32]) -> f64 {
    let expected = f64::from(counts.iter().sum::<u32>()) / counts.len() as f64;
    counts.iter().map(|&count| (f64::from(count) - expected).powi(2) / expected).sum()
}

/// Five standard deviations above the mean.
fn chi_square_bound(cells: usize) -> f64 {
    let freedom = (cells - 1) as f64;
    freedom + 5.0 * (2.0 * freedom).sqrt()
}

#[test]
fn a_permutation_holds_every_number_once() {
    let mut rng = Philox::new(51, 0);
    for n in [0, 1, 2, 3, 64, 1000, 60_000] {
        let order = rng.permutation(n);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..n), "{n}");
        assert!(n < 64 || !order.into_iter().eq(0..n), "{n} numbers were left in order");
    }
}

#[test]
fn every_order_is_as_likely() {
    let mut rng = Philox::new(52, 0);
    let mut counts = [0; 24];
    for _ in 0..48_000 {
        let order = rng.permutation(4);
        // The number of smaller entries behind each entry names the order.
        let behind = |at: usize| order[at + 1..].iter().filter(|&&later| later < order[at]).count();
        counts[behind(0) * 6 + behind(1) * 2 + behind(2)] += 1;
    }
    let found = chi_square(&counts);
    assert!(found < chi_square_bound(24), "χ² = {found}: {counts:?}");
}

#[test]
fn bounded_numbers_are_uniform() {
    let mut rng = Philox::new(53, 0);
    for bound in [2, 3, 7, 100] {
        let mut counts = vec![0; bound as usize];
        (0..100_000).for_each(|_| counts[rng.below(bound) as usize] += 1);
        let found = chi_square(&counts);
        assert!(found < chi_square_bound(counts.len()), "below {bound}: χ² = {found}");
    }
    assert!((0..100).all(|_| rng.below(1) == 0));
    // Without rejection, every third number below 3·2³⁰ would come twice as often as the others.
    let mut counts = [0; 3];
    (0..30_000).for_each(|_| counts[rng.below(3 << 30) as usize % 3] += 1);
    let found = chi_square(&counts);
    assert!(found < chi_square_bound(3), "below 3·2³⁰: χ² = {found}: {counts:?}");
}

const DRAWS: usize = 200_000;

/// Mean of `f` over draws, in standard errors from `want`; `deviation` is that of one `f`.
fn standard_errors(draws: &[f64], want: f64, deviation: f64, f: impl Fn(f64) -> f64) -> f64 {
    let mean = draws.iter().map(|&x| f(x)).sum::<f64>() / draws.len() as f64;
    (mean - want) * (draws.len() as f64).sqrt() / deviation
}

#[test]
fn uniform_numbers_have_their_moments() {
    let mut rng = Philox::new(54, 0);
    let draws: Vec<f64> = (0..DRAWS).map(|_| rng.uniform()).collect();
    assert!(draws.iter().all(|&x| x > 0.0 && x < 1.0));
    let moments = [
        standard_errors(&draws, 0.5, (1.0 / 12.0_f64).sqrt(), |x| x),
        standard_errors(&draws, 1.0 / 3.0, (4.0 / 45.0_f64).sqrt(), |x| x * x),
    ];
    assert!(moments.iter().all(|z| z.abs() < 5.0), "{moments:?}");
    let mut counts = [0; 64];
    draws.iter().for_each(|x| counts[(x * 64.0) as usize] += 1);
    assert!(chi_square(&counts) < chi_square_bound(64));
}

#[test]
fn normal_numbers_have_their_moments() {
    let mut rng = Philox::new(55, 0);
    let draws: Vec<f64> = (0..DRAWS).map(|_| rng.normal()).collect();
    // Variances of x, x², x³, x⁴ are 1, 2, 15, 96.
    let moments = [
        standard_errors(&draws, 0.0, 1.0, |x| x),
        standard_errors(&draws, 1.0, 2.0_f64.sqrt(), |x| x * x),
        standard_errors(&draws, 0.0, 15.0_f64.sqrt(), |x| x.powi(3)),
        standard_errors(&draws, 3.0, 96.0_f64.sqrt(), |x| x.powi(4)),
    ];
    assert!(moments.iter().all(|z| z.abs() < 5.0), "{moments:?}");
    let lagged: Vec<f64> = draws.windows(2).map(|pair| pair[0] * pair[1]).collect();
    assert!(standard_errors(&lagged, 0.0, 1.0, |x| x).abs() < 5.0, "neighbours are correlated");
    // One in 15,787 lies beyond 4.
    let far = draws.iter().filter(|x| x.abs() > 4.0).count();
    assert!((1..40).contains(&far), "{far} of {DRAWS} beyond 4");
}

#[test]
fn streams_are_the_blocks_that_they_name() {
    let (seed, stream) = (0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210);
    let mut rng = Philox::new(seed, stream);
    for index in 0..3 {
        let words = block([0x89ab_cdef, 0x0123_4567], [index, 0, 0x7654_3210, 0xfedc_ba98]);
        assert_eq!([(); 4].map(|()| rng.next_u32()), words, "block {index}");
    }
    let first = |seed, stream| Philox::new(seed, stream).next_u32();
    let named =
        [first(seed, stream), first(seed + 1, stream), first(seed, stream + 1), first(seed, stream ^ (1 << 63))];
    let mut distinct = named.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), 4, "seeds and streams do not collide: {named:x?}");
}
