//! Layers of convolutional networks against PyTorch (`tests/fixtures/make_conv.py`), plain loops and differences.

use std::path::Path;

use bures::reference::philox::Philox;
use bures::reference::{Real, batch_norm, conv, max_pool};
use bures::shape::{ConvDims, ImageDims, stride};

use crate::differences::check_gradient;
use crate::support::{Golden, Named, check_f32, check_f64, distance, normals, pad, unpad};

/// The golden values in this repository.
pub(crate) fn fixtures() -> Golden {
    Golden::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures"), "conv")
}

fn images(shape: &[usize]) -> ImageDims {
    let [batch, channels, height, width] = shape.try_into().expect("[B, C, H, W]");
    ImageDims { runs: 1, batch, channels, height, width }
}

fn nan<T: Real>(len: usize) -> Vec<T> {
    vec![T::of(f64::NAN); len]
}

/// Given are `x`, `weight`, `bias`, `dh`.
fn run_conv<T: Real>(dims: ConvDims, given: &[Vec<f64>]) -> Named {
    let (values, made) = (dims.images.values(), dims.made().values());
    let params = [pad::<T>(dims.inner(), &given[1]), pad(dims.outputs, &given[2])].concat();
    let (x, dh) = (pad::<T>(values, &given[0]), pad::<T>(made, &given[3]));
    let (mut h, mut grads, mut dx) = (nan(dims.made().len()), nan(params.len()), nan(x.len()));
    conv::forward(dims, &x, &params, &mut h).expect("shapes fit");
    conv::backward(dims, &x, &params, &dh, &mut grads, Some(&mut dx)).expect("shapes fit");
    let mut alone = nan(params.len());
    conv::backward(dims, &x, &params, &dh, &mut alone, None).expect("shapes fit");
    assert!(alone == grads, "the gradient of the input changes the others");
    vec![
        ("h", unpad(made, &h)),
        ("dx", unpad(values, &dx)),
        ("d_weight", unpad(dims.inner(), &grads[dims.weight()])),
        ("d_bias", unpad(dims.outputs, &grads[dims.bias()])),
    ]
}

#[test]
fn convolutions_agree_with_pytorch() {
    let golden = fixtures();
    for case in ["conv.small", "conv.wide", "conv.pixel"] {
        let tensor = |name: &str| golden.floats(&format!("{case}.{name}"));
        let dims = ConvDims {
            images: images(golden.shape(&format!("{case}.x"))),
            outputs: golden.shape(&format!("{case}.bias"))[0],
        };
        let given = ["x", "weight", "bias", "dh"].map(tensor);
        let exact = |given: &[Vec<f64>]| run_conv::<f64>(dims, given);
        let want: Named = ["h", "dx", "d_weight", "d_bias"].map(|name| (name, tensor(name))).into();
        check_f64(case, &exact(&given), &want);
        check_f32(case, &given, &run_conv::<f32>(dims, &given), &want, exact);
    }
}

/// Several runs, more pictures than parts, more channels than a tile has rows, lines longer than a tile.
#[test]
fn convolutions_agree_with_plain_loops() {
    let mut rng = Philox::new(11, 0);
    for (runs, batch, channels, outputs, height, width) in [(2, 19, 5, 13, 3, 6), (1, 2, 17, 9, 2, 61)] {
        let images = ImageDims { runs, batch, channels, height, width };
        let dims = ConvDims { images, outputs };
        let x = pad::<f64>(images.values(), &normals(&mut rng, runs * batch * images.values()));
        let dh = pad::<f64>(dims.made().values(), &normals(&mut rng, runs * batch * dims.made().values()));
        let mut params = Vec::new();
        for _ in 0..runs {
            params.extend(pad::<f64>(dims.inner(), &normals(&mut rng, outputs * dims.inner())));
            params.extend(pad::<f64>(outputs, &normals(&mut rng, outputs)));
        }
        let (mut h, mut grads, mut dx) = (nan(dims.made().len()), nan(params.len()), nan(x.len()));
        conv::forward(dims, &x, &params, &mut h).expect("shapes fit");
        conv::backward(dims, &x, &params, &dh, &mut grads, Some(&mut dx)).expect("shapes fit");

        let (mut want, mut want_grads, mut want_dx) = (vec![0.0; h.len()], vec![0.0; grads.len()], vec![0.0; x.len()]);
        for row in 0..runs * batch {
            let (x_at, h_at) = (row * images.stride(), row * dims.made().stride());
            let p_at = row / batch * dims.params_len();
            for (o, y, x_out) in places(outputs, height, width) {
                let out = h_at + (o * height + y) * width + x_out;
                want[out] += params[p_at + dims.bias().start + o];
                want_grads[p_at + dims.bias().start + o] += dh[out];
                for (c, i, j) in places(channels, 3, 3) {
                    let (y, x_in) = (y + i, x_out + j);
                    if (1..=height).contains(&y) && (1..=width).contains(&x_in) {
                        let from = x_at + (c * height + y - 1) * width + x_in - 1;
                        let weight = p_at + o * dims.weight_stride() + (c * 3 + i) * 3 + j;
                        want[out] += params[weight] * x[from];
                        want_grads[weight] += dh[out] * x[from];
                        want_dx[from] += dh[out] * params[weight];
                    }
                }
            }
        }
        for (name, got, want) in [("h", h, want), ("gradients", grads, want_grads), ("dx", dx, want_dx)] {
            let off = distance(&got, &want);
            assert!(off <= 1e-13, "{dims:?}, {name}: off by {off:.1e}");
        }
    }
}

fn places(a: usize, b: usize, c: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..a * b * c).map(move |at| (at / c / b, at / c % b, at % c))
}

/// Given are `x`, `gamma`, `beta`, `mean`, `variance`, `dh`.
fn run_norm<T: Real>(dims: ImageDims, given: &[Vec<f64>]) -> Named {
    let mut params: Vec<T> = given[1..5].iter().flat_map(|tensor| pad::<T>(dims.channels, tensor)).collect();
    let (x, dh) = (pad::<T>(dims.values(), &given[0]), pad::<T>(dims.values(), &given[5]));
    let mut statistics = nan(batch_norm::KEPT * dims.channels);
    let (mut h, mut evaluated) = (nan(x.len()), nan(x.len()));
    batch_norm::running(dims, &params, &mut statistics).expect("shapes fit");
    batch_norm::apply(dims, &x, &params, &statistics, &mut evaluated).expect("shapes fit");
    batch_norm::statistics(dims, &x, &mut statistics).expect("shapes fit");
    batch_norm::apply(dims, &x, &params, &statistics, &mut h).expect("shapes fit");
    let (mut grads, mut dx) = (nan(params.len()), nan(x.len()));
    batch_norm::backward(dims, &x, &params, &statistics, &dh, &mut grads, Some(&mut dx)).expect("shapes fit");
    batch_norm::keep(dims, &statistics, &mut params).expect("shapes fit");
    let tensor =
        |from: &[T], at: usize| unpad(dims.channels, &from[at * stride(dims.channels)..][..stride(dims.channels)]);
    assert!(grads[2 * stride(dims.channels)..].iter().all(|&g| g == T::ZERO), "running values have a gradient");
    vec![
        ("h", unpad(dims.values(), &h)),
        ("h_evaluation", unpad(dims.values(), &evaluated)),
        ("dx", unpad(dims.values(), &dx)),
        ("d_gamma", tensor(&grads, 0)),
        ("d_beta", tensor(&grads, 1)),
        ("mean_after", tensor(&params, 2)),
        ("variance_after", tensor(&params, 3)),
    ]
}

#[test]
fn batch_normalisation_agrees_with_pytorch() {
    let golden = fixtures();
    let tensor = |name: &str| golden.floats(&format!("norm.{name}"));
    let dims = images(golden.shape("norm.x"));
    let given = ["x", "gamma", "beta", "mean", "variance", "dh"].map(tensor);
    let exact = |given: &[Vec<f64>]| run_norm::<f64>(dims, given);
    let got = exact(&given);
    let want: Named = got.iter().map(|&(name, _)| (name, tensor(name))).collect();
    check_f64("norm", &got, &want);
    check_f32("norm", &given, &run_norm::<f32>(dims, &given), &want, exact);
}

/// A channel that is constant becomes β, whatever the others do, and has no gradient; two runs keep to themselves.
#[test]
fn batch_normalisation_by_differences_and_of_constants() {
    let mut rng = Philox::new(12, 0);
    let dims = ImageDims { runs: 2, batch: 3, channels: 3, height: 2, width: 3 };
    let x = pad::<f64>(dims.values(), &normals(&mut rng, 6 * dims.values()));
    let params = normals(&mut rng, 2 * dims.norm_params_len());
    let cotangent = pad::<f64>(dims.values(), &normals(&mut rng, 6 * dims.values()));
    let output = |x: &[f64]| {
        let (mut statistics, mut h) = (nan(24), nan(x.len()));
        batch_norm::statistics(dims, x, &mut statistics).expect("shapes fit");
        batch_norm::apply(dims, x, &params, &statistics, &mut h).expect("shapes fit");
        (statistics, h)
    };
    let backward = |x: &[f64], statistics: &[f64]| {
        let (mut grads, mut dx) = (nan(params.len()), nan(x.len()));
        batch_norm::backward(dims, x, &params, statistics, &cotangent, &mut grads, Some(&mut dx)).expect("shapes fit");
        dx
    };
    let dx = backward(&x, &output(&x).0);
    let loss = |x: &[f64]| output(x).1.iter().zip(&cotangent).map(|(h, c)| h * c).sum();
    check_gradient("batch normalisation", &mut rng, &x, &dx, loss);

    let mut x = x;
    x.chunks_exact_mut(dims.stride()).for_each(|picture| picture[6..12].fill(1e3));
    let (statistics, h) = output(&x);
    let dx = backward(&x, &statistics);
    for (row, (h, dx)) in h.chunks_exact(dims.stride()).zip(dx.chunks_exact(dims.stride())).enumerate() {
        let beta = params[row / 3 * dims.norm_params_len() + 4 + 1];
        assert!(h[6..12].iter().all(|&h| h == beta), "a constant channel is {:?}, not {beta}", &h[6..12]);
        assert!(dx.iter().all(|dx| dx.is_finite()));
    }
}

#[test]
fn pooling_agrees_with_pytorch() {
    let golden = fixtures();
    let dims = images(golden.shape("pool.x"));
    let (values, small) = (dims.values(), dims.pooled());
    let (x, dh) = (pad::<f32>(values, &golden.floats("pool.x")), pad::<f32>(small.values(), &golden.floats("pool.dh")));
    let (mut h, mut dx) = (nan(small.len()), nan(x.len()));
    max_pool::forward(dims, &x, &mut h).expect("shapes fit");
    max_pool::backward(dims, &x, &dh, &mut dx).expect("shapes fit");
    let narrow = |name: &str| golden.floats(name).into_iter().map(|x| f64::from(x as f32)).collect::<Vec<_>>();
    assert_eq!(unpad(small.values(), &h), narrow("pool.h"));
    assert_eq!(unpad(values, &dx), narrow("pool.dx"));
}
