//! Normal, gamma and chi distributions against values of 50 and more digits (mpmath).

use bures::math::normal::{self, Cell};
use bures::math::{chi, gamma};

use crate::math_support::close;

/// `l, u, [mass, mean, variance]`.
const CELLS: [(f64, f64, [f64; 3]); 15] = [
    (0.0, 1.0, [0.3413447460685429, 0.4598622292864265, 0.07965182484851131]),
    (-1.0, 1.0, [0.6826894921370859, 0.0, 0.2911250947727932]),
    (-0.5, 2.0, [0.6687123293258339, 0.4457437782725148, 0.3765938361368359]),
    (1.0, 1.0000000009313226, [2.2535279803580322e-10, 1.0000000004656613, 7.228014483236696e-20]),
    (5.0, 5.000000953674316, [1.417842836498417e-12, 5.000000476836779, 7.579122514765556e-14]),
    (0.0, 9.094947017729282e-13, [3.6283589033831295e-13, 4.547473508864641e-13, 6.89317177127523e-26]),
    (2.0, 3.0, [0.021400233916549112, 2.315821326743782, 0.06152077957448997]),
    (2.0, 2.5, [0.016540466622403074, 2.204452078167675, 0.01943406674744884]),
    (8.0, f64::INFINITY, [6.220960574271784e-16, 8.121368112236112, 0.01432488344334091]),
    (30.0, f64::INFINITY, [4.906713927148187e-198, 30.033259667433676, 0.001103771511890091]),
    (30.0, 30.03125, [2.9881492371247348e-198, 30.01321748297859, 7.791911855182759e-05]),
    (-37.5, -37.0, [5.725571176471047e-300, -37.026987682108135, 0.0007272760910462923]),
    (f64::NEG_INFINITY, -1.0, [0.15865525393145705, -1.525135276160981, 0.1990976655703488]),
    (f64::NEG_INFINITY, f64::INFINITY, [1.0, 0.0, 1.0]),
    (-9.0, 0.25, [0.5987063256829237, -0.6458393710168172, 0.4214316640903975]),
];

#[test]
fn intervals_keep_their_digits() {
    for (l, u, [mass, mean, variance]) in CELLS {
        let cell = Cell::new(l, u);
        let what = format!("[{l}, {u}]");
        // Rounding x² moves the density by x²ε, relatively; in a wide interval that goes into the mean, and into the variance times μ².
        let square = [l, u].into_iter().filter(|x| x.is_finite()).fold(1.0, |a: f64, x| a.max(x * x));
        close(&what, cell.mass, mass, mass * 8.0 * square * f64::EPSILON);
        close(&what, cell.mean, mean, 8.0 * square * square.sqrt() * f64::EPSILON);
        let narrow = u - l <= 1.0 && (u - l) * (u + l).abs() <= 2.0;
        close(
            &what,
            cell.variance,
            variance,
            if narrow { variance * 1e-13 } else { 8.0 * square * square * f64::EPSILON },
        );
        assert_eq!(normal::interval_mass(-u, -l), cell.mass, "{what} mirrored");
    }
    assert_eq!(Cell::new(50.0, f64::INFINITY).mass, 0.0);
    assert_eq!(normal::interval_mass(2.0, 2.0), 0.0);
    assert_eq!(normal::interval_mass(3.0, 2.0), 0.0);
}

#[test]
fn quantiles() {
    let known = [
        (0.25, -0.6744897501960817),
        (0.975, 1.9599639845400538),
        (0.001, -3.0902323061678136),
        (1e-10, -6.361340902404057),
        (1e-100, -21.273453560965326),
        (1e-300, -37.0470962993612),
        (0.9999999999990905, 7.047700256664409),
        (0.4999, -0.00025066283008800747),
    ];
    for (p, x) in known {
        close(&format!("quantile of {p}"), normal::quantile(p), x, 4e-15 * f64::abs(x).max(1.0));
    }
    assert_eq!(normal::quantile(0.5), 0.0);
    assert_eq!((normal::quantile(0.0), normal::quantile(1.0)), (f64::NEG_INFINITY, f64::INFINITY));
    assert!(normal::quantile(-0.1).is_nan() && normal::quantile(1.1).is_nan() && normal::quantile(f64::NAN).is_nan());
}

#[test]
fn incomplete_gamma() {
    let known = [
        (0.5, 0.1, 0.345279153981423, 0.654720846018577),
        (0.5, 5.0, 0.9984345977419975, 0.0015654022580025497),
        (1.0, 1.0, 0.6321205588285577, 0.36787944117144233),
        (2.5, 10.0, 0.9987502694369687, 0.0012497305630313753),
        (64.0, 60.0, 0.31956677546431816, 0.6804332245356819),
        (64.0, 110.0, 0.9999992125929099, 7.874070901257585e-07),
        (64.0, 20.0, 4.315746283809287e-15, 0.9999999999999957),
        (392.0, 400.0, 0.6620823837241246, 0.3379176162758754),
        (5000.0, 4900.0, 0.07794495622651391, 0.9220550437734861),
        (5000.0, 5300.0, 0.9999844548842145, 1.5545115785517565e-05),
    ];
    for (a, x, below, above) in known {
        let (p, q) = gamma::regularised(a, x);
        close(&format!("P({a}, {x})"), p, below, 2e-12 * below);
        close(&format!("Q({a}, {x})"), q, above, 2e-12 * above);
    }
    assert_eq!(gamma::regularised(3.0, 0.0), (0.0, 1.0));
    assert_eq!(gamma::regularised(3.0, f64::INFINITY), (1.0, 0.0));
    assert!(gamma::regularised(0.0, 1.0).0.is_nan() && gamma::regularised(1.0, -1.0).0.is_nan());
}

#[test]
fn chi_distribution() {
    for (n, mean) in
        [(1, 0.7978845608028654), (2, 1.2533141373155003), (128, 11.29163320154519), (784, 27.991072854400866)]
    {
        close("mean", chi::mean(n), mean, 1e-12 * mean);
        for p in [1e-8, 0.01, 0.3, 0.5, 0.9, 1.0 - 1e-9] {
            let r = chi::quantile(n, p);
            close(&format!("chi_{n} at its quantile of {p}"), chi::distribution(n, r), p, 1e-12 * p);
        }
        let whole = chi::truncated_mean(n, 0.0, 1.0) + chi::truncated_mean(n, 1.0, f64::INFINITY);
        close("parts of the mean", whole, mean, 1e-12 * mean);
    }
    // One degree of freedom: |g|, whose truncated mean is elementary.
    let half_normal = 2.0 * (normal::density(0.5) - normal::density(2.0));
    close("E[|g|; 0.5..2]", chi::truncated_mean(1, 0.5, 2.0), half_normal, 1e-14);
    assert_eq!((chi::quantile(5, 0.0), chi::quantile(5, 1.0)), (0.0, f64::INFINITY));
    assert!(chi::quantile(5, 1.5).is_nan() && chi::quantile(0, 0.5).is_nan());
}
