//! Compression of mixtures.

use bures::device::Device;
use bures::kernels::compression::{Compression, CompressionDims, MergeArgs};
use bures::kernels::propagation::Covariances;
use bures::reference::compression::{self as twin, Components, Merged};
use bures::reference::philox::Philox;
use bures::reference::propagation::Covariances as HostCovariances;
use bures::shape::stride;

use crate::device::{Bench, assert_close, padded, widen};
use crate::math_support::Golden;
use crate::tolerances;

struct Mixtures {
    dims: CompressionDims,
    labels: Vec<u32>,
    weights: Vec<f32>,
    means: Vec<f32>,
    entries: Vec<f32>,
    full: bool,
}

impl Mixtures {
    fn random(batch: usize, components: usize, clusters: usize, width: usize, full: bool) -> Self {
        let mut rng = Philox::new(81, width as u64);
        let count = batch * components;
        let mut weights: Vec<f32> = (0..count).map(|_| rng.uniform() as f32).collect();
        let mut labels: Vec<u32> = (0..count).map(|_| rng.below(clusters as u32)).collect();
        // A cluster of weight 0, where there is room for one.
        if clusters > 2 {
            labels[..components].iter_mut().for_each(|label| *label = (*label).min(clusters as u32 - 2));
            labels[0] = clusters as u32 - 1;
            weights[0] = 0.0;
        }
        let rows = if full { count * width } else { count };
        let entries = padded(2, rows, width, 1.0).into_iter().map(|x| x * x).collect();
        let dims = CompressionDims { batch, components, clusters, width };
        Self { dims, labels, weights, means: padded(1, count, width, 1.0), entries, full }
    }

    fn run(&self, mut bench: Bench) -> [Vec<f32>; 3] {
        let dims = self.dims;
        let (labels, weights) = (bench.put(&self.labels), bench.put(&self.weights));
        let (means, entries) = (bench.put(&self.means), bench.put(&self.entries));
        let mut merged_weights = bench.garbage(dims.batch * dims.clusters);
        let mut merged_means = bench.garbage(dims.centres_len());
        let mut merged_covariances = bench.garbage(dims.centres_len() * dims.width);
        let args = MergeArgs {
            labels: &labels,
            weights: &weights,
            means: &means,
            covariances: if self.full { Covariances::Full(&entries) } else { Covariances::Diagonal(&entries) },
            merged_weights: &mut merged_weights,
            merged_means: &mut merged_means,
            merged_covariances: &mut merged_covariances,
        };
        let kernel = Compression::new(&bench.device).expect("kernels");
        kernel.merge(&mut bench.stream, dims, args).expect("dispatches");
        [bench.get(&merged_weights), bench.get(&merged_means), bench.get(&merged_covariances)]
    }

    fn twin(&self) -> [Vec<f64>; 3] {
        let dims = self.dims;
        let (weights, means, entries) = (widen(&self.weights), widen(&self.means), widen(&self.entries));
        let covariances = if self.full { HostCovariances::Full(&entries) } else { HostCovariances::Diagonal(&entries) };
        let mut out = [
            vec![0.0; dims.batch * dims.clusters],
            vec![0.0; dims.centres_len()],
            vec![0.0; dims.centres_len() * dims.width],
        ];
        let [w, m, s] = &mut out;
        let from = Components { labels: &self.labels, weights: &weights, means: &means, covariances };
        twin::merge(dims, from, Merged { weights: w, means: m, covariances: s }).expect("shapes fit");
        out
    }
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |largest, value| largest.max(value.abs()))
}

fn compare(case: &str, got: &[Vec<f32>; 3], want: &[Vec<f64>; 3], terms: usize) {
    for ((name, got), want) in ["weights", "means", "covariances"].into_iter().zip(got).zip(want) {
        assert_close(&format!("{case} {name}"), got, want, tolerances::sums(terms, largest(want)));
    }
}

#[test]
fn merging_agrees_with_the_twin() {
    for full in [false, true] {
        for (batch, components, clusters, width) in [(1, 1, 1, 1), (3, 30, 3, 7), (2, 10, 5, 33)] {
            let case = Mixtures::random(batch, components, clusters, width, full);
            let want = case.twin();
            for bench in [Bench::gpu(), Bench::on(Device::Cpu)] {
                compare("random", &case.run(bench), &want, components);
            }
            assert!(case.run(Bench::gpu()) == case.run(Bench::gpu()), "repeats are identical");
        }
    }
}

#[test]
fn golden_compressions() {
    let Some(golden) = Golden::read("compression") else { return };
    for case in golden.cases("labels") {
        let get = |name: &str| golden.floats(&format!("{case}.{name}"));
        let labels = golden.integers(&format!("{case}.labels"));
        let width = get("in.means").len() / labels.len();
        let dims = CompressionDims { batch: 1, components: labels.len(), clusters: get("out.weights").len(), width };
        let narrow = |name: &str| -> Vec<f32> {
            let pads = stride(width) - width;
            let rows = get(name).chunks_exact(width);
            rows.flat_map(|row| row.iter().map(|&x| x as f32).chain(std::iter::repeat_n(0.0, pads))).collect()
        };
        let weights = get("in.weights").iter().map(|&w| w as f32).collect();
        let (means, entries) = (narrow("in.means"), narrow("in.covs"));
        let case_of = Mixtures { dims, labels, weights, means, entries, full: true };
        let want = ["out.weights", "out.means", "out.covs"].map(|name| match name {
            "out.weights" => get(name).to_vec(),
            _ => get(name)
                .chunks_exact(width)
                .flat_map(|row| {
                    row.iter().copied().chain(std::iter::repeat_n(0.0, stride(width) - width)).collect::<Vec<_>>()
                })
                .collect(),
        });
        for bench in [Bench::gpu(), Bench::on(Device::Cpu)] {
            compare(&case, &case_of.run(bench), &want, dims.components);
        }
    }
}

fn labels(mut bench: Bench, dims: CompressionDims, means: &[f32], centres: &[f32]) -> Vec<u32> {
    let (means, centres) = (bench.put(means), bench.put(centres));
    let mut labels = bench.put(&vec![77u32; dims.batch * dims.components]);
    let kernel = Compression::new(&bench.device).expect("kernels");
    kernel.assign(&mut bench.stream, dims, &means, &centres, &mut labels).expect("a dispatch");
    bench.get(&labels)
}

/// The nearest centre, or one that is as near up to rounding.
#[test]
fn components_go_to_the_nearest_centre() {
    for (batch, components, clusters, width) in [(1, 1, 1, 1), (3, 50, 3, 5), (2, 300, 7, 130)] {
        let dims = CompressionDims { batch, components, clusters, width };
        let (means, centres) = (padded(5, batch * components, width, 1.0), padded(6, batch * clusters, width, 1.0));
        let np = stride(width);
        for bench in [Bench::gpu(), Bench::on(Device::Cpu)] {
            for (c, label) in labels(bench, dims, &means, &centres).into_iter().enumerate() {
                let distance = |k: usize| -> f64 {
                    let centre = &centres[(c / components * clusters + k) * np..][..np];
                    means[c * np..][..np].iter().zip(centre).map(|(&x, &y)| f64::from(x - y).powi(2)).sum()
                };
                let least = (0..clusters).map(distance).fold(f64::INFINITY, f64::min);
                assert!(distance(label as usize) <= least * (1.0 + 1e-5), "component {c} is in cluster {label}");
            }
        }
    }
}

#[test]
fn the_lowest_of_equally_near_centres_wins() {
    let dims = CompressionDims { batch: 1, components: 2, clusters: 3, width: 1 };
    let (means, centres) =
        ([2.0, 0.0, 0.0, 0.0, 9.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0]);
    for bench in [Bench::gpu(), Bench::on(Device::Cpu)] {
        assert_eq!(labels(bench, dims, &means, &centres), [0, 1]);
    }
}
