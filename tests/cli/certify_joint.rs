//! Certificates of joint sets, of networks with correlated weights and with dropout by the paper's method, and of sets with a bad input.

use bures::io::{TensorData, Tensors};
use serde_json::Value;

use crate::certify_nets::{CERTIFY, WIDTHS, network, place, write};
use crate::place::{Place, f32s, npy};

const JOINT: &str = "--method paper --points 6 --components 2 --joint";

fn lines(place: &Place, folder: &str) -> Vec<Value> {
    let text = String::from_utf8(place.read(&format!("{folder}/certificate.jsonl"))).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn bound(line: &Value) -> f64 {
    line["bound"].as_f64().expect("a number")
}

#[test]
fn a_joint_set_is_one_line_and_verifies() {
    let place = place();
    let run = place.run(&format!("{CERTIFY} {JOINT} --out run")).ok();
    for words in ["7 inputs jointly · paper bound", "joint distribution of the outputs at 7 inputs, proven: "] {
        assert!(run.stdout.contains(words), "no {words:?} in {}", run.stdout);
    }
    let joint = lines(&place, "run");
    assert_eq!((joint.len(), &joint[0]["input"]), (1, &Value::from(0)));
    let mixture = Tensors::read(place.path("run/mixture.safetensors")).expect("a file");
    let components = joint[0]["components"].as_u64().expect("a count") as usize;
    assert_eq!(mixture.tensors["means"].shape, [1, components, 14]);
    assert_eq!(mixture.tensors["covariances"].shape, [1, components, 14, 14]);
    assert!(place.run("verify run").ok().stdout.contains("joint distribution"));
    let json = place.run("verify run --json").json();
    assert_eq!((&json["joint"], &json["inputs"]), (&Value::from(true), &Value::from(7)));
    // The whole is at least as far as its worst part, and at most as all parts together would be with one signature each.
    place.run(&format!("{CERTIFY} --method paper --points 6 --components 2 --out each")).ok();
    let worst = lines(&place, "each").iter().map(bound).fold(0.0, f64::max);
    assert!(bound(&joint[0]) > worst, "{} {worst}", bound(&joint[0]));
    // Another order of inputs is another certificate.
    place.write("x.npy", &npy("<f4", "(2, 3)", &f32s(&[0.5; 6])));
    place.run("verify run").refused("other inputs", 1, "these are not the inputs of the certificate");
}

#[test]
fn samples_of_a_joint_set() {
    let place = place();
    for (method, out) in [(JOINT, "paper"), ("--joint", "tight")] {
        // The folder that the model lies in is not for a report's readers.
        let model = place.path("net.safetensors").display().to_string();
        let certify = CERTIFY.replace("net.safetensors", &model);
        let run = place.run(&format!("{certify} {method} --samples 60 --out {out}")).ok();
        assert!(run.stdout.contains("measured with 60 samples"), "{}", run.stdout);
        let line = &lines(&place, out)[0];
        let figure = |name: &str| line["empirical"][name].as_f64().expect("a figure");
        assert!(figure("floor") > 0.0 && figure("lower") <= figure("distance"), "{line}");
        assert!(figure("lower") <= bound(line), "{line}");
        let samples = Tensors::read(place.path(&format!("{out}/samples.safetensors"))).expect("a file");
        assert_eq!(samples.tensors["samples"].shape, [60, 14]);
        let report = String::from_utf8(place.read(&format!("{out}/report.html"))).expect("text");
        assert!(report.contains("7 inputs together") && !report.contains("For each input"), "{out}");
        assert!(report.contains("net.safetensors") && !report.contains(&model), "{out}");
        place.run(&format!("verify {out}")).ok();
    }
}

#[test]
fn joint_sets_that_cannot_be() {
    let place = place();
    let before = place.files();
    for (args, words) in [
        ("--method paper --joint --range 0..3", "--joint"),
        ("--joint --epsilon 0.1", "a joint law is not split"),
        ("--method paper --joint --dropout 0.5", "--joint takes no dropout"),
    ] {
        place.run(&format!("{CERTIFY} --out run {args}")).refused(args, 2, words);
        assert_eq!(place.files(), before, "{args} left files");
    }
    // 100,000 inputs: a covariance of each neuron at all of them would take 75 GiB.
    place.write("x.npy", &npy("<f4", "(100000, 3)", &f32s(&vec![0.5; 300_000])));
    place.run(&format!("{CERTIFY} {JOINT} --out run")).refused("many", 2, "the joint law of 100000 inputs needs about");
    place.run(&format!("{CERTIFY} --joint --out run")).refused(
        "tight",
        2,
        "the joint law of 100000 inputs needs about",
    );
    let place = crate::certify_nets::place();
    place.run(&format!("{CERTIFY} {JOINT} --out a")).ok();
    place.run(&format!("{CERTIFY} --method paper --points 6 --components 2 --range 0..2 --out b")).ok();
    place.run("merge a b --out c").refused("no shares", 1, "a joint certificate is of all inputs at once");
}

/// The network with the covariance `diag(std²)` in place of the deviations of a layer's weights and biases.
fn correlated(layer: usize) -> Tensors {
    let mut net = network(&WIDTHS, 1);
    for name in ["weight", "bias"] {
        let std = net.tensors.remove(&format!("layers.{layer}.{name}_std")).expect("deviations");
        let TensorData::F32(values) = std.data else { panic!("f32") };
        let columns = if name == "bias" { 1 } else { std.shape[1] };
        let rows = values.len() / columns;
        let n = values.len();
        let mut covariance = vec![0.0; n * n];
        for (at, value) in values.iter().enumerate() {
            let place = at % columns * rows + at / columns;
            covariance[place * n + place] = value * value;
        }
        net.insert(format!("layers.{layer}.{name}_covariance"), &[n, n], TensorData::F32(covariance));
    }
    net
}

#[test]
fn correlated_weights() {
    let place = place();
    let paper = format!("{CERTIFY} --method paper");
    place.run(&format!("{paper} --out plain")).ok();
    write(&place, "net.safetensors", &correlated(1));
    let run = place.run(&format!("{paper} --out run")).ok();
    assert!(run.stdout.contains("correlated Gaussian weights"), "{}", run.stdout);
    for (got, want) in lines(&place, "run").iter().zip(lines(&place, "plain")) {
        assert!(
            (bound(got) / bound(&want) - 1.0).abs() < 1e-5,
            "squares of deviations are rounded to f32: {got} {want}"
        );
    }
    place.run("verify run").ok();
    place.run(&format!("{paper} --joint --out joint")).ok();
    place.run("verify joint").ok();
    place.run(&format!("{CERTIFY} --out bad")).refused("tight", 2, "the tight method needs independent weights");
    for out in ["sampled", "again"] {
        place.run(&format!("{paper} --samples 20 --joint --out {out}")).ok();
    }
    assert!(lines(&place, "sampled")[0]["empirical"]["distance"].as_f64().is_some_and(|distance| distance > 0.0));
    assert!(place.read("sampled/certificate.jsonl") == place.read("again/certificate.jsonl"));
    let name = "layers.1.weight_covariance";
    let change = |change: &dyn Fn(&mut Tensors)| {
        let mut net = correlated(1);
        change(&mut net);
        write(&place, "net.safetensors", &net);
    };
    let entry = |at: usize, value: f32| {
        change(&|net| {
            let TensorData::F32(values) = &mut net.tensors.get_mut(name).expect("a tensor").data else { panic!("f32") };
            values[at] = value;
        });
        place.run(&format!("{paper} --out bad"))
    };
    entry(1, 0.5).refused("not symmetric", 1, "the covariance of the weights is not symmetric");
    entry(0, -0.5).refused("negative", 1, "is not proved to be positive semidefinite");
    entry(0, f32::NAN).refused("NaN", 1, "NaN");
    change(&|net| net.insert("layers.1.weight_std", &[4, 5], TensorData::F32(vec![0.1; 20])));
    place.run(&format!("{paper} --out bad")).refused("both", 1, "exclude one another");
    change(&|net| net.insert(name, &[20], TensorData::F32(vec![0.1; 20])));
    place.run(&format!("{paper} --out bad")).refused("shape", 1, "has shape [20]; the model's layers want [20, 20]");
    assert!(!place.path("bad").exists());
}

#[test]
fn dropout_by_the_papers_method() {
    let place = place();
    place.run(&format!("{CERTIFY} --method paper --points 16 --dropout 0.25 --out run")).ok();
    for line in lines(&place, "run") {
        let kinds = line["terms"].as_array().expect("terms").iter().map(|term| &term["kind"]);
        assert!(kinds.into_iter().any(|kind| kind == "dropout"), "{line}");
    }
    place.run("verify run").ok();
}

#[test]
fn crosses() {
    let place = place();
    let cross = format!("{CERTIFY} --method paper --placement cross");
    place.run(&format!("{cross} --out run")).ok();
    assert!(lines(&place, "run").iter().all(|line| line["method"] == "paper-cross"));
    place.run("verify run").ok();
    place.run(&format!("{cross} --joint --out joint")).ok();
    place.run("verify joint").ok();
    place.run(&format!("{cross} --range 0..2 --samples 40 --out sampled")).ok();
    for line in lines(&place, "sampled") {
        assert!(line["empirical"]["lower"].as_f64().expect("a number") <= bound(&line), "{line}");
    }
    let words = "--placement goes with --method paper";
    place.run(&format!("{CERTIFY} --placement cross --out bad")).refused("tight", 2, words);
}

/// One input without a certificate does not keep the others from theirs.
#[test]
fn a_bad_input_does_not_end_the_run() {
    let place = place();
    let mut values = vec![0.5_f32; 21];
    values[9..12].fill(f32::MAX);
    place.write("x.npy", &npy("<f4", "(7, 3)", &f32s(&values)));
    // Weights so large that the large input, and it alone, leaves double precision.
    let mut net = network(&[3, 4, 4, 4, 2], 1);
    for tensor in net.tensors.values_mut() {
        let TensorData::F32(values) = &mut tensor.data else { panic!("f32") };
        values.iter_mut().for_each(|value| *value *= 1e30);
    }
    write(&place, "net.safetensors", &net);
    let certify = format!("{CERTIFY} --method paper");
    let run = place.run(&format!("{certify} --out run"));
    assert_eq!(run.code, Some(1), "{}{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("x.npy: input 3 has no certificate: "), "{}", run.stderr);
    let inputs: Vec<u64> = lines(&place, "run").iter().map(|line| line["input"].as_u64().expect("a number")).collect();
    assert_eq!(inputs, [0, 1, 2, 4, 5, 6]);
    let json = place.run("verify run --json").json();
    assert_eq!((&json["inputs"], &json["failed"]), (&Value::from(6), &Value::from(vec![3])));
    for (share, range, code) in [("a", "0..3", 0), ("b", "2..4", 1), ("c", "3..7", 1), ("d", "3..4", 1)] {
        let run = place.run(&format!("{certify} --out {share} --range {range}"));
        assert_eq!(run.code, Some(code), "{share}: {}", run.stderr);
    }
    assert!(!place.path("d").exists(), "nothing was certified");
    let merged = place.run("merge a c --out joined").ok();
    assert!(merged.stdout.starts_with("2 shares joined: inputs 0..7\n"), "{}", merged.stdout);
    assert!(place.run("merge a --out alone").ok().stdout.starts_with("1 share joined: inputs 0..3\n"));
    assert!(place.read("joined/certificate.jsonl") == place.read("run/certificate.jsonl"));
    assert!(place.read("joined/manifest.json") == place.read("run/manifest.json"));
}

#[test]
fn splits_of_uci_sets() {
    let place = place();
    place.run(&format!("{CERTIFY} --split 1 --out run")).refused("a file", 2, "--split 1: x.npy is a file");
    let named = CERTIFY.replace("x.npy", "strokes");
    place.run(&format!("{named} --split 1 --out run")).refused("no UCI set", 2, "strokes has one fixed split");
    let Some(data) = crate::skip::folder_or_skip("BURES_DATA") else { return };
    let data = data.canonicalize().expect("a folder");
    write(&place, "net.safetensors", &network(&[8, 4, 1], 2));
    let run = |split: &str, out: &str| {
        let args = CERTIFY.replace("x.npy", "kin8nm") + &format!(" --out {out} {split} --range 0..2");
        let output = place.command(&args).env("BURES_DATA", &data).output().expect("the program runs");
        crate::place::Outcome::from(output).ok();
        lines(&place, out)
    };
    let (none, zero, one) = (run("", "none"), run("--split 0", "zero"), run("--split 1", "one"));
    assert_eq!(none, zero);
    assert!(none != one, "another split has other inputs");
    let output = place.command("verify one").env("BURES_DATA", &data).output().expect("the program runs");
    crate::place::Outcome::from(output).ok();
}
