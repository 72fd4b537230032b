//! Makes the table of optimal quantizers that the library contains. Run in the repository's root:
//! `cargo run --release --example make_quantizers -- assets/quantizers/normal-1-1000.bin`

use std::path::PathBuf;

use bures::math::quantizer::{asset, solve};
use bures::{Error, Result};
use clap::Parser;

#[derive(Parser)]
struct Args {
    /// Where to write the table
    out: PathBuf,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let halves: Vec<Vec<f64>> = (1..=asset::LARGEST).map(solve::positive_half).collect();
    let bytes = asset::encode(&halves)?;
    println!("{} quantizers in {} bytes", halves.len(), bytes.len());
    std::fs::write(&args.out, bytes).map_err(Error::io("write", &args.out))
}
