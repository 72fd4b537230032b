//! One step of a small convolutional network, and its evaluation, against PyTorch (`tests/fixtures/make_conv.py`), on both executors.

use std::path::Path;

use bures::device::Device;
use bures::io::{TensorData, Tensors};
use bures::nn::{
    Activation, BatchNormSpec, ConvSpec, DropoutSpec, LayerSpec, Network, NetworkSpec, Pass, Picture, TensorSpec,
};
use bures::shape::stride;
use bures::train::{Minibatches, ModelKind, OptimizerChoice, Recipe, Settings, StepAt, Stepper, Totals};

use crate::device::{Bench, assert_close};
use crate::tolerances;

const BATCH: usize = 4;

fn spec() -> NetworkSpec {
    let (height, width, activation) = (8, 8, Activation::None);
    let conv = ConvSpec { channels: 3, height, width, outputs: 4, activation };
    let norm = BatchNormSpec { channels: 4, height, width, activation: Activation::Relu };
    let dense = |inputs, outputs, activation| LayerSpec::Dense { inputs, outputs, activation };
    let half = Picture { channels: 4, height, width }.pooled();
    NetworkSpec {
        layers: vec![
            LayerSpec::Conv(conv),
            LayerSpec::BatchNorm(norm),
            LayerSpec::MaxPool(Picture { channels: 4, height, width }),
            LayerSpec::Conv(ConvSpec { channels: 4, height: half.height, width: half.width, outputs: 6, activation }),
            LayerSpec::BatchNorm(BatchNormSpec { channels: 6, height: half.height, width: half.width, ..norm }),
            LayerSpec::MaxPool(Picture { channels: 6, ..half }),
            dense(24, 5, Activation::Relu),
            dense(5, 3, Activation::None),
        ],
    }
}

struct Golden(Tensors);

impl Golden {
    fn floats(&self, name: &str) -> Vec<f64> {
        match &self.0.tensors[&format!("net.{name}")].data {
            TensorData::F64(values) => values.clone(),
            TensorData::I64(values) => values.iter().map(|&x| x as f64).collect(),
            other => panic!("{name}: {other:?}"),
        }
    }

    fn tensor(&self, moment: &str, layer: usize, tensor: &TensorSpec) -> Vec<f64> {
        self.floats(&format!("{moment}.{layer}.{}", tensor.name))
    }
}

fn narrow(columns: usize, values: &[f64]) -> Vec<f32> {
    let row = |row: &[f64]| (0..stride(columns)).map(|i| row.get(i).map_or(0.0, |&x| x as f32)).collect::<Vec<_>>();
    values.chunks_exact(columns).flat_map(row).collect()
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |largest, value| largest.max(value.abs()))
}

/// Sums of 576 products at most, in f32, one after another.
fn close(what: &str, got: &[f32], want: &[f64]) {
    assert_close(what, got, want, tolerances::sums(576, largest(want)));
}

#[test]
fn one_step_agrees_with_pytorch() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/conv.safetensors");
    let golden = Golden(Tensors::read(path).expect("a fixture"));
    let spec = spec();
    let params = |(i, layer): (usize, &LayerSpec)| {
        let mut flat = vec![0.0; layer.params_len()];
        for tensor in layer.tensors() {
            let values: Vec<f32> = golden.tensor("before", i, &tensor).iter().map(|&x| x as f32).collect();
            tensor.pack(&values, &mut flat);
        }
        flat
    };
    let start: Vec<Vec<f32>> = spec.layers.iter().enumerate().map(params).collect();
    let settings = Settings {
        optimizer: OptimizerChoice::Sgd,
        lr: 0.1,
        batch_size: BATCH,
        ..Settings::recipe(Recipe::Paper, ModelKind::Vgg)
    };
    for mut bench in [Bench::on(Device::Cpu), Bench::gpu()] {
        let (device, stream) = (&bench.device, &mut bench.stream);
        let mut network = Network::new(device, &spec, std::slice::from_ref(&start)).expect("a network");
        let labels: Vec<u32> = golden.floats("labels").iter().map(|&label| label as u32).collect();
        let buffer = |values: Vec<f32>| bures::device::Buffer::from_vec(device, values).expect("a buffer");
        let data = Minibatches {
            x: buffer(narrow(192, &golden.floats("x"))),
            labels: bures::device::Buffer::from_vec(device, labels).expect("a buffer"),
            values: buffer(Vec::new()),
        };
        let mut training = Pass::new(device, &spec, 1, BATCH, true).expect("a pass");
        training.forward(stream, &network, &data.x, 0).expect("a pass");
        let logits = stream.read(training.outputs()).expect("outputs");
        close(
            "logits",
            &logits,
            &narrow(3, &golden.floats("logits")).iter().map(|&x| f64::from(x)).collect::<Vec<_>>(),
        );

        let mut stepper = Stepper::new(device, &network, BATCH, &settings, Some(false)).expect("a stepper");
        let mut totals = Totals::new(device, 1, 1).expect("totals");
        let at = StepAt { step: 1, progress: 0.0, slot: 0 };
        stepper.record(stream, &mut network, &data, &settings, at, &mut totals).expect("a step");
        close("loss", &stream.read(&totals.losses).expect("a loss"), &golden.floats("loss"));
        let after = network.read(stream).expect("parameters");
        for (i, (layer, params)) in spec.layers.iter().zip(&after[0]).enumerate() {
            for tensor in layer.tensors() {
                let what = format!("layers.{i}.{} after a step", tensor.name);
                close(&what, &tensor.unpack(params), &golden.tensor("after", i, &tensor));
            }
        }
        let mut evaluation = Pass::new(device, &spec, 1, BATCH, false).expect("a pass");
        evaluation.forward(stream, &network, &data.x, 0).expect("a pass");
        let logits = stream.read(evaluation.outputs()).expect("outputs");
        let want = narrow(3, &golden.floats("logits_evaluation")).iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
        close("logits in evaluation", &logits, &want);
    }
}

/// Dropout drops by seed and step in training, and not at all in evaluation.
#[test]
fn dropout_goes_by_seed_and_step() {
    let dense = |inputs, outputs| LayerSpec::Dense { inputs, outputs, activation: Activation::None };
    let spec =
        NetworkSpec { layers: vec![dense(4, 64), LayerSpec::Dropout(DropoutSpec { inputs: 64, probability: 0.5 })] };
    let params = vec![vec![0.25; spec.layers[0].params_len()], Vec::new()];
    for mut bench in [Bench::on(Device::Cpu), Bench::gpu()] {
        let network = Network::new(&bench.device, &spec, &[params.clone(), params.clone()]).expect("a network");
        let x = bench.put(&[1.0_f32; 2 * 3 * 4]);
        let mut outputs = |training: bool, seeds: [u64; 2], step: u64| {
            let mut pass = Pass::new(&bench.device, &spec, 2, 3, training).expect("a pass");
            pass.at_step(&seeds, step);
            pass.forward(&mut bench.stream, &network, &x, 0).expect("a pass");
            bench.stream.read(pass.outputs()).expect("outputs")
        };
        assert!(outputs(false, [0, 1], 1).iter().all(|&h| h == 1.25));
        let first = outputs(true, [0, 1], 1);
        assert!(first.iter().all(|&h| h == 0.0 || h == 2.5));
        let dropped = first.iter().filter(|&&h| h == 0.0).count();
        assert!((140..244).contains(&dropped), "{dropped} of 384 dropped at a half: five standard deviations are 49");
        assert!(first == outputs(true, [0, 1], 1));
        assert!(first[..192] == outputs(true, [0, 7], 1)[..192], "a run depends on another's seed");
        assert!(first[192..] != outputs(true, [0, 7], 1)[192..] && first != outputs(true, [0, 1], 2));
    }
}
