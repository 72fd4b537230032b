//! Minibatches gathered from a data set.

use bures::reference::gather::{Affine, Rows, copies, rows};
use bures::reference::philox::Philox;
use bures::shape::stride;

use crate::support::{normals, pad, unpad};

const ROWS: usize = 6;

/// Checks the gathered rows for rows of `inputs` values, bytes and floats, under each normalisation.
fn check(inputs: usize) {
    let dp = stride(inputs);
    let mut rng = Philox::new(61, 0);
    let draws: Vec<f64> = (0..ROWS * inputs).map(|_| f64::from(rng.below(256))).collect();
    let floats: Vec<f32> = pad(inputs, &draws);
    let bytes: Vec<u8> = floats.iter().map(|&x| x as u8).collect();
    let per_row: Vec<f32> = normals(&mut rng, 2 * ROWS).iter().map(|&x| x as f32).collect();
    let per_column: Vec<f32> = pad(inputs, &normals(&mut rng, 2 * inputs));
    let indices = [3, 0, 5, 3];

    let normalisations =
        [Affine::Global { scale: 0.125, shift: -3.5 }, Affine::PerRow(&per_row), Affine::PerColumn(&per_column)];
    for affine in normalisations {
        for source in [Rows::Bytes(&bytes), Rows::Floats(&floats)] {
            let mut x = vec![0.0_f64; indices.len() * dp];
            rows(inputs, source, affine, &indices, &mut x).expect("indices are rows");
            // Also checks that the pads stay zero, whatever the shift.
            for (at, got) in unpad(inputs, &x).into_iter().enumerate() {
                let (row, column) = (indices[at / inputs] as usize, at % inputs);
                let (scale, shift) = match affine {
                    Affine::Global { scale, shift } => (scale, shift),
                    Affine::PerRow(table) => (table[2 * row], table[2 * row + 1]),
                    Affine::PerColumn(table) => (table[column], table[dp + column]),
                };
                let want = draws[row * inputs + column] * f64::from(scale) + f64::from(shift);
                assert!((got - want).abs() <= 1e-14 * 256.0, "{affine:?}, row {row}, column {column}: {got}");
            }
        }
    }
}

#[test]
fn rows_are_gathered_and_normalised() {
    [1, 3, 4, 9].into_iter().for_each(check);
}

#[test]
fn targets_are_copied() {
    let mut out = [0_u32; 4];
    copies(2, &[10, 11, 20, 21, 30, 31], &[2, 0], &mut out).expect("indices are rows");
    assert_eq!(out, [30, 31, 10, 11]);
}

#[test]
fn an_index_beyond_the_data_is_refused() {
    let (data, affine) = ([0_u8; 8], Affine::Global { scale: 1.0, shift: 0.0 });
    let mut x = [0.0_f32; 4];
    assert!(rows(3, Rows::Bytes(&data), affine, &[1], &mut x).is_ok());
    let refused = rows(3, Rows::Bytes(&data), affine, &[2], &mut x).expect_err("there are two rows");
    assert!(refused.to_string().contains("below 2"), "{refused}");
    assert!(rows(3, Rows::Bytes(&data), affine, &[0, 1], &mut x).is_err(), "room for one row only");
    assert!(copies(1, &[1, 2], &[2], &mut [0]).is_err());
}
