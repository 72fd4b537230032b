//! Grid signatures.

use bures::device::Device;
use bures::kernels::signature::{Directions, SignatureDims, Signatures, SignaturesArgs};
use bures::math::allocation::{allocate, most_cut};
use bures::math::leading::leading;
use bures::math::quantizer::Quantizer;
use bures::reference::signature as twin;
use bures::shape::stride;

use crate::device::{Bench, assert_close, padded, widen};
use crate::math_support::Golden;
use crate::tolerances::EPSILON;

/// What a batch of signatures is made from.
pub(crate) struct Case {
    dims: SignatureDims,
    means: Vec<f32>,
    axes: Option<Vec<u32>>,
    vectors: Vec<f32>,
    values: Vec<f32>,
    shape: Vec<u32>,
    rest: Vec<f32>,
}

struct Found {
    masses: Vec<f32>,
    locations: Vec<f32>,
    distances: Vec<f32>,
}

impl Case {
    fn run(&self, mut bench: Bench) -> Found {
        let dims = self.dims;
        let (means, shape) = (bench.put(&self.means), bench.put(&self.shape));
        let values = bench.put(&[self.values.as_slice(), &self.rest].concat());
        let (axes, vectors) = (bench.put(self.axes.as_deref().unwrap_or_default()), bench.put(&self.vectors));
        let directions = if self.axes.is_some() { Directions::Axes(&axes) } else { Directions::Vectors(&vectors) };
        let mut masses = bench.garbage(dims.components * dims.points);
        let mut locations = bench.garbage(dims.locations_len());
        let mut distances = bench.garbage(dims.components);
        let kernel = Signatures::new(&bench.device, dims).expect("kernels");
        let args = SignaturesArgs {
            means: &means,
            directions,
            values: &values,
            shape: &shape,
            masses: &mut masses,
            locations: &mut locations,
            distances: &mut distances,
        };
        kernel.record(&mut bench.stream, args).expect("a dispatch");
        Found { masses: bench.get(&masses), locations: bench.get(&locations), distances: bench.get(&distances) }
    }

    fn twin(&self) -> [Vec<f64>; 3] {
        let dims = self.dims;
        let (means, values, rest) = (widen(&self.means), widen(&self.values), widen(&self.rest));
        let vectors = widen(&self.vectors);
        let directions = match &self.axes {
            Some(axes) => twin::Directions::Axes(axes),
            None => twin::Directions::Vectors(&vectors),
        };
        let (mut points, mut distortions) = (Vec::new(), Vec::new());
        for n in 1..=dims.points {
            let quantizer = Quantizer::optimal(n).expect("a quantizer");
            let pairs = quantizer.locations().iter().zip(quantizer.masses());
            points.extend(pairs.flat_map(|(location, mass)| [*location, *mass]));
            distortions.push(quantizer.distortion());
        }
        let mut masses = vec![0.0; dims.components * dims.points];
        let (mut locations, mut distances) = (vec![0.0; dims.locations_len()], vec![0.0; dims.components]);
        let of = twin::Gaussians { means: &means, directions, values: &values, shape: &self.shape, rest: &rest };
        let quantizers = twin::Quantizers { points: &points, distortions: &distortions };
        twin::grid(dims, of, quantizers, &mut masses, &mut locations, &mut distances).expect("shapes fit");
        [masses, locations, distances]
    }
}

fn random(components: usize, width: usize, shapes: &[u32], points: usize, by_axis: bool) -> Case {
    let cuts = shapes.len();
    let squares = |values: Vec<f32>| values.into_iter().map(|x| x * x).collect::<Vec<f32>>();
    let dims = SignatureDims { components, width, cuts, points };
    let axes = (0..components * cuts).map(|at| ((at % cuts) * 3 % width) as u32);
    Case {
        dims,
        means: padded(1, components, width, 1.0),
        axes: by_axis.then(|| axes.collect()),
        vectors: padded(2, components * cuts, width, 0.3),
        values: squares(padded(3, 1, components * cuts, 1.0))[..components * cuts].to_vec(),
        // Every component leaves out another cut.
        shape: (0..components * cuts)
            .map(|at| if at / cuts % (cuts + 1) == at % cuts { 1 } else { shapes[at % cuts] })
            .collect(),
        rest: squares(padded(4, 1, components, 1.0))[..components].to_vec(),
    }
}

#[test]
fn agree_with_the_twin() {
    for by_axis in [true, false] {
        for (components, width, shapes, points) in
            [(1, 1, &[10u32][..], 10), (5, 7, &[3, 2], 7), (4, 128, &[2, 2, 2], 10), (2, 33, &[20, 5], 100)]
        {
            let case = random(components, width, shapes, points, by_axis);
            let [masses, locations, distances] = case.twin();
            for bench in [Bench::gpu(), Bench::on(Device::Cpu)] {
                let got = case.run(bench);
                assert_close("masses", &got.masses, &masses, |want| 4.0 * EPSILON * want);
                // A step is at most some 4 deviations along each cut.
                assert_close("locations", &got.locations, &locations, |_| 32.0 * EPSILON);
                assert_close("distances", &got.distances, &distances, |want| 8.0 * EPSILON * want);
            }
        }
    }
}

#[test]
fn repeats_are_identical() {
    let case = random(5, 17, &[4, 3], 12, false);
    let (a, b) = (case.run(Bench::gpu()), case.run(Bench::gpu()));
    assert!(a.masses == b.masses && a.locations == b.locations && a.distances == b.distances);
}

/// What the host's eigenpairs and allocation make of a golden covariance.
fn of_golden(golden: &Golden, case: &str) -> Case {
    let get = |name: &str| golden.floats(&format!("{case}.{name}"));
    let (mean, cov) = (get("mean"), get("cov"));
    let points = golden.integers(&format!("{case}.budget"))[0] as usize;
    let n = mean.len();
    let eigen = leading(cov, n, most_cut(points).min(n)).expect("a covariance");
    // As Grid does: eigenvalues that are rounding are 0.
    let floor = 1e-12 * eigen.values.first().map_or(0.0, |value| value.abs());
    let values: Vec<f64> = eigen.values.iter().map(|&value| if value > floor { value } else { 0.0 }).collect();
    let trace: f64 = (0..n).map(|i| cov[i * n + i]).sum();
    let rest = (trace - values.iter().sum::<f64>()).max(0.0);
    let narrow = |rows: &[f64]| -> Vec<f32> {
        let mut out = vec![0.0; rows.len() / n * stride(n)];
        for (to, from) in out.chunks_exact_mut(stride(n)).zip(rows.chunks_exact(n)) {
            to.iter_mut().zip(from).for_each(|(to, &from)| *to = from as f32);
        }
        out
    };
    Case {
        dims: SignatureDims { components: 1, width: n, cuts: values.len(), points },
        means: narrow(mean),
        axes: None,
        vectors: narrow(&eigen.vectors),
        shape: allocate(&values, points).expect("an allocation"),
        values: values.iter().map(|&value| value as f32).collect(),
        rest: vec![rest as f32],
    }
}

#[test]
fn golden_signatures() {
    let Some(golden) = Golden::read("signatures") else { return };
    for name in golden.cases("w2sq") {
        let get = |of: &str| golden.floats(&format!("{name}.{of}"));
        let case = of_golden(&golden, &name);
        let (n, np) = (case.dims.width, stride(case.dims.width));
        let scale = get("mean").iter().chain(get("cov")).fold(0.0, |largest: f64, x| largest.max(x.abs()));
        let trace: f64 = (0..n).map(|i| get("cov")[i * n + i]).sum();
        for bench in [Bench::gpu(), Bench::on(Device::Cpu)] {
            let got = case.run(bench);
            let want = get("w2sq")[0];
            let off = (f64::from(got.distances[0]) - want).abs();
            assert!(off <= 8.0 * EPSILON * trace, "{name}: {:e}, not {want:e}", got.distances[0]);
            let total: f64 = got.masses.iter().map(|&mass| f64::from(mass)).sum();
            assert!((total - 1.0).abs() < 1e-6, "{name}: masses sum to {total}");
            if name.contains("isotropic") {
                // Eigenvectors are free: only masses and distances from the mean are determined.
                continue;
            }
            for (location, mass) in get("locs").chunks_exact(n).zip(get("masses")) {
                // Points that a zero variance repeats count as one.
                let near = |other: &[f64]| {
                    let off: f64 = other.iter().zip(location).map(|(x, y)| (x - y) * (x - y)).sum();
                    off.sqrt() <= 32.0 * EPSILON * scale * (n as f64).sqrt()
                };
                let here: f64 = got
                    .locations
                    .chunks_exact(np)
                    .zip(&got.masses)
                    .filter(|(other, _)| near(&widen(&other[..n])))
                    .map(|(_, &mass)| f64::from(mass))
                    .sum();
                let twins = get("locs").chunks_exact(n).zip(get("masses"));
                let want: f64 = twins.filter(|(other, _)| near(other)).map(|(_, mass)| mass).sum();
                assert!((here - want).abs() < 1e-6, "{name}: mass {here} at {location:?}, not {want} (own {mass})");
            }
        }
    }
}
