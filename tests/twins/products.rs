//! Matrix products, by way of the dense layer, against naive loops on odd shapes. faer 0.24.4 has a constructor that
//! swaps strides and writes out of bounds: the shapes here are where that shows.

use bures::reference::philox::Philox;
use bures::reference::{Real, dense};
use bures::shape::{DenseDims, stride};

use crate::support::normals;
use crate::tolerances::epsilon;

const SIZES: [usize; 8] = [1, 2, 3, 5, 17, 64, 65, 130];

/// A matrix with the layout's stride and its own numbers in f64.
struct Matrix<T> {
    columns: usize,
    data: Vec<T>,
}

impl<T: Real> Matrix<T> {
    fn random(rows: usize, columns: usize, numbers: &[f64]) -> Self {
        let mut data = vec![T::ZERO; rows * stride(columns)];
        let mut numbers = numbers.iter().cycle();
        for row in data.chunks_exact_mut(stride(columns)) {
            row[..columns].iter_mut().zip(&mut numbers).for_each(|(x, &number)| *x = T::of(number));
        }
        Self { columns, data }
    }

    fn at(&self, row: usize, column: usize) -> f64 {
        self.data[row * stride(self.columns) + column].to_f64()
    }
}

/// Compares `got`, rows `stride(columns)` apart, with sums of products: an error of `√n ε` of the sum of absolute
/// products is rounding's (`n` terms), and six times that is allowed. Pads must hold what they held, 0.
#[track_caller]
fn check<T: Real>(
    case: &str,
    got: &[T],
    columns: usize,
    terms: usize,
    product: impl Fn(usize, usize, usize) -> f64,
) -> f64 {
    let mut worst = 0.0;
    for (row, values) in got.chunks_exact(stride(columns)).enumerate() {
        assert!(values[columns..].iter().all(|&x| x == T::ZERO), "{case}: a pad of row {row} was written");
        for (column, value) in values[..columns].iter().enumerate() {
            let (mut sum, mut size) = (0.0, 0.0);
            for term in 0..terms {
                let product = product(row, column, term);
                sum += product;
                size += product.abs();
            }
            let off = (value.to_f64() - sum).abs() / (size * epsilon::<T>() * (terms as f64).sqrt());
            assert!(off <= 6.0, "{case}, [{row}, {column}]: {}, not {sum}", value.to_f64());
            worst = f64::max(worst, off);
        }
    }
    worst
}

/// NaN in the columns, 0 in the pads: a product must overwrite the first and spare the second.
fn unwritten<T: Real>(rows: usize, columns: usize) -> Vec<T> {
    Matrix::<T>::random(rows, columns, &[f64::NAN]).data
}

/// The products of a forward and a backward pass; returns the largest error.
fn passes<T: Real>(dims: DenseDims, numbers: &[f64]) -> f64 {
    let DenseDims { batch, inputs, outputs, .. } = dims;
    let case = format!("batch {batch}, inputs {inputs}, outputs {outputs}");
    let x = Matrix::<T>::random(batch, inputs, numbers);
    let weight = Matrix::<T>::random(outputs, inputs, &numbers[1000..]);
    let dh = Matrix::<T>::random(batch, outputs, &numbers[2000..]);
    let bias = Matrix::<T>::random(1, outputs, &numbers[3000..]);
    let params = [weight.data.as_slice(), &bias.data].concat();

    let mut h = unwritten(batch, outputs);
    dense::forward(dims, &x.data, &params, &mut h).expect("shapes fit");
    let with_bias =
        |b: usize, o: usize, i: usize| if i < inputs { x.at(b, i) * weight.at(o, i) } else { bias.at(0, o) };
    let (mut grads, mut dx) = (unwritten(outputs, inputs), unwritten(batch, inputs));
    grads.extend(unwritten::<T>(1, outputs));
    dense::backward(dims, &x.data, &params, &dh.data, &mut grads, Some(&mut dx)).expect("shapes fit");
    let errors = [
        check(&case, &h, outputs, inputs + 1, with_bias),
        check(&case, &grads[dims.weight()], inputs, batch, |o, i, b| dh.at(b, o) * x.at(b, i)),
        check(&case, &grads[dims.bias()], outputs, batch, |_, o, b| dh.at(b, o)),
        check(&case, &dx, inputs, outputs, |b, i, o| dh.at(b, o) * weight.at(o, i)),
    ];
    errors.into_iter().fold(0.0, f64::max)
}

fn products<T: Real>() {
    let numbers = normals(&mut Philox::new(41, 0), 7919);
    let cube = SIZES.into_iter().flat_map(|m| SIZES.into_iter().flat_map(move |n| SIZES.map(|k| [m, n, k])));
    // More than two of the blocks that threads share, too.
    let long = [[3, 5, 300], [3, 300, 5], [300, 5, 3]];
    let mut worst = 0.0;
    for [batch, inputs, outputs] in cube.chain(long) {
        worst = f64::max(worst, passes::<T>(DenseDims { runs: 1, batch, inputs, outputs }, &numbers));
    }
    eprintln!("products: {worst:.2} √n ε Σ|ab|");
}

#[test]
fn products_of_odd_shapes_in_double_precision() {
    products::<f64>();
}

#[test]
fn products_of_odd_shapes_in_single_precision() {
    products::<f32>();
}
