//! Eigendecompositions, whole and leading, and matrix roots.

use bures::math::eigen::{Eigen, square_root, symmetric};
use bures::math::leading::leading;
use bures::reference::philox::Philox;

use crate::math_support::{close, normals, with_eigenvalues};

/// Rebuilds what the eigenpairs say, plain loops.
fn rebuilt(eigen: &Eigen, n: usize) -> Vec<f64> {
    let mut matrix = vec![0.0; n * n];
    for (value, vector) in eigen.values.iter().zip(eigen.vectors.chunks_exact(n)) {
        for (i, row) in matrix.chunks_exact_mut(n).enumerate() {
            row.iter_mut().zip(vector).for_each(|(entry, v)| *entry += value * vector[i] * v);
        }
    }
    matrix
}

#[test]
fn decompositions_rebuild_their_matrix() {
    let mut rng = Philox::new(11, 0);
    for n in [1, 2, 5, 33, 128] {
        for scale in [1.0, 1e-200, 1e200] {
            let mut values: Vec<f64> = normals(&mut rng, n).iter().map(|x| x * scale).collect();
            let matrix = with_eigenvalues(&values, &mut rng);
            let eigen = symmetric(&matrix, n).expect("a symmetric matrix");
            values.sort_by(|a, b| b.total_cmp(a));
            for (got, want) in eigen.values.iter().zip(&values) {
                close("eigenvalue", *got, *want, 1e-13 * scale * n as f64);
            }
            for (got, want) in rebuilt(&eigen, n).iter().zip(&matrix) {
                close("entry", *got, *want, 1e-13 * scale * n as f64);
            }
            assert!(eigen.residual <= 1e-14 * n as f64 && eigen.defect <= 1e-14 * n as f64);
        }
    }
    assert_eq!(symmetric(&[0.0; 9], 3).expect("zeros").values, vec![0.0; 3]);
    assert!(symmetric(&[], 0).expect("nothing").values.is_empty());
}

/// Spectra that decay, repeat, or hardly differ: the leading pairs are those of the whole decomposition.
#[test]
fn leading_pairs_are_the_largest() {
    let mut rng = Philox::new(12, 0);
    let n = 128;
    let spectra: [(&str, Vec<f64>); 6] = [
        ("decaying", (0..n).map(|j| (-0.3 * j as f64).exp()).collect()),
        ("slow", (0..n).map(|j| 1.0 / (1.0 + j as f64)).collect()),
        ("repeated", (0..n).map(|j| if j < 3 { 2.0 } else { 1.0 / (j as f64) }).collect()),
        ("flat", vec![0.7; n]),
        ("rank 2", (0..n).map(|j| if j < 2 { 1e-6 } else { 0.0 }).collect()),
        ("Wishart-like", (0..n).map(|j| (1.0 - j as f64 / n as f64).powi(2)).collect()),
    ];
    for (name, values) in spectra {
        let matrix = with_eigenvalues(&values, &mut rng);
        let eigen = leading(&matrix, n, 3).expect("a covariance");
        assert_eq!((eigen.values.len(), eigen.vectors.len()), (3, 3 * n));
        for (got, want) in eigen.values.iter().zip(&values) {
            close(name, *got, *want, 1e-12 * values[0]);
        }
        let again = leading(&matrix, n, 3).expect("a covariance");
        assert_eq!(eigen, again, "{name}: the same bits");
    }
    let small = with_eigenvalues(&[3.0, 2.0, 1.0], &mut rng);
    close("small", leading(&small, 3, 2).expect("a covariance").values[1], 2.0, 1e-14);
    assert!(leading(&small, 3, 0).expect("nothing asked").values.is_empty());
}

#[test]
fn roots_square_to_their_matrix() {
    let mut rng = Philox::new(13, 0);
    for values in [vec![4.0, 1.0, 0.25], vec![1.0, 0.0, 0.0], vec![1e-300, 3e-300, 0.0]] {
        let n = values.len();
        let matrix = with_eigenvalues(&values, &mut rng);
        let root = square_root(&matrix, n).expect("a covariance");
        for i in 0..n {
            for j in 0..n {
                let square: f64 = (0..n).map(|k| root[i * n + k] * root[k * n + j]).sum();
                close("entry of the square", square, matrix[i * n + j], 1e-14 * values.iter().sum::<f64>());
            }
        }
    }
}

#[test]
fn what_is_no_covariance_is_refused() {
    assert!(symmetric(&[1.0; 5], 2).is_err());
    assert!(symmetric(&[1.0, f64::NAN, 0.0, 1.0], 2).is_err());
    let refusal = square_root(&[1.0, 0.0, 0.0, -1.0], 2).expect_err("a negative eigenvalue").to_string();
    assert!(refusal.contains("not positive semidefinite"), "{refusal}");
}
