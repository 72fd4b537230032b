//! Golden files, the padded layout, and distances.

use std::path::{Path, PathBuf};

use bures::io::{TensorData, Tensors};
use bures::reference::philox::Philox;
use bures::reference::{Real, gm_layer};
use bures::shape::{GmDims, stride};

use crate::skip::folder_or_skip;
use crate::tolerances::{F32_MOVES, F64_GOLDEN};

/// Results by name.
pub(crate) type Named = Vec<(&'static str, Vec<f64>)>;

/// The folder of golden values, or `None` after a skip.
pub(crate) fn golden_folder() -> Option<PathBuf> {
    Some(folder_or_skip("BURES_FIXTURES")?.join("gm"))
}

/// A file of golden values.
pub(crate) struct Golden(Tensors);

impl Golden {
    pub(crate) fn read(folder: &Path, name: &str) -> Self {
        Self(Tensors::read(folder.join(format!("{name}.safetensors"))).expect("a golden file"))
    }

    pub(crate) fn floats(&self, name: &str) -> Vec<f64> {
        match &self.0.tensors[name].data {
            TensorData::F64(values) => values.clone(),
            TensorData::F32(values) => values.iter().map(|&x| f64::from(x)).collect(),
            other => panic!("{name} holds no floats: {other:?}"),
        }
    }

    pub(crate) fn integers(&self, name: &str) -> Vec<u32> {
        match &self.0.tensors[name].data {
            TensorData::I64(values) => values.iter().map(|&x| u32::try_from(x).expect("a count or label")).collect(),
            other => panic!("{name} holds no integers: {other:?}"),
        }
    }

    pub(crate) fn shape(&self, name: &str) -> &[usize] {
        &self.0.tensors[name].shape
    }

    /// The named tensors.
    pub(crate) fn named(&self, names: &[&'static str]) -> Named {
        names.iter().map(|&name| (name, self.floats(name))).collect()
    }
}

/// Rows of `columns` values, brought to the layout's stride.
pub(crate) fn pad<T: Real>(columns: usize, values: &[f64]) -> Vec<T> {
    let mut padded = vec![T::ZERO; values.len() / columns * stride(columns)];
    for (row, values) in padded.chunks_exact_mut(stride(columns)).zip(values.chunks_exact(columns)) {
        row.iter_mut().zip(values).for_each(|(x, &value)| *x = T::of(value));
    }
    padded
}

/// Undoes [`pad`]; the pads must be zero.
#[track_caller]
pub(crate) fn unpad<T: Real>(columns: usize, padded: &[T]) -> Vec<f64> {
    let mut values = Vec::new();
    for row in padded.chunks_exact(stride(columns)) {
        values.extend(row[..columns].iter().map(|x| x.to_f64()));
        assert!(row[columns..].iter().all(|&x| x == T::ZERO), "a pad is not zero");
    }
    values
}

/// A GM layer's `mu`, `sigma`, `u`, `v` of all runs, and `root` where there is one, as flat parameters.
pub(crate) fn pack<T: Real>(dims: GmDims, tensors: &[Vec<f64>]) -> Vec<T> {
    let mut params = Vec::new();
    for run in 0..dims.runs {
        for (tensor, columns) in tensors.iter().zip([dims.inputs, dims.inputs, dims.inputs, dims.outputs, dims.inputs])
        {
            let len = tensor.len() / dims.runs;
            params.extend(pad::<T>(columns, &tensor[run * len..][..len]));
        }
    }
    assert_eq!(params.len(), dims.runs * dims.params_len());
    params
}

/// Undoes [`pack`] but for `root`, of which only the pads are looked at.
#[track_caller]
pub(crate) fn unpack<T: Real>(dims: GmDims, params: &[T]) -> [Vec<f64>; 4] {
    let mut tensors: [Vec<f64>; 4] = Default::default();
    for run in params.chunks_exact(dims.params_len()) {
        let ranges = [dims.mu(), dims.sigma(), dims.u(), dims.v()];
        for (at, (tensor, range)) in tensors.iter_mut().zip(ranges).enumerate() {
            let columns = if at == 3 { dims.outputs } else { dims.inputs };
            tensor.extend(unpad(columns, &run[range]));
        }
        unpad(dims.inputs, &run[dims.root()]);
    }
    tensors
}

/// A pass through a GM layer and back.
pub(crate) struct Pass<T> {
    pub(crate) workspace: gm_layer::Workspace<T>,
    pub(crate) h: Vec<T>,
    pub(crate) grads: Vec<T>,
    pub(crate) dx: Vec<T>,
}

/// Forward and backward of a padded layer. Results start as NaN: every entry must be written.
pub(crate) fn pass<T: Real>(dims: GmDims, x: &[T], params: &[T], loss: impl FnOnce(&[T]) -> Vec<T>) -> Pass<T> {
    let nan = |n: usize| vec![T::of(f64::NAN); n];
    let mut workspace = gm_layer::Workspace::new(dims);
    let mut h = nan(dims.h_len());
    gm_layer::forward(x, params, &mut workspace, &mut h).expect("shapes fit");
    let (mut grads, mut dx) = (nan(params.len()), nan(x.len()));
    let dh = loss(&h);
    gm_layer::backward(x, params, &dh, &mut workspace, &mut grads, Some(&mut dx)).expect("shapes fit");
    Pass { workspace, h, grads, dx }
}

/// The largest difference, relative to the largest wanted value. Entries wanted as NaN are not compared.
#[track_caller]
pub(crate) fn distance(got: &[f64], want: &[f64]) -> f64 {
    assert_eq!(got.len(), want.len(), "lengths differ");
    let (mut off, mut largest, mut compared) = (0.0, 0.0, 0);
    for (&got, &want) in got.iter().zip(want).filter(|(_, want)| !want.is_nan()) {
        // Not `f64::max`, which would drop a NaN.
        let gap = (got - want).abs();
        off = if gap <= off { off } else { gap };
        largest = f64::max(largest, want.abs());
        compared += 1;
    }
    assert!(compared > 0, "nothing to compare");
    if off == 0.0 { 0.0 } else { off / largest }
}

/// Compares an f64 twin with golden values.
#[track_caller]
pub(crate) fn check_f64(case: &str, got: &Named, want: &Named) {
    for (name, want) in want {
        let off = distance(find(got, name), want);
        eprintln!("f64 {case} {name}: {off:.1e}");
        assert!(off <= F64_GOLDEN, "{case}, {name}: off by {off:.3e} of the largest value");
    }
}

/// Compares an f32 twin, in units of what one rounding of every input does to the f64 twin.
#[track_caller]
pub(crate) fn check_f32(
    case: &str,
    inputs: &[Vec<f64>],
    got: &Named,
    want: &Named,
    exact: impl Fn(&[Vec<f64>]) -> Named,
) {
    let epsilon = f64::from(f32::EPSILON);
    let mut moves = vec![epsilon; want.len()];
    let mut rng = Philox::new(7, 0);
    for _ in 0..8 {
        let mut moved = inputs.to_vec();
        moved.iter_mut().flatten().for_each(|x| *x *= 1.0 + if rng.below(2) == 0 { epsilon } else { -epsilon });
        let moved = exact(&moved);
        for (size, (name, want)) in moves.iter_mut().zip(want) {
            *size = size.max(distance(find(&moved, name), want));
        }
    }
    for ((name, want), size) in want.iter().zip(moves) {
        let off = distance(find(got, name), want) / size;
        eprintln!("f32 {case} {name}: {off:.2} moves, κ = {:.1}", size / epsilon);
        assert!(off <= F32_MOVES, "{case}, {name}: off by {off:.2} ε κ with κ = {:.1}", size / epsilon);
    }
}

fn find<'a>(results: &'a Named, name: &str) -> &'a [f64] {
    &results.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no result {name}")).1
}

/// Standard normal numbers.
pub(crate) fn normals(rng: &mut Philox, n: usize) -> Vec<f64> {
    (0..n).map(|_| rng.normal()).collect()
}

/// The inputs `x, mu, sigma, u, v` of a random layer, unpadded.
pub(crate) fn random_layer(dims: GmDims, rng: &mut Philox) -> [Vec<f64>; 5] {
    let GmDims { runs, batch, components, inputs, outputs, .. } = dims;
    [
        normals(rng, runs * batch * inputs),
        normals(rng, runs * components * inputs),
        (0..runs * components * inputs).map(|_| 0.3 + rng.uniform()).collect(),
        normals(rng, runs * components * outputs * inputs),
        normals(rng, runs * components * outputs),
    ]
}

/// Widens, for comparisons.
pub(crate) fn wide<T: Real>(values: &[T]) -> Vec<f64> {
    values.iter().map(|x| x.to_f64()).collect()
}
