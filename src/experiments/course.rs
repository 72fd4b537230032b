//! Figure 4: where the components of a mixture go during training, in the plane of the final mixture's principal directions.

use glam::{DMat2, DVec2};

use super::catalogue::CasePlan;
use super::runs::{Done, Runs};
use crate::math::leading::leading;
use crate::nn::{LayerSpec, Model};
use crate::plot::{Course, Gaussian2};
use crate::{Error, Result};

/// One course for every case and data set.
pub(super) fn courses(runs: &mut Runs<'_>, datasets: &[String], cases: &[CasePlan]) -> Result<Vec<Course>> {
    let mut courses = Vec::new();
    for case in cases {
        for data in datasets {
            let layer = runs.get(&case.run, data)?;
            let neurons = runs.get(&case.neurons, data)?;
            let components = tensors(&layer, ["mu", "sigma"])?;
            let Some([mu, sigma]) = components.last() else { continue };
            let plane = Plane::of(mu, sigma, layer_inputs(&layer)?)?;
            let gaussians = components.iter().map(|[mu, sigma]| plane.gaussians(mu, sigma)).collect();
            let dots = tensors(&neurons, ["weight"])?.iter().map(|[weight]| plane.points(weight)).collect();
            courses.push(Course { title: format!("{data}, {}", case.label), components: gaussians, neurons: dots });
        }
    }
    Ok(courses)
}

/// Mean over components (or neurons) of the distance between where their mean (or weights) start and end.
pub(super) fn distance(done: &Done) -> Result<f64> {
    let inputs = layer_inputs(done)?;
    let name = if done.settings.model == crate::train::ModelKind::Gm { "mu" } else { "weight" };
    let all = tensors(done, [name])?;
    let (Some([start]), Some([end])) = (all.first(), all.last()) else {
        return Err(Error::data(done.folder.path(), "the run has kept no snapshots"));
    };
    let rows = start.chunks_exact(inputs).zip(end.chunks_exact(inputs));
    let moved: Vec<f64> =
        rows.map(|(a, b)| a.iter().zip(b).map(|(a, b)| (b - a) * (b - a)).sum::<f64>().sqrt()).collect();
    Ok(moved.iter().sum::<f64>() / moved.len() as f64)
}

fn layer_inputs(done: &Done) -> Result<usize> {
    let seed = done.settings.seeds.first().copied().unwrap_or(0);
    let (_, path) = &done.snapshots(seed)?[0];
    Ok(Model::read(path, None)?.spec.inputs())
}

/// Tensors of the first layer of every snapshot of the first seed.
fn tensors<const N: usize>(done: &Done, names: [&str; N]) -> Result<Vec<[Vec<f64>; N]>> {
    let seed = done.settings.seeds.first().copied().unwrap_or(0);
    let read = |path: &std::path::Path| -> Result<[Vec<f64>; N]> {
        let model = Model::read(path, None)?;
        let layer: Option<&LayerSpec> = model.spec.layers.first();
        let specs = layer.map_or_else(Vec::new, LayerSpec::tensors);
        let mut found = [const { Vec::new() }; N];
        for (place, name) in found.iter_mut().zip(names) {
            let spec = specs.iter().find(|spec| spec.name == name);
            let spec = spec.ok_or_else(|| Error::data(path, format!("the first layer has no tensor {name}")))?;
            *place = spec.unpack(&model.params[0]).into_iter().map(f64::from).collect();
        }
        Ok(found)
    };
    done.snapshots(seed)?.iter().map(|(_, path)| read(path)).collect()
}

/// Two orthonormal directions.
struct Plane {
    inputs: usize,
    directions: [Vec<f64>; 2],
}

impl Plane {
    /// The leading principal directions of the second moment `1/K Σ_k (μ_k μ_kᵀ + diag σ_k²)`.
    fn of(mu: &[f64], sigma: &[f64], inputs: usize) -> Result<Self> {
        let mut moment = vec![0.0; inputs * inputs];
        let share = inputs as f64 / mu.len() as f64;
        for (mu, sigma) in mu.chunks_exact(inputs).zip(sigma.chunks_exact(inputs)) {
            for (i, row) in moment.chunks_exact_mut(inputs).enumerate() {
                row.iter_mut().zip(mu).for_each(|(entry, m)| *entry += share * mu[i] * m);
                row[i] += share * sigma[i] * sigma[i];
            }
        }
        let found = leading(&moment, inputs, 2)?.vectors;
        let (first, second) = found.split_at(inputs);
        Ok(Self { inputs, directions: [first.to_vec(), second.to_vec()] })
    }

    fn point(&self, x: &[f64]) -> DVec2 {
        let along = |direction: &[f64]| x.iter().zip(direction).map(|(x, v)| x * v).sum();
        DVec2::new(along(&self.directions[0]), along(&self.directions[1]))
    }

    fn points(&self, rows: &[f64]) -> Vec<DVec2> {
        rows.chunks_exact(self.inputs).map(|row| self.point(row)).collect()
    }

    /// `N(Vᵀμ, Vᵀ diag(σ²) V)`.
    fn gaussians(&self, mu: &[f64], sigma: &[f64]) -> Vec<Gaussian2> {
        let rows = mu.chunks_exact(self.inputs).zip(sigma.chunks_exact(self.inputs));
        rows.map(|(mu, sigma)| {
            let [first, second] = &self.directions;
            let entry = |a: &[f64], b: &[f64]| -> f64 {
                sigma.iter().zip(a).zip(b).map(|((sigma, a), b)| sigma * sigma * a * b).sum()
            };
            let across = entry(first, second);
            let covariance =
                DMat2::from_cols(DVec2::new(entry(first, first), across), DVec2::new(across, entry(second, second)));
            Gaussian2 { mean: self.point(mu), covariance }
        })
        .collect()
    }
}
