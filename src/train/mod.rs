//! Training: a data set resident on the device, minibatches by index, layers, loss, optimiser, checkpoints, metrics.

mod augmenter;
mod checkpoint;
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

pub use evaluate::{Evaluation, Evaluator, predict};
pub use order::Order;
pub use pictures::Head;
pub use resident::{Minibatches, Resident};
pub use run_folder::{RunFolder, snapshots};
pub use settings::{ModelKind, OptimizerChoice, OrderChoice, Recipe, Schedule, Settings};
pub use settings_file::SettingsFile;
pub use stepper::{StepAt, Stepper, Totals};
pub use trainer::{Progress, Summary, train};
