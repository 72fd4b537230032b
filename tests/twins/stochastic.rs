//! Samples of stochastic layers against their theory.

use bures::reference::stochastic::{Draw, dropout, gaussians, normals};

const ROWS: usize = 50_000;

fn draw(stream: u64) -> Draw {
    Draw { seed: 17, stream, first_row: 0 }
}

/// Mean of `f`, in standard errors from `want`; `deviation` is that of one `f`.
fn standard_errors(draws: &[f64], want: f64, deviation: f64, f: impl Fn(f64) -> f64) -> f64 {
    let mean = draws.iter().map(|&x| f(x)).sum::<f64>() / draws.len() as f64;
    (mean - want) * (draws.len() as f64).sqrt() / deviation
}

#[test]
fn normal_numbers_are_standard_and_independent() {
    let mut out = vec![f64::NAN; 4 * ROWS];
    gaussians(4, draw(0), &[0.0; 4], &[1.0; 4], &mut out).expect("shapes fit");
    for column in 0..4 {
        let draws: Vec<f64> = out.iter().skip(column).step_by(4).copied().collect();
        let moments = [
            standard_errors(&draws, 0.0, 1.0, |x| x),
            standard_errors(&draws, 1.0, 2f64.sqrt(), |x| x * x),
            standard_errors(&draws, 0.0, 15f64.sqrt(), |x| x.powi(3)),
            standard_errors(&draws, 3.0, 96f64.sqrt(), |x| x.powi(4)),
        ];
        assert!(moments.iter().all(|z| z.abs() < 5.0), "column {column}: {moments:?}");
        let other: Vec<f64> = out.iter().skip((column + 1) % 4).step_by(4).copied().collect();
        let products: Vec<f64> = draws.iter().zip(&other).map(|(a, b)| a * b).collect();
        assert!(standard_errors(&products, 0.0, 1.0, |x| x).abs() < 5.0, "column {column} and its neighbour");
        let squares: Vec<f64> = draws.iter().zip(&other).map(|(a, b)| (a * a - 1.0) * (b * b - 1.0)).collect();
        assert!(standard_errors(&squares, 0.0, 2.0, |x| x).abs() < 5.0, "squares of column {column} and its neighbour");
    }
    let far = out.iter().filter(|x| x.abs() > 4.0).count();
    assert!((2..40).contains(&far), "{far} of {} beyond 4", out.len());
}

#[test]
fn words_at_the_ends_give_finite_numbers() {
    for word in [0, 255, 256, 1 << 30, (1 << 31) - 1, 1 << 31, u32::MAX - 256, u32::MAX] {
        for other in [0, u32::MAX, 0x4000_0000, 0x8000_0000, 0xc000_0000] {
            let wide = normals::<f64>([word, other, other, word]);
            let narrow = normals::<f32>([word, other, other, word]);
            assert!(wide.iter().all(|x| x.is_finite() && x.abs() < 5.9), "{word:x}: {wide:?}");
            for (wide, narrow) in wide.into_iter().zip(narrow) {
                assert!(narrow == wide as f32, "single precision is the rounded double");
            }
        }
    }
}

/// Parts of the rows get the numbers that they get in one draw of all, and rows of means repeat.
#[test]
fn rows_may_be_drawn_in_parts() {
    let (mean, variance) = (vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], vec![0.25; 8]);
    let mut whole = vec![0.0; 40];
    gaussians(4, draw(3), &mean, &variance, &mut whole).expect("shapes fit");
    let mut part = vec![0.0; 16];
    gaussians(4, Draw { first_row: 4, ..draw(3) }, &mean, &variance, &mut part).expect("shapes fit");
    assert_eq!(part, whole[16..32]);
    let mut other = vec![0.0; 16];
    gaussians(4, Draw { first_row: 4, ..draw(4) }, &mean, &variance, &mut other).expect("shapes fit");
    assert!(part.iter().zip(&other).all(|(a, b)| a != b), "another stream has other numbers");
}

#[test]
fn dropout_keeps_the_mean() {
    let x = vec![2.0; 4 * ROWS];
    let mut out = vec![f64::NAN; x.len()];
    dropout(4, draw(1), 0.25, &x, &mut out).expect("shapes fit");
    let kept = 2.0 / 0.75;
    assert!(out.iter().all(|&y| y == 0.0 || y == kept));
    let share = out.iter().filter(|&&y| y == 0.0).count() as f64 / out.len() as f64;
    assert!((share - 0.25).abs() < 5.0 * (0.25 * 0.75 / out.len() as f64).sqrt(), "{share} were dropped");
    dropout(4, draw(1), 0.0, &x, &mut out).expect("shapes fit");
    assert_eq!(out, x);
}

#[test]
fn rows_that_do_not_fit_are_refused() {
    let mut out = [0.0; 8];
    assert!(gaussians(3, draw(0), &[0.0; 3], &[0.0; 3], &mut out).is_err(), "no multiple of 4");
    assert!(gaussians(4, draw(0), &[0.0; 4], &[0.0; 8], &mut out).is_err());
    assert!(gaussians::<f64>(4, draw(0), &[], &[], &mut out).is_err());
    assert!(gaussians(4, draw(0), &[0.0; 4], &[0.0; 4], &mut out[..7]).is_err());
}
