//! What a training run is asked to do: the command line and configuration files fill these in.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::choices::{LossChoice, ModelKind, OptimizerChoice, OrderChoice, Recipe, Schedule};
use super::pictures::{self, Head, picture};
use crate::data::{ImageShape, NormalizationKind};
use crate::kernels::optimizer::Group;
use crate::nn::{Covariance, DenseInit, GmInit, Init, LayerSpec, NetworkSpec, Weights, covariance_as_text};
use crate::{Error, Result};

/// A whole run. Written to `config.toml` as used; unknown keys are refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Kind of network.
    pub model: ModelKind,
    /// Data set: a name or a path.
    pub data: String,
    /// Which published split of a UCI set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<usize>,
    /// Components `K` of every GM layer.
    pub components: usize,
    /// Covariances of the components of GM layers.
    #[serde(default, with = "covariance_as_text")]
    pub covariance: Covariance,
    /// Weights of the components of GM layers.
    #[serde(default)]
    pub weights: Weights,
    /// Widths between input and output.
    pub hidden: Vec<usize>,
    /// Loss; that of the data's targets where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<LossChoice>,
    /// What ends a convolutional network.
    #[serde(default, skip_serializing_if = "Head::is_dense")]
    pub head: Head,
    /// The widths of a convolutional network are divided by this.
    #[serde(default = "pictures::full_width", skip_serializing_if = "pictures::is_full_width")]
    pub narrow: usize,
    /// Whether training pictures are mirrored and shifted at random.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub augment: bool,
    /// Passes over the training set.
    pub epochs: u64,
    /// Rows of a minibatch.
    pub batch_size: usize,
    /// Optimiser.
    pub optimizer: OptimizerChoice,
    /// Learning rate.
    pub lr: f32,
    /// Learning rate of σ, and of what else makes covariances.
    pub lr_sigma: f32,
    /// Momentum of SGD; 0 is none.
    pub momentum: f32,
    /// Coefficient of the penalty `½ l2 ‖θ‖²` on μ and U, and on the weights of dense layers.
    pub l2: f32,
    /// Course of the learning rates.
    pub schedule: Schedule,
    /// Whether the mixture over β (μ, σ and what else makes covariances) stays as it starts.
    pub freeze_beta: bool,
    /// Standard deviation of the initial μ.
    pub init_mean_std: f64,
    /// Standard deviation of the initial U and v.
    pub init_output_std: f64,
    /// Initial σ.
    pub init_sigma: f64,
    /// Whether the dense layers of `fc` start as neurons drawn from a GM layer's initial mixture, instead of
    /// PyTorch's default.
    pub mixture_init: bool,
    /// A model to start from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init: Option<PathBuf>,
    /// Normalisation of inputs.
    pub normalize: NormalizationKind,
    /// Order of the examples.
    pub order: OrderChoice,
    /// Seeds; each is a run of its own, and they train together.
    pub seeds: Vec<u64>,
    /// Training examples set aside and reported in place of the test split, to choose settings by; 0 for none.
    pub validation: usize,
    /// Steps after which the run ends, whatever the epochs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_steps: Option<u64>,
    /// A line of metrics every so many steps; one an epoch otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_every: Option<u64>,
    /// The model is kept at the start and after every so many epochs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot_every: Option<u64>,
}

impl Settings {
    /// A recipe's settings for a kind of network.
    pub fn recipe(recipe: Recipe, model: ModelKind) -> Self {
        let mut settings = Self {
            model,
            data: "strokes".to_owned(),
            split: None,
            components: 20,
            covariance: Covariance::Diagonal,
            weights: Weights::Equal,
            hidden: if model == ModelKind::Fc { vec![1000] } else { Vec::new() },
            loss: None,
            head: Head::Dense,
            narrow: 1,
            augment: false,
            epochs: 20,
            batch_size: 64,
            optimizer: OptimizerChoice::Sgd,
            lr: 0.1,
            lr_sigma: 1.0,
            momentum: 0.0,
            l2: 0.0,
            schedule: Schedule::Constant,
            freeze_beta: false,
            init_mean_std: 0.5,
            init_output_std: 0.5,
            init_sigma: 0.5,
            mixture_init: false,
            init: None,
            normalize: NormalizationKind::Global,
            order: OrderChoice::Shuffled,
            seeds: vec![0],
            validation: 0,
            max_steps: None,
            log_every: None,
            snapshot_every: None,
        };
        match (recipe, model) {
            (Recipe::Paper, _) => {}
            (Recipe::Tuned, ModelKind::Gm | ModelKind::GmJoint) => {
                settings.optimizer = OptimizerChoice::Adam;
                (settings.lr, settings.lr_sigma, settings.l2) = (1e-2, 1e-2, 6e-5);
                settings.schedule = Schedule::Cosine;
                (settings.init_mean_std, settings.init_output_std) = (0.05, 0.01);
            }
            (Recipe::Tuned, ModelKind::Fc) => {
                settings.optimizer = OptimizerChoice::Adam;
                (settings.lr, settings.lr_sigma) = (1e-3, 1e-3);
                settings.schedule = Schedule::Cosine;
                settings.epochs = 8;
            }
            (Recipe::Tuned, ModelKind::Vgg) => {
                settings.optimizer = OptimizerChoice::Adam;
                (settings.lr, settings.lr_sigma) = (1e-3, 1e-3);
                settings.schedule = Schedule::Cosine;
                // Not the small start of a GM layer on pixels: between convolutions and a GM layer stands a rectifier, and a layer that
                // starts next to 0 drives its units to where they have no gradient.
            }
        }
        if model == ModelKind::Vgg {
            (settings.components, settings.epochs) = (10, 50);
        }
        settings
    }

    /// Refuses settings that no run can have.
    ///
    /// # Errors
    /// [`Error::Config`] naming the setting.
    pub fn check(&self) -> Result<()> {
        let refuse = |bad: bool, what: &str| if bad { Err(Error::Config(what.to_owned())) } else { Ok(()) };
        let rate = |name: &str, value: f32| {
            let bad = !value.is_finite() || value < 0.0;
            refuse(bad, &format!("{name} is {value}; it must be a finite number that is not negative"))
        };
        refuse(self.components == 0, "components is 0; a mixture needs at least 1 component")?;
        refuse(self.components > 1 << 20, "components is above 1,048,576")?;
        refuse(self.hidden.contains(&0), "hidden has a width of 0; every layer needs at least 1 output")?;
        refuse(self.narrow == 0, "narrow is 0; widths are divided by at least 1")?;
        refuse(self.batch_size == 0, "batch-size is 0; a minibatch needs at least 1 row")?;
        refuse(self.epochs == 0 && self.max_steps.is_none(), "epochs is 0; train for at least 1 epoch")?;
        refuse(self.seeds.is_empty(), "no seed is given")?;
        let mut seeds = self.seeds.clone();
        seeds.sort_unstable();
        refuse(seeds.windows(2).any(|pair| pair[0] == pair[1]), "a seed is given twice")?;
        let longest = i64::MAX as u64; // what a TOML file can hold
        refuse(seeds.last().is_some_and(|&seed| seed > longest), "a seed is above 9223372036854775807")?;
        for (name, steps) in
            [("epochs", Some(self.epochs)), ("max-steps", self.max_steps), ("log-every", self.log_every)]
        {
            let bad = steps.is_some_and(|steps| steps > longest);
            refuse(bad, &format!("{name} is above 9223372036854775807"))?;
        }
        refuse(self.log_every == Some(0), "log-every is 0; it counts steps and must be at least 1")?;
        refuse(self.snapshot_every == Some(0), "snapshot-every is 0; it counts epochs and must be at least 1")?;
        refuse(self.max_steps == Some(0), "max-steps is 0; it must be at least 1")?;
        for (name, value) in [("lr", self.lr), ("lr-sigma", self.lr_sigma), ("l2", self.l2)] {
            rate(name, value)?;
        }
        rate("momentum", self.momentum)?;
        refuse(self.momentum >= 1.0, "momentum must be below 1")?;
        for (name, value) in [
            ("init-mean-std", self.init_mean_std),
            ("init-output-std", self.init_output_std),
            ("init-sigma", self.init_sigma),
        ] {
            rate(name, value as f32)?;
        }
        refuse(
            self.mixture_init && (self.model != ModelKind::Fc || self.hidden.len() != 1),
            "mixture-init is for a two-layer dense network: --model fc with one hidden width",
        )?;
        refuse(
            !(self.covariance.is_diagonal() && self.weights.are_equal()) && self.model == ModelKind::Fc,
            "covariance and weights are for GM layers; dense layers (--model fc) have none",
        )?;
        refuse(
            !self.weights.are_equal() && self.model == ModelKind::GmJoint,
            "weights of a joint layer's components cannot be learned; take --model gm",
        )?;
        refuse(
            self.freeze_beta && self.model == ModelKind::GmJoint,
            "freeze-beta leaves the joint layer nothing to learn: its output weight belongs to the mixture",
        )
    }

    /// The network that these settings ask for, from rows of `inputs` values, which may be pictures; a joint one has one output
    /// whatever `outputs` is.
    ///
    /// # Errors
    /// [`Error::Config`] for a convolutional network where rows are no pictures.
    pub fn network(&self, inputs: usize, image: Option<ImageShape>, outputs: usize) -> Result<NetworkSpec> {
        let spec = match self.model {
            ModelKind::Gm => NetworkSpec::gm(inputs, &self.hidden, outputs, self.components),
            ModelKind::GmJoint => NetworkSpec::gm_joint(inputs, &self.hidden, self.components),
            ModelKind::Fc => NetworkSpec::fc(inputs, &self.hidden, outputs),
            ModelKind::Vgg => NetworkSpec::vgg(picture(image)?, outputs, self.head.with(self.components), self.narrow),
        };
        Ok(spec.with_mixture(self.covariance, self.weights))
    }

    /// How its parameters start.
    pub fn start(&self) -> Init {
        Init {
            gm: GmInit { mean_std: self.init_mean_std, output_std: self.init_output_std, sigma: self.init_sigma },
            dense: if self.mixture_init {
                DenseInit::Mixture { components: self.components }
            } else {
                DenseInit::KaimingUniform
            },
        }
    }

    /// The learning rate of component weights at `progress`, the share of the run that is behind.
    pub fn weight_rate(&self, progress: f64) -> f32 {
        self.lr * self.factor(progress)
    }

    /// What the schedule multiplies rates with.
    fn factor(&self, progress: f64) -> f32 {
        match self.schedule {
            Schedule::Constant => 1.0,
            Schedule::Cosine => (0.5 * (1.0 + libm::cos(std::f64::consts::PI * progress))) as f32,
        }
    }

    /// The optimiser's groups for a layer at `progress`. Component weights are in none: they have a step of their own.
    pub fn groups(&self, layer: &LayerSpec, progress: f64) -> Vec<Group> {
        let factor = self.factor(progress);
        let group = |tensor: crate::nn::TensorSpec| {
            let (rate, l2) = match tensor.name {
                "sigma" | "root" | "c" => (if self.freeze_beta { 0.0 } else { self.lr_sigma }, 0.0),
                "mu" => (if self.freeze_beta { 0.0 } else { self.lr }, self.l2),
                "u" | "weight" => (self.lr, self.l2),
                _ => (self.lr, 0.0),
            };
            Group { range: tensor.range, rate: rate * factor, l2 }
        };
        // Weights have a step of their own. Running statistics are no parameters: the batch normalisation moves them itself.
        let trained = |tensor: &crate::nn::TensorSpec| tensor.name != "weights" && !tensor.name.starts_with("running_");
        layer.tensors().into_iter().filter(trained).map(group).collect()
    }
}
