//! Times one training step of a GM layer (784 → 9, logistic loss, SGD), the gather of its minibatch included, as the
//! trainer runs it. The last line is JSON; `benches/peers/compare.py` sets it beside PyTorch.
//!
//! `cargo run --release --example step_time -- --components 20 --batch 64 --steps 500 --threads 2`

use std::time::Instant;

use bures::Result;
use bures::data::{Features, Normalization, NormalizationKind, Split, Targets};
use bures::device::{Buffer, Device};
use bures::nn::{Network, initialize};
use bures::reference::philox::Philox;
use bures::train::{ModelKind, Order, Recipe, Resident, Settings, StepAt, Stepper, Totals};
use clap::Parser;

const INPUTS: usize = 784;
const OUTPUTS: usize = 9;
const IMAGES: usize = 60_000;
/// What the trainer gathers at a time on a GPU: at most so many minibatches and bytes.
const GATHERED: (usize, usize) = (64, 32 << 20);
/// Steps of one sample on the CPU, so that reading the clock costs nothing; on a GPU it is what is gathered at a time.
const SAMPLE: usize = 10;

#[derive(Parser)]
struct Args {
    /// Components K
    #[arg(long, default_value_t = 20)]
    components: usize,
    /// Rows of a minibatch
    #[arg(long, default_value_t = 64)]
    batch: usize,
    /// Steps to time
    #[arg(long, default_value_t = 500)]
    steps: usize,
    /// Threads of the CPU executor
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Which device: its number in `bures info`, a part of its name, or cpu
    #[arg(long)]
    adapter: Option<String>,
    /// Use the software GPU adapter
    #[arg(long, conflicts_with = "adapter")]
    software: bool,
}

/// Pictures of random bytes: the cost of a step does not depend on what they show.
fn random_images() -> Split {
    let mut random = Philox::new(1, 0);
    let pixels = (0..IMAGES * INPUTS / 4).flat_map(|_| random.next_u32().to_le_bytes()).collect();
    let labels = (0..IMAGES).map(|_| random.below(OUTPUTS as u32 + 1)).collect();
    let targets = Targets::Classes { labels, classes: OUTPUTS + 1 };
    Split { n: IMAGES, features: Features::U8(pixels), targets }
}

/// Milliseconds per step of every sample.
fn time(args: &Args, device: &Device) -> Result<Vec<f64>> {
    let settings = Settings {
        components: args.components,
        batch_size: args.batch,
        ..Settings::recipe(Recipe::Paper, ModelKind::Gm)
    };
    let split = random_images();
    let normalize = Normalization::fit(NormalizationKind::Global, &split.features, INPUTS);
    let data = Resident::new(device, &split, INPUTS, &normalize, None)?;
    let spec = settings.network(INPUTS, None, OUTPUTS)?;
    let mut network = Network::new(device, &spec, &[initialize(&spec, &settings.start(), 0)])?;
    let mut stepper = Stepper::new(device, &network, args.batch, &settings, Some(true))?;

    let most = (GATHERED.1 / (args.batch * INPUTS * size_of::<f32>()).max(1)).clamp(1, GATHERED.0);
    let slots = if device.is_cpu() { 1 } else { most };
    let rows = slots * args.batch;
    let mut stream = device.stream()?;
    let mut indices = Buffer::<u32>::zeros(device, rows)?;
    let mut minibatches = data.room(device, rows)?;
    let mut totals = Totals::new(device, slots, 1)?;
    let order = Order::Shuffled { n: IMAGES as u32 }.epoch(0, 0, args.batch);

    let chunks = if device.is_cpu() { SAMPLE } else { 1 };
    let samples = args.steps.div_ceil(chunks * slots);
    let warm_up = (samples / 10).max(2);
    let mut times = Vec::with_capacity(samples);
    let mut rows = order.chunks_exact(rows).cycle();
    let mut step = 0;
    for sample in 0..warm_up + samples {
        let started = Instant::now();
        for rows in rows.by_ref().take(chunks) {
            stream.write(&mut indices, 0, rows)?;
            data.gather(&mut stream, &indices, &mut minibatches)?;
            for slot in 0..slots {
                step += 1;
                let at = StepAt { step, progress: 0.0, slot };
                stepper.record(&mut stream, &mut network, &minibatches, &settings, at, &mut totals)?;
            }
        }
        stream.wait()?;
        if sample >= warm_up {
            times.push(1e3 * started.elapsed().as_secs_f64() / (chunks * slots) as f64);
        }
    }
    Ok(times)
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    rayon::ThreadPoolBuilder::new().num_threads(args.threads).build_global()?;
    let device = Device::open(args.adapter.as_deref(), args.software)?;
    println!("{}", device.describe());
    // Inside the pool the calling thread is one of its workers, as in the program.
    let mut times = Ok(Vec::new());
    bures::reference::awake(|| times = time(&args, &device));
    let mut times = times?;
    if times.is_empty() {
        return Err("--steps must be at least 1".into());
    }
    times.sort_by(f64::total_cmp);
    let quartile = |q: usize| times[(times.len() - 1) * q / 4];
    let quartiles = [quartile(1), quartile(2), quartile(3)];
    println!("{}", serde_json::json!({"ms_per_step": quartiles[1], "quartiles": quartiles}));
    Ok(())
}
