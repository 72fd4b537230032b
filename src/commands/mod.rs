//! The command line: one file a subcommand, each parses, calls the library, and prints.

/// `println!` that reports a full disk instead of panicking; a reader that has gone away (`| head`) is no error.
macro_rules! say {
    ($($text:tt)*) => { $crate::commands::print_line(format_args!($($text)*)) };
}

mod certify;
mod certify_args;
mod data;
mod eval;
mod info;
mod merge;
mod predict;
mod reproduce;
mod sample;
mod show;
mod train;
mod train_args;
mod train_choices;
mod verify;

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::device::Device;
use crate::{Error, Result};

/// Trains Gaussian-mixture layers and certifies stochastic networks, on any GPU and without one.
///
/// Without a hardware GPU everything runs on the CPU, which is fast; --software asks for the software GPU adapter, which
/// exists for tests. Every command prints a few lines for people, or one JSON object with --json.
#[derive(Parser)]
#[command(name = "bures", version, max_term_width = 100, subcommand_required = true, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// Options that every command has.
#[derive(Args, Clone, Debug)]
struct Common {
    /// Which device: its number in `bures info`, a part of its name, or cpu
    #[arg(
        long,
        global = true,
        help_heading = "All commands",
        value_name = "INDEX|NAME|cpu",
        conflicts_with = "software"
    )]
    adapter: Option<String>,
    /// Use the software GPU adapter (Mesa's lavapipe); for tests, slower than cpu
    #[arg(long, global = true, help_heading = "All commands")]
    software: bool,
    /// Print one JSON object instead of text
    #[arg(long, global = true, help_heading = "All commands")]
    json: bool,
    /// Print results only
    #[arg(long, short, global = true, help_heading = "All commands", conflicts_with = "verbose")]
    quiet: bool,
    /// Print the settings of a training run too
    #[arg(long, short, global = true, help_heading = "All commands")]
    verbose: bool,
}

impl Common {
    fn device(&self) -> Result<Device> {
        Device::open(self.adapter.as_deref(), self.software)
    }

    /// Whether lines for people are wanted besides the result.
    fn chatty(&self) -> bool {
        !self.json && !self.quiet
    }
}

#[derive(Subcommand)]
enum Command {
    /// Train a network and keep its model, metrics and curves
    Train(Box<train_args::TrainArgs>),
    /// Loss and error of a model on the test split of a data set
    Eval(eval::EvalArgs),
    /// A model's outputs for the rows of a .npy file
    Predict(predict::PredictArgs),
    /// A plain two-layer network with neurons drawn from a GM layer
    Sample(sample::SampleArgs),
    /// Prove how near a network with random weights is to a Gaussian mixture, input by input
    Certify(Box<certify_args::CertifyArgs>),
    /// Prove a certificate again from its folder, the model and the inputs
    Verify(verify::VerifyArgs),
    /// Join the shares of a certification
    Merge(merge::MergeArgs),
    /// Run a paper's experiments and write data, figures and a report
    Reproduce(reproduce::ReproduceArgs),
    /// Where a named data set is published, and whether a local copy is whole
    Data(data::DataArgs),
    /// The devices of this machine and what they can do
    Info,
}

/// Runs the program and turns what happened into an exit code: 0 done, 1 failed, 2 bad usage, 3 no adapter.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            // Where even this cannot be written, the exit code still says it.
            let _ = writeln!(std::io::stderr(), "error: {why}");
            ExitCode::from(why.exit_code())
        }
    }
}

fn run(cli: &Cli) -> Result<()> {
    match &cli.command {
        Command::Train(args) => train::run(&cli.common, args),
        Command::Eval(args) => eval::run(&cli.common, args),
        Command::Predict(args) => predict::run(&cli.common, args),
        Command::Sample(args) => sample::run(&cli.common, args),
        Command::Certify(args) => certify::run_command(&cli.common, args),
        Command::Verify(args) => verify::run(&cli.common, args),
        Command::Merge(args) => merge::run(&cli.common, args),
        Command::Reproduce(args) => reproduce::run(&cli.common, args),
        Command::Data(args) => data::run(&cli.common, args),
        Command::Info => info::run(&cli.common),
    }
}

/// Writes a line to standard output.
fn print_line(text: std::fmt::Arguments) -> Result<()> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(why) if why.kind() != std::io::ErrorKind::BrokenPipe => Err(Error::io("write", "standard output")(why)),
        _ => Ok(()),
    }
}

/// Prints a JSON object as the one line of standard output.
fn print_json(value: &impl serde::Serialize) -> Result<()> {
    let text = serde_json::to_string(value).map_err(|why| Error::Config(format!("JSON: {why}")))?;
    say!("{text}")
}
