//! Leading eigenpairs of blocks and columns, and singular values, against whole matrices.

use bures::math::leading::leading;
use bures::math::principal::principal;
use bures::math::singular::singular;
use bures::reference::philox::Philox;

/// Symmetric blocks, and columns.
fn case(groups: usize, size: usize, columns: usize, seed: u64) -> (Vec<f64>, Vec<Vec<f64>>) {
    let mut random = Philox::new(seed, 0);
    let mut blocks = Vec::new();
    for q in 0..groups {
        let scale = 1.0 / (1.0 + q as f64);
        let factor: Vec<f64> = (0..size * size).map(|_| scale * random.normal()).collect();
        let rows = || factor.chunks_exact(size);
        blocks.extend(rows().flat_map(|a| rows().map(|b| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>())));
    }
    let column = |_| (0..groups * size).map(|_| 0.2 * random.normal()).collect();
    (blocks, (0..columns).map(column).collect())
}

fn whole(blocks: &[f64], size: usize, columns: &[Vec<f64>]) -> Vec<f64> {
    let n = blocks.len() / size;
    let entry = |at: usize| {
        let (i, j) = (at / n, at % n);
        let own = if i / size == j / size { blocks[i * size + j % size] } else { 0.0 };
        own + columns.iter().map(|u| u[i] * u[j]).sum::<f64>()
    };
    (0..n * n).map(entry).collect()
}

#[test]
fn blocks_and_columns_have_the_eigenpairs_of_the_whole() {
    // The last two are searched for, not decomposed.
    for (groups, size, columns, accepted) in
        [(7, 1, 0, 1e-13), (6, 3, 0, 1e-13), (1, 9, 0, 1e-13), (5, 4, 3, 1e-13), (60, 5, 4, 1e-3), (1, 270, 2, 1e-3)]
    {
        let (blocks, columns) = case(groups, size, columns, 3);
        let (n, wanted) = (groups * size, 3);
        let want = leading(&whole(&blocks, size, &columns), n, wanted).expect("eigenvalues").values;
        let found = principal(&blocks, size, &columns, wanted).expect("eigenvalues");
        assert_eq!(found, principal(&blocks, size, &columns, wanted).expect("the same again"));
        for (got, want) in found.values.iter().zip(&want) {
            assert!(
                (got / want - 1.0).abs() <= accepted && *got <= want * (1.0 + 1e-12),
                "{groups} × {size}: {got} {want}"
            );
        }
        for (k, x) in found.vectors.iter().enumerate() {
            for (l, y) in found.vectors.iter().enumerate() {
                let dot: f64 = x.iter().zip(y).map(|(x, y)| x * y).sum();
                assert!((dot - f64::from(u8::from(k == l))).abs() <= 1e-9, "{groups} × {size}: {dot}");
            }
        }
    }
}

#[test]
fn singular_values_are_accurate_for_themselves() {
    let mut random = Philox::new(8, 0);
    for n in [1, 2, 5, 12] {
        // Columns of very different lengths.
        let scale: Vec<f64> = (0..n).map(|j| 10_f64.powi(-3 * j)).collect();
        let n = n as usize;
        let matrix: Vec<f64> = (0..n * n).map(|at| scale[at % n] * random.normal()).collect();
        let found = singular(&matrix, n);
        for (at, entry) in matrix.iter().enumerate() {
            let (i, j) = (at / n, at % n);
            let sum: f64 = (0..n).map(|k| found.values[k] * found.left[k * n + i] * found.right[k * n + j]).sum();
            assert!((sum - entry).abs() <= 1e-14 * n as f64 * scale[j] * 10.0, "{n}: entry {at}");
            for rows in [&found.left, &found.right] {
                let dot: f64 = (0..n).map(|k| rows[i * n + k] * rows[j * n + k]).sum();
                assert!((dot - f64::from(u8::from(i == j))).abs() <= 1e-13, "{n}: {dot}");
            }
        }
    }
    let rank_one = singular(&[1.0, 2.0, 2.0, 4.0], 2);
    let largest = rank_one.values.iter().copied().fold(0.0, f64::max);
    assert!((largest - 5.0).abs() <= 1e-14 && rank_one.values.iter().sum::<f64>() - largest <= 1e-14);
    assert_eq!(singular(&[0.0; 4], 2).left, [0.0; 4]);
}
