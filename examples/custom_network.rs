//! A GM layer behind a dense layer, trained by one's own loop on the built-in digits.
//!
//! `cargo run --release --example custom_network`

use bures::data::{LoadOptions, Normalization, NormalizationKind, load};
use bures::device::{Buffer, Device};
use bures::kernels::loss::{Loss, LossArgs, LossDims, Target};
use bures::kernels::optimizer::{AdamSettings, Group, Optimizer, OptimizerArgs, OptimizerKind, Update};
use bures::nn::{
    Activation, Covariance, DenseInit, GmInit, Init, LayerSpec, Network, NetworkSpec, Pass, Weights, initialize,
};
use bures::train::{Evaluator, Order, Resident};

const BATCH: usize = 64;
const EPOCHS: u64 = 5;

fn main() -> bures::Result<()> {
    let data = load("strokes", &LoadOptions::default())?;
    let device = Device::open(None, false)?;
    let dense = LayerSpec::Dense { inputs: data.inputs, outputs: 64, activation: Activation::Relu };
    let spec = NetworkSpec {
        layers: vec![
            dense,
            LayerSpec::Gm {
                components: 10,
                inputs: 64,
                outputs: 9,
                covariance: Covariance::Diagonal,
                weights: Weights::Equal,
            },
        ],
    };
    let gm = GmInit { mean_std: 0.15, output_std: 0.1, sigma: 0.5 };
    let start = initialize(&spec, &Init { gm, dense: DenseInit::KaimingUniform }, 0);
    let mut network = Network::new(&device, &spec, &[start])?;

    let normalize = Normalization::fit(NormalizationKind::Global, &data.train.features, data.inputs);
    let train = Resident::new(&device, &data.train, data.inputs, &normalize, None)?;
    let test = Resident::new(&device, &data.test, data.inputs, &normalize, None)?;
    let mut evaluator = Evaluator::new(&device, &spec, 1, &test, true)?;

    let mut pass = Pass::new(&device, &spec, 1, BATCH, true)?;
    let loss = Loss::new(&device, LossDims { runs: 1, batch: BATCH, outputs: 9, valid: BATCH })?;
    let adam = Optimizer::new(&device, OptimizerKind::Adam)?;
    // Adam's means of gradients and of their squares.
    let (mut first, mut second) = (network.zeros()?, network.zeros()?);
    let (mut losses, mut errors) = (Buffer::zeros(&device, 1)?, Buffer::zeros(&device, 1)?);
    let (mut stream, mut batch) = (device.stream()?, train.room(&device, BATCH)?);
    let (order, mut step) = (Order::Shuffled { n: data.train.n as u32 }, 0);
    for epoch in 0..EPOCHS {
        for rows in order.epoch(0, epoch, BATCH).chunks(BATCH) {
            step += 1;
            train.gather(&mut stream, &Buffer::from_slice(&device, rows)?, &mut batch)?;
            pass.forward(&mut stream, &network, &batch.x, 0)?;
            let target = Target::Labels { labels: &batch.labels, reference: true };
            let (h, dh) = pass.outputs_and_gradient();
            let (valid, losses, errors) = (BATCH, &mut losses, &mut errors);
            loss.record(&mut stream, LossArgs { valid, h, target, slot: 0, dh, losses, errors })?;
            pass.backward(&mut stream, &network, &batch.x, 0)?;
            for (i, layer) in spec.layers.iter().enumerate() {
                let groups = [Group { range: 0..layer.params_len(), rate: 2e-3, l2: 0.0 }];
                let (settings, first, second) = (AdamSettings::default(), &mut first[i], &mut second[i]);
                let update = Update::Adam { settings, step, first, second };
                let (params, grads, params_len) = (network.params_mut(i), pass.grads(i), layer.params_len());
                adam.record(&mut stream, OptimizerArgs { params_len, groups: &groups, params, grads, update })?;
            }
        }
        let result = evaluator.evaluate(&mut stream, &network, &test)?[0];
        println!("epoch {}: test error {:.2} %", epoch + 1, 100.0 * result.error.unwrap_or(f64::NAN));
    }
    Ok(())
}
