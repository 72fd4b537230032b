//! What cannot be certified is refused with one clear line, and nothing is written.

use bures::io::{TensorData, Tensors};

use crate::certify_nets::{CERTIFY, WIDTHS, network, place, write};
use crate::place::{f32s, npy};

#[test]
fn options_that_make_no_sense() {
    let place = place();
    let before = place.files();
    for (args, code, words) in [
        ("--range 3..3", 2, "a range is A..B with A below B"),
        ("--range 5..2", 2, "a range is A..B"),
        ("--range 1-2", 2, "a range is A..B"),
        ("--range 5..8", 2, "--range 5..8: x.npy has rows 0..7"),
        ("--epsilon 0", 2, "epsilon is 0"),
        ("--epsilon nan", 2, "epsilon is NaN"),
        ("--epsilon 0.1 --max-components 0", 2, "max-components is 0"),
        ("--dropout 1", 2, "dropout is 1; a probability in [0, 1)"),
        ("--dropout=-0.5", 2, "dropout is -0.5"),
        ("--samples 3", 2, "samples is 3; between 10 and 5000"),
        ("--method exact", 2, "exact"),
    ] {
        place.run(&format!("{CERTIFY} --out run {args}")).refused(args, code, words);
        assert_eq!(place.files(), before, "{args} left files");
    }
    let certify = |activation: &str| format!("certify net.safetensors {activation} --inputs x.npy --out run");
    place.run(&certify("")).refused("no activation", 2, "give --activation relu, tanh or none");
    place.run(&certify("--activation gelu")).refused("gelu", 2, "an activation is relu, tanh or none");
    place.run("verify missing").refused("no folder", 1, "missing: no certificate");
    place.run(&format!("{CERTIFY} --out run")).ok();
    place.run(&format!("{CERTIFY} --out run")).refused("again", 2, "run holds the results of a certification");
    place.run(&format!("{CERTIFY} --out run --force")).ok();
}

/// Every number the largest that single precision has: variances of variances leave double precision.
fn huge(net: &Tensors) -> Tensors {
    let mut net = net.clone();
    for tensor in net.tensors.values_mut() {
        tensor.data = TensorData::F32(vec![f32::MAX; tensor.data.len()]);
    }
    net
}

#[test]
fn damaged_networks() {
    let place = place();
    let good = network(&WIDTHS, 1);
    let with = |name: &str, shape: &[usize], data: TensorData| {
        let mut net = good.clone();
        net.insert(name, shape, data);
        net
    };
    let filled = |shape: &[usize], value: f32| TensorData::F32(vec![value; shape.iter().product()]);
    let without = |name: &str| {
        let mut net = good.clone();
        net.tensors.remove(name).expect("a tensor");
        net
    };
    let described = |layers: &str| {
        let mut net = good.clone();
        let about = format!(r#"{{"format":1,"kind":"stochastic","layers":[{layers}]}}"#);
        net.metadata.insert("bures".to_owned(), about);
        net
    };
    let (wide, std) = ("layers.1.weight_mean", "layers.1.weight_std");
    let dense = r#"{"type":"dense"}"#;
    for (case, net, code, words) in [
        ("shapes", with(wide, &[4, 6], filled(&[4, 6], 0.1)), 1, "layer 0 has 5 outputs but layer 1 takes 6 inputs"),
        ("std shape", with(std, &[5, 4], filled(&[5, 4], 0.1)), 1, "tensor layers.1.weight_std has shape [5, 4]"),
        ("vector", with(wide, &[20], filled(&[20], 0.1)), 1, "layer layers.1 has neither"),
        ("negative std", with(std, &[4, 5], filled(&[4, 5], -0.1)), 1, "a standard deviation cannot be negative"),
        ("NaN std", with(std, &[4, 5], filled(&[4, 5], f32::NAN)), 1, "tensor layers.1.weight_std, value 0: NaN"),
        ("infinite mean", with(wide, &[4, 5], filled(&[4, 5], f32::INFINITY)), 1, "must be a finite number"),
        ("double", with(wide, &[4, 5], TensorData::F64(vec![0.1; 20])), 1, "store the model as float32"),
        ("integers", with(wide, &[4, 5], TensorData::I64(vec![1; 20])), 1, "must hold f32"),
        ("no bias", without("layers.1.bias_mean"), 1, "tensor layers.1.bias_mean is missing"),
        ("no weights", without(wide), 1, "layer layers.1 has neither"),
        ("huge", huge(&good), 1, "no certificate"),
        ("type", described(r#"{"type":"conv"}"#), 1, "the layers of a stochastic network are dense"),
        ("activation", described(r#"{"type":"dense","activation":"gelu"}"#), 1, "gelu"),
        ("field", described(r#"{"type":"dense","bias":true}"#), 1, "bias"),
        (
            "dropout",
            described(&format!(r#"{{"type":"dense","dropout":1.5}},{dense},{dense}"#)),
            1,
            "which is not in [0, 1)",
        ),
        ("sizes", described(&format!(r#"{{"type":"dense","inputs":9}},{dense},{dense}"#)), 1, "has shape [5, 3]"),
        ("layers", described(&[dense; 4].join(",")), 1, "layer 3 has neither sizes"),
        ("too large", described(r#"{"type":"dense","inputs":99999999,"outputs":99999999}"#), 1, "too large"),
    ] {
        write(&place, "net.safetensors", &net);
        let before = place.files();
        place.run(&format!("{CERTIFY} --out run")).refused(case, code, words);
        assert_eq!(place.files(), before, "{case} left files");
    }
    place.write("net.safetensors", b"torch");
    place.run(&format!("{CERTIFY} --out run")).refused("no safetensors", 1, "net.safetensors: not a readable");
    // Random weights are certified, not trained, evaluated or run; and the other way about.
    write(&place, "net.safetensors", &good);
    let predict = "predict net.safetensors --activation relu --inputs x.npy --out y.npy --adapter cpu";
    place.run(predict).refused("predict", 2, "the weights of layer 0 are random");
    let place = crate::place::Place::with_tiny();
    place.run("train --data tiny.npz -K 2 --epochs 1 --adapter cpu --out gm").ok();
    let certify = "certify gm/model.safetensors --inputs tiny.npz --out run";
    place.run(certify).refused("GM layers", 1, "layer 0 is a Gaussian-mixture layer; bures certify takes dense layers");
}

#[test]
fn a_width_beyond_the_memory() {
    let place = place();
    // 2¹⁸ outputs: their covariance matrix would take 512 GiB, and the file is small.
    let mut net = Tensors::default();
    let wide = 1 << 18;
    for (i, shape) in [[wide, 3], [2, wide]].iter().enumerate() {
        net.insert(format!("layers.{i}.weight_mean"), shape, TensorData::F32(vec![0.0; shape[0] * shape[1]]));
        net.insert(format!("layers.{i}.bias_mean"), &shape[..1], TensorData::F32(vec![0.0; shape[0]]));
    }
    write(&place, "net.safetensors", &net);
    let run = place.run(&format!("{CERTIFY} --out run"));
    run.refused("wide", 2, "a network with a layer of width 262144 needs about");
    assert!(!place.path("run").exists());
}

#[test]
fn damaged_inputs() {
    let place = place();
    for (case, bytes, words) in [
        ("no rows", npy("<f4", "(0, 3)", &[]), "the model takes [n, 3]"),
        ("another width", npy("<f4", "(2, 4)", &f32s(&[0.5; 8])), "the model takes [n, 3]"),
        ("one dimension", npy("<f4", "(3,)", &f32s(&[0.5; 3])), "the model takes [n, 3]"),
        ("NaN", npy("<f4", "(1, 3)", &f32s(&[0.5, f32::NAN, 0.5])), "inputs[0, 1] is NaN"),
        ("cut off", npy("<f4", "(9, 3)", &f32s(&[0.5; 3])), "the file is damaged or cut off"),
        ("objects", npy("|O", "(1, 3)", &[0; 24]), "Python objects"),
        ("empty", Vec::new(), "x.npy"),
    ] {
        place.write("x.npy", &bytes);
        let before = place.files();
        place.run(&format!("{CERTIFY} --out run")).refused(case, 1, words);
        assert_eq!(place.files(), before, "{case} left files");
    }
    let given = |inputs: &str| place.run(&format!("{} --out run", CERTIFY.replace("x.npy", inputs)));
    given("missing.npy").refused("missing", 1, "missing.npy");
    given("nonsuch").refused("a name", 2, "data set nonsuch is not known");
    given("noisy-sines").refused("another set", 1, "noisy-sines has rows of 1 values; the model takes 3");
}
