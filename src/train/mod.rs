//! Training: a data set resident on the device, minibatches by index, layers, loss, optimiser, checkpoints, metrics.

mod augmenter;
mod checkpoint;
mod choices;
mod evaluate;
mod memory;
mod order;
mod pictures;
mod resident;
mod run_folder;
mod settings;
mod settings_file;
mod start;
mod stepper;
mod trainer;

pub use choices::{LossChoice, ModelKind, OptimizerChoice, OrderChoice, Recipe, Schedule};
pub use evaluate::{Evaluation, Evaluator, predict};
pub use order::Order;
pub use pictures::Head;
pub use resident::{Minibatches, Resident};
pub use run_folder::{RunFolder, snapshots};
pub use settings::Settings;
pub use settings_file::SettingsFile;
pub use start::check_targets;
pub use stepper::{StepAt, Stepper, Totals};
pub use trainer::{Progress, Summary, train};
