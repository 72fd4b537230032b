//! What is trained and drawn, as it stands in `assets/experiments`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::expected::Expected;
use crate::train::{ModelKind, Recipe, Settings};
use crate::{Error, Result};

/// The runs of one paper.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// The paper's title.
    pub title: String,
    /// Its authors.
    pub authors: String,
    /// Data sets that every figure is made on.
    pub datasets: Vec<String>,
    quick: Quick,
    run: BTreeMap<String, RunPlan>,
}

/// How `--quick` changes every run.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Quick {
    dataset: String,
    epochs: u64,
    snapshot_every: u64,
    seeds: Vec<u64>,
    /// What else differs.
    #[serde(default)]
    settings: toml::Table,
}

/// One training run, made on every data set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunPlan {
    recipe: Recipe,
    #[serde(default = "mixture")]
    model: ModelKind,
    /// It starts from the neurons at the means of this run's first snapshot.
    #[serde(default)]
    pub(super) matched: Option<String>,
    settings: toml::Table,
}

fn mixture() -> ModelKind {
    ModelKind::Gm
}

/// A figure: what it is made of and what the paper says about it.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What the paper calls it.
    pub name: &'static str,
    /// Its name in files.
    pub slug: &'static str,
    /// How it is drawn.
    pub plan: FigurePlan,
    /// What the paper says.
    pub(super) expected: Vec<Expected>,
}

/// How a figure is drawn.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum FigurePlan {
    /// Test error by epoch.
    Curves {
        /// One line.
        title: String,
        /// What is to be seen.
        caption: String,
        /// In the order of the legend.
        curves: Vec<CurvePlan>,
    },
    /// The course of components and neurons in a plane.
    Course {
        /// One line.
        title: String,
        /// What is to be seen.
        caption: String,
        /// A panel each, on every data set.
        cases: Vec<CasePlan>,
    },
    /// Networks of neurons drawn from a trained layer.
    Reduction {
        /// One line.
        title: String,
        /// What is to be seen.
        caption: String,
        /// The run whose layers are drawn from.
        run: String,
        /// Its snapshot.
        epoch: u64,
        /// Sizes of the networks.
        neurons: Vec<usize>,
        /// Networks of every size.
        draws: usize,
    },
    /// Theorem 1 on the generated regression.
    Flows {
        /// One line.
        title: String,
        /// What is to be seen.
        caption: String,
        /// Components of the layer.
        components: usize,
        /// How long both flows go on.
        time: f64,
        /// Steps that this time is cut into.
        steps: Vec<usize>,
    },
}

impl FigurePlan {
    /// The title and the caption.
    pub fn texts(&self) -> (&str, &str) {
        let (Self::Curves { title, caption, .. }
        | Self::Course { title, caption, .. }
        | Self::Reduction { title, caption, .. }
        | Self::Flows { title, caption, .. }) = self;
        (title, caption)
    }
}

/// One curve of a figure.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurvePlan {
    /// The run.
    pub run: String,
    /// Its name in the legend.
    pub label: String,
    /// Drawn only as far as this run goes.
    #[serde(default)]
    pub until: Option<String>,
}

/// One panel of a course.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CasePlan {
    /// The run of the GM layer, with snapshots.
    pub run: String,
    /// The run of the dense network, with snapshots.
    pub neurons: String,
    /// What stands above the panel.
    pub label: String,
}

/// The files of one figure.
macro_rules! figure {
    ($paper:literal, $slug:literal, $name:literal) => {
        (
            $name,
            $slug,
            include_str!(concat!("../../assets/experiments/", $paper, "-", $slug, ".toml")),
            include_str!(concat!("../../assets/experiments/", $paper, "-", $slug, ".expected.json")),
        )
    };
}

const GM: [(&str, &str, &str, &str); 9] = [
    figure!("gm", "figure-2", "Figure 2"),
    figure!("gm", "figure-3", "Figure 3"),
    figure!("gm", "figure-4", "Figure 4"),
    figure!("gm", "figure-5", "Figure 5"),
    figure!("gm", "figure-6", "Figure 6"),
    figure!("gm", "figure-7", "Figure 7"),
    figure!("gm", "theorem-1", "Theorem 1"),
    figure!("gm", "beyond-starts", "Beyond the paper, 1"),
    figure!("gm", "beyond-particles", "Beyond the paper, 2"),
];

const GM_FIGURE_8: [(&str, &str, &str, &str); 1] = [figure!("gm", "figure-8", "Figure 8")];

/// Experiments that are made together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Experiment {
    /// Figures 2 to 7 and Theorem 1 of Chewi, Rigollet and Yan, *Gaussian mixture layers for neural networks*.
    Gm,
    /// Figure 8 of the same paper, whose networks want a GPU.
    GmFigure8,
}

impl Catalogue {
    /// The runs and figures of an experiment.
    ///
    /// # Errors
    /// [`Error::Config`] when an asset cannot be understood, which a test rules out.
    pub fn of(experiment: Experiment) -> Result<(Self, Vec<Figure>)> {
        let (runs, name, figures) = match experiment {
            Experiment::Gm => (include_str!("../../assets/experiments/gm.toml"), "gm.toml", &GM[..]),
            Experiment::GmFigure8 => {
                let runs = include_str!("../../assets/experiments/gm-convolutions.toml");
                (runs, "gm-convolutions.toml", &GM_FIGURE_8[..])
            }
        };
        let runs = parsed(runs, name)?;
        let figures = figures.iter().map(|(name, slug, plan, expected)| {
            let expected = serde_json::from_str(expected).map_err(|why| bad(name, &why))?;
            Ok(Figure { name, slug, plan: parsed(plan, name)?, expected })
        });
        Ok((runs, figures.collect::<Result<_>>()?))
    }

    /// Data sets that the figures are made on.
    pub fn datasets(&self, quick: bool) -> Vec<String> {
        if quick { vec![self.quick.dataset.clone()] } else { self.datasets.clone() }
    }

    /// The plan called `name`.
    ///
    /// # Errors
    /// [`Error::Config`] when there is none.
    pub fn plan(&self, name: &str) -> Result<&RunPlan> {
        self.run.get(name).ok_or_else(|| Error::Config(format!("no run is called {name} in the experiment's settings")))
    }

    /// The settings of a run on a data set.
    ///
    /// # Errors
    /// [`Error::Config`] when there is no such run or it has a setting that no run can have.
    pub fn settings(&self, name: &str, dataset: &str, quick: bool) -> Result<Settings> {
        let plan = self.plan(name)?;
        let mut table =
            toml::Table::try_from(Settings::recipe(plan.recipe, plan.model)).map_err(|why| bad(name, &why))?;
        table.extend(plan.settings.clone());
        if quick {
            table.extend(self.quick.settings.clone());
        }
        let mut settings: Settings = table.try_into().map_err(|why| bad(name, &why))?;
        settings.data = dataset.to_owned();
        if quick {
            settings.epochs = settings.epochs.min(self.quick.epochs);
            settings.seeds.retain(|seed| self.quick.seeds.contains(seed));
            settings.snapshot_every = settings.snapshot_every.map(|_| self.quick.snapshot_every);
        }
        settings.check()?;
        Ok(settings)
    }
}

fn parsed<T: serde::de::DeserializeOwned>(text: &str, name: &str) -> Result<T> {
    toml::from_str(text).map_err(|why| bad(name, &why))
}

fn bad(name: &str, why: &dyn std::fmt::Display) -> Error {
    let text = why.to_string();
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    Error::Config(format!("experiment {name}: {}", lines.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every run that a figure or an expectation names exists, and its settings are settings that a run can have.
    #[test]
    fn assets_are_whole() {
        for experiment in [Experiment::Gm, Experiment::GmFigure8] {
            whole(experiment);
        }
    }

    fn whole(experiment: Experiment) {
        let (catalogue, figures) = Catalogue::of(experiment).expect("assets");
        for name in catalogue.run.keys() {
            for quick in [false, true] {
                let settings = catalogue.settings(name, "strokes", quick).expect(name);
                assert!(!settings.seeds.is_empty());
            }
        }
        for figure in &figures {
            let named: Vec<&String> = match &figure.plan {
                FigurePlan::Curves { curves, .. } => {
                    curves.iter().flat_map(|curve| [Some(&curve.run), curve.until.as_ref()]).flatten().collect()
                }
                FigurePlan::Course { cases, .. } => cases.iter().flat_map(|case| [&case.run, &case.neurons]).collect(),
                FigurePlan::Reduction { run, .. } => vec![run],
                FigurePlan::Flows { .. } => Vec::new(),
            };
            named.into_iter().chain(figure.expected.iter().flat_map(Expected::runs)).for_each(|name| {
                assert!(catalogue.plan(name).is_ok(), "{}: {name}", figure.name);
            });
            let texts = figure.plan.texts();
            assert!(!texts.0.is_empty() && !texts.1.is_empty());
        }
    }
}
