//! Trains a GM layer on MNIST through the library and keeps the same folder of results as `bures train`.
//!
//! `BURES_DATA=FOLDER cargo run --release --example train_mnist [EPOCHS]`, where FOLDER holds `mnist/`.

use std::path::Path;

use bures::data::{LoadOptions, load};
use bures::device::Device;
use bures::nn::{Model, Provenance};
use bures::train::{ModelKind, Progress, Recipe, RunFolder, Settings, predict, train};

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let epochs = std::env::args().nth(1).map_or(Ok(5), |epochs| epochs.parse())?;
    let data = load("mnist", &LoadOptions::default())?;
    let device = Device::open(None, false)?;

    // A recipe, and what this run does otherwise. Every seed is a run of its own; they train together.
    let settings = Settings {
        data: data.name.clone(),
        epochs,
        seeds: vec![0, 1],
        ..Settings::recipe(Recipe::Tuned, ModelKind::Gm)
    };
    let spec = settings.network(data.inputs, data.image, data.train.targets.outputs())?;
    println!("{}, {} parameters, on {}", spec.describe(), spec.parameters(), device.describe());

    let folder = RunFolder::create(Path::new("runs/example-mnist"), &settings.seeds, true)?;
    folder.write_settings(&settings)?;
    let provenance = Provenance::of(&device, &data);
    let mut tell = |progress: Progress| {
        if let (0, Some(test)) = (progress.step % progress.steps_per_epoch, progress.test) {
            let epoch = progress.step / progress.steps_per_epoch;
            println!("epoch {epoch}: test error {:.2} %", 100.0 * test.error.unwrap_or(f64::NAN));
        }
    };
    let summary = train(&device, &settings, &data, &folder, &provenance, false, &mut tell)?;
    bures::plot::curves(&folder.metrics()?, "GM layer on MNIST", folder.path())?;
    println!("{} steps in {:.1} s → {}", summary.steps, summary.seconds, folder.path().display());

    // What was written can be read and used anywhere; the normalisation travels with the model.
    let model = Model::read(folder.of_seed(0).join("model.safetensors"), None)?;
    let logits = predict(&device, &model, data.test.features)?;
    println!("logits of classes 1 to 9 of the first test image (class 0 has 0): {:.2?}", &logits[..9]);
    Ok(())
}
