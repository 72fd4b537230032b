//! The options of `bures train`, and how they become settings.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::train_choices::{HeadArg, LossArg, ModelArg, OptimizerArg, RecipeArg, ScheduleArg, WeightsArg};
use crate::data::NormalizationKind;
use crate::nn::{Covariance, Weights};
use crate::train::{
    Head, LossChoice, ModelKind, OptimizerChoice, OrderChoice, Recipe, Schedule, Settings, SettingsFile,
};
use crate::{Error, Result};

/// Options of `bures train`. Without any, a GM layer learns the built-in digits.
///
/// Settings come from the recipe, then from --config, then from the options given here.
#[derive(Args, Debug)]
#[command(
    allow_negative_numbers = true,
    after_help = "\
Examples:
  bures train                                              the built-in digits, half a minute
  bures train --data mnist --seeds 0,1,2,3,4               MNIST, five seeds at once
  bures train --data mnist --recipe paper --epochs 100     the paper's settings
  bures train --data mnist --model fc --hidden 1000        a two-layer ReLU network
  bures train --resume runs/mnist-gm-K20                   go on after a kill"
)]
pub(super) struct TrainArgs {
    /// Data set: strokes (built in), mnist, cifar10, kin8nm, …, or a path to an .npz or to pictures [default: strokes]
    #[arg(long, value_name = "NAME|PATH", help_heading = "Data and network")]
    data: Option<String>,
    /// Which published split of a UCI set [default: 0]
    #[arg(long, value_name = "I", help_heading = "Data and network")]
    split: Option<usize>,
    /// Normalisation of inputs [default: per-feature for UCI sets and noisy-sines, global otherwise]
    #[arg(long, value_name = "global|per-image|per-feature|none", help_heading = "Data and network")]
    normalize: Option<NormalizationKind>,
    /// Set the last N training rows aside and report them in place of the test split, to choose settings by
    #[arg(long, value_name = "N", help_heading = "Data and network")]
    validation: Option<usize>,
    /// Kind of network: GM layers, GM layers with a joint (ω, β) layer at the end for one target value, dense layers with ReLU, or a
    /// VGG-like convolutional network [default: gm]
    #[arg(long, value_enum, help_heading = "Data and network")]
    model: Option<ModelArg>,
    /// What ends the network of --model vgg: two dense layers, or a GM layer [default: dense]
    #[arg(long, value_enum, help_heading = "Data and network")]
    head: Option<HeadArg>,
    /// Divide every width of --model vgg by N [default: 1]
    #[arg(long, value_name = "N", help_heading = "Data and network")]
    narrow: Option<usize>,
    /// Mirror and shift training pictures at random
    #[arg(long, help_heading = "Data and network")]
    augment: bool,
    /// Components K of every GM layer [default: 20; 10 for vgg]
    #[arg(long, short = 'K', value_name = "K", help_heading = "Data and network")]
    components: Option<usize>,
    /// Covariances of the components: diagonal, diagonal plus rank R, or full [default: diagonal]
    #[arg(long, value_name = "diagonal|low-rank:R|full", help_heading = "Data and network")]
    covariance: Option<Covariance>,
    /// Weights of the components: 1/K each, or learned by the Fisher–Rao flow at the rate --lr [default: equal]
    #[arg(long, value_enum, help_heading = "Data and network")]
    weights: Option<WeightsArg>,
    /// Widths between input and output, such as 100 or 300,100 [default: none for gm, 1000 for fc]
    #[arg(long, value_name = "WIDTHS", value_delimiter = ',', help_heading = "Data and network")]
    hidden: Option<Vec<usize>>,
    /// The paper's γ: initial standard deviation of μ, U and v, and initial σ [default: 0.5 with --recipe paper]
    #[arg(long, value_name = "GAMMA", help_heading = "Start")]
    gamma: Option<f64>,
    /// Initial standard deviation of μ, instead of γ
    #[arg(long, value_name = "STD", help_heading = "Start")]
    init_mean_std: Option<f64>,
    /// Initial standard deviation of U and v, instead of γ
    #[arg(long, value_name = "STD", help_heading = "Start")]
    init_output_std: Option<f64>,
    /// Initial σ, instead of γ
    #[arg(long, value_name = "SIGMA", help_heading = "Start")]
    init_sigma: Option<f64>,
    /// Start a two-layer dense network from neurons drawn from a GM layer's initial mixture
    #[arg(long, help_heading = "Start")]
    mixture_init: bool,
    /// Start from this model, a safetensors file; its layers go before --model, -K and --hidden
    #[arg(long, value_name = "MODEL", help_heading = "Start")]
    init: Option<PathBuf>,
    /// Seeds, trained together and reported as mean ± standard error [default: 0]
    #[arg(long, value_name = "SEEDS", value_delimiter = ',', conflicts_with = "seed", help_heading = "Start")]
    seeds: Option<Vec<u64>>,
    /// One seed
    #[arg(long, value_name = "N", help_heading = "Start")]
    seed: Option<u64>,
    /// Passes over the training set [default: 25 on strokes, 40 otherwise; 20 with --recipe paper; 8 for fc]
    #[arg(long, value_name = "E", help_heading = "Optimisation")]
    epochs: Option<u64>,
    /// Rows of a minibatch [default: 64]
    #[arg(long, value_name = "B", help_heading = "Optimisation")]
    batch_size: Option<usize>,
    /// Where defaults come from: the paper's optimiser, rates and start, or tuned ones [default: tuned; paper with --optimizer sgd]
    #[arg(long, value_enum, help_heading = "Optimisation")]
    recipe: Option<RecipeArg>,
    /// Optimiser [default: adam; sgd with --recipe paper]
    #[arg(long, value_enum, help_heading = "Optimisation")]
    optimizer: Option<OptimizerArg>,
    /// Learning rate [default: 0.01 with adam (0.001 for fc), 0.1 with sgd]
    #[arg(long, value_name = "RATE", help_heading = "Optimisation")]
    lr: Option<f32>,
    /// Learning rate of the σ of GM layers, and of what else makes their covariances [default: as --lr with adam, 1 with sgd]
    #[arg(long, value_name = "RATE", help_heading = "Optimisation")]
    lr_sigma: Option<f32>,
    /// Momentum of sgd [default: 0]
    #[arg(long, value_name = "M", help_heading = "Optimisation")]
    momentum: Option<f32>,
    /// Penalty ½ l2 ‖θ‖² on μ and U, or on dense weights [default: 6e-5; 0 with --recipe paper and for fc]
    #[arg(long, value_name = "L2", help_heading = "Optimisation")]
    l2: Option<f32>,
    /// Loss, which the targets decide: logistic for classes, squared for values; refused where it is not theirs
    #[arg(long, value_enum, help_heading = "Optimisation")]
    loss: Option<LossArg>,
    /// Course of the learning rates [default: cosine; constant with --recipe paper]
    #[arg(long, value_enum, help_heading = "Optimisation")]
    schedule: Option<ScheduleArg>,
    /// Keep the mixture over β (its means and covariances) as it starts
    #[arg(long, help_heading = "Optimisation")]
    freeze_beta: bool,
    /// Order of the examples: shuffled, sequential, or an integer array [steps, batch] in an .npy file [default: shuffled]
    #[arg(long, value_name = "shuffled|sequential|FILE.npy", help_heading = "Optimisation")]
    order: Option<String>,
    /// Stop after so many steps
    #[arg(long, value_name = "N", help_heading = "Optimisation")]
    max_steps: Option<u64>,
    /// A line of metrics every N steps instead of every epoch
    #[arg(long, value_name = "N", help_heading = "Results")]
    log_every: Option<u64>,
    /// Keep the model as it is at the start and after every N epochs, in snapshots/
    #[arg(long, value_name = "N", help_heading = "Results")]
    snapshot_every: Option<u64>,
    /// Folder for the results [default: runs/DATA-MODEL]
    #[arg(long, value_name = "DIR", help_heading = "Results")]
    pub(super) out: Option<PathBuf>,
    /// Go on with the run in this folder from its last checkpoint, with its settings
    #[arg(long, value_name = "DIR", conflicts_with_all = SETTINGS, help_heading = "Results")]
    pub(super) resume: Option<PathBuf>,
    /// Replace the results that --out holds
    #[arg(long, conflicts_with = "resume", help_heading = "Results")]
    pub(super) force: bool,
    /// Seconds between checkpoints, which are written at ends of epochs; more suits slow disks [default: 5]
    #[arg(long, value_name = "SECONDS", help_heading = "Results")]
    checkpoint_every: Option<f64>,
    /// Read settings from this TOML file: all or some of the keys of a run's config.toml; unknown ones are refused
    #[arg(long, value_name = "FILE", help_heading = "Results")]
    config: Option<PathBuf>,
}

/// What a resumed run takes from its folder.
const SETTINGS: [&str; 37] = [
    "data",
    "model",
    "head",
    "narrow",
    "augment",
    "components",
    "covariance",
    "loss",
    "weights",
    "hidden",
    "epochs",
    "batch_size",
    "recipe",
    "optimizer",
    "lr",
    "lr_sigma",
    "momentum",
    "l2",
    "schedule",
    "gamma",
    "init_mean_std",
    "init_output_std",
    "init_sigma",
    "mixture_init",
    "freeze_beta",
    "init",
    "normalize",
    "order",
    "seeds",
    "seed",
    "split",
    "validation",
    "max_steps",
    "log_every",
    "snapshot_every",
    "config",
    "out",
];

fn set<T>(target: &mut T, given: Option<T>) {
    if let Some(value) = given {
        *target = value;
    }
}

impl TrainArgs {
    /// The settings of a new run.
    ///
    /// # Errors
    /// [`Error::Config`] naming the setting, [`Error::Format`] when the configuration file cannot be understood.
    pub(super) fn settings(&self) -> Result<Settings> {
        let file = self.config.as_deref().map(SettingsFile::read).transpose()?;
        let in_file = |key: &str| file.as_ref().is_some_and(|file| file.has(key));
        let given = self.model.map(ModelKind::from);
        let model = given.or_else(|| file.as_ref().and_then(SettingsFile::model)).unwrap_or(ModelKind::Gm);
        let sgd = match self.optimizer {
            Some(optimizer) => OptimizerChoice::from(optimizer) == OptimizerChoice::Sgd,
            None => file.as_ref().is_some_and(SettingsFile::is_sgd),
        };
        let recipe = match self.recipe {
            Some(recipe) => recipe.into(),
            None if sgd => Recipe::Paper,
            None => Recipe::Tuned,
        };
        let mut settings = match &file {
            None => Settings::recipe(recipe, model),
            Some(file) => file.over(recipe, model)?,
        };
        self.apply(&mut settings);
        if self.epochs.is_none() && !in_file("epochs") && recipe == Recipe::Tuned && model != ModelKind::Fc {
            settings.epochs = if settings.data == "strokes" { 25 } else { 40 };
        }
        if self.normalize.is_none() && !in_file("normalize") && is_table(&settings.data) {
            settings.normalize = NormalizationKind::PerFeature;
        }
        settings.check()?;
        Ok(settings)
    }

    /// The time between checkpoints that is asked for.
    ///
    /// # Errors
    /// [`Error::Config`] when it is no time.
    pub(super) fn checkpoint_every(&self) -> Result<Option<Duration>> {
        let time = |seconds| {
            Duration::try_from_secs_f64(seconds)
                .map_err(|_| Error::Config(format!("checkpoint-every is {seconds}; it must be 0 seconds or more")))
        };
        self.checkpoint_every.map(time).transpose()
    }

    fn apply(&self, settings: &mut Settings) {
        set(&mut settings.model, self.model.map(ModelKind::from));
        set(&mut settings.data, self.data.clone());
        set(&mut settings.head, self.head.map(Head::from));
        set(&mut settings.narrow, self.narrow);
        settings.augment |= self.augment;
        set(&mut settings.components, self.components);
        set(&mut settings.covariance, self.covariance);
        set(&mut settings.weights, self.weights.map(Weights::from));
        settings.loss = self.loss.map(LossChoice::from).or(settings.loss);
        set(&mut settings.hidden, self.hidden.clone());
        set(&mut settings.epochs, self.epochs);
        set(&mut settings.batch_size, self.batch_size);
        set(&mut settings.optimizer, self.optimizer.map(OptimizerChoice::from));
        set(&mut settings.lr, self.lr);
        // One rate for all where the optimiser is Adam and only --lr is given.
        let follows = self.lr.filter(|_| settings.optimizer == OptimizerChoice::Adam);
        set(&mut settings.lr_sigma, self.lr_sigma.or(follows));
        set(&mut settings.momentum, self.momentum);
        set(&mut settings.l2, self.l2);
        set(&mut settings.schedule, self.schedule.map(Schedule::from));
        set(&mut settings.init_mean_std, self.init_mean_std.or(self.gamma));
        set(&mut settings.init_output_std, self.init_output_std.or(self.gamma));
        set(&mut settings.init_sigma, self.init_sigma.or(self.gamma));
        settings.mixture_init |= self.mixture_init;
        settings.freeze_beta |= self.freeze_beta;
        settings.init = self.init.clone().or(settings.init.take());
        set(&mut settings.normalize, self.normalize);
        let order = self.order.as_deref().map(|order| match order {
            "shuffled" => OrderChoice::Shuffled,
            "sequential" => OrderChoice::Sequential,
            file => OrderChoice::File(file.into()),
        });
        set(&mut settings.order, order);
        set(&mut settings.seeds, self.seeds.clone().or(self.seed.map(|seed| vec![seed])));
        settings.split = self.split.or(settings.split);
        set(&mut settings.validation, self.validation);
        settings.max_steps = self.max_steps.or(settings.max_steps);
        settings.log_every = self.log_every.or(settings.log_every);
        settings.snapshot_every = self.snapshot_every.or(settings.snapshot_every);
    }
}

/// Named sets whose columns are quantities of different kinds.
fn is_table(data: &str) -> bool {
    ["kin8nm", "energy", "concrete", "boston", "noisy-sines"].contains(&data)
}
