//! The choices of `bures train` as the command line spells them.

use clap::ValueEnum;

use crate::nn::Weights;
use crate::train::{Head, LossChoice, ModelKind, OptimizerChoice, Recipe, Schedule};

/// An argument's values, each the setting of the same name.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident: $setting:ident { $($value:ident),+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, ValueEnum)]
        pub(super) enum $name {
            $($value),+
        }

        impl From<$name> for $setting {
            fn from(choice: $name) -> Self {
                match choice {
                    $($name::$value => Self::$value),+
                }
            }
        }
    };
}

choice! {
    /// `--model`.
    ModelArg: ModelKind { Gm, GmJoint, Fc, Vgg }
}
choice! {
    /// `--head`.
    HeadArg: Head { Dense, Gm }
}
choice! {
    /// `--recipe`.
    RecipeArg: Recipe { Paper, Tuned }
}
choice! {
    /// `--optimizer`.
    OptimizerArg: OptimizerChoice { Sgd, Adam }
}
choice! {
    /// `--weights`.
    WeightsArg: Weights { Equal, Learned }
}
choice! {
    /// `--loss`.
    LossArg: LossChoice { Logistic, Squared }
}
choice! {
    /// `--schedule`.
    ScheduleArg: Schedule { Constant, Cosine }
}
