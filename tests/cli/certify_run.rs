//! Certificates: made, verified, shared out and joined.

use std::collections::BTreeSet;

use bures::io::{Tensor, TensorData, Tensors};
use serde_json::Value;

use crate::certify_nets::{CERTIFY, WIDTHS, network, place, rows, write};
use crate::place::{Place, f32s, npy, npz};
use crate::skip::folder_or_skip;

fn lines(place: &Place, folder: &str) -> Vec<Value> {
    let text = String::from_utf8(place.read(&format!("{folder}/certificate.jsonl"))).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

#[test]
fn a_certificate_is_made_and_verifies() {
    let place = place();
    let run = place.run(&format!("{CERTIFY} --out run")).ok();
    for words in
        ["network 3-5-4-2, ReLU, factorised Gaussian weights · 7 inputs · tight bound", "proven: median", "→ run/"]
    {
        assert!(run.stdout.contains(words), "no {words:?} in {}", run.stdout);
    }
    let lines = lines(&place, "run");
    assert_eq!(lines.len(), 7);
    for (i, line) in lines.iter().enumerate() {
        assert_eq!(line["input"], i);
        let bound = number(&line["bound"]);
        let terms: f64 = line["terms"].as_array().expect("terms").iter().map(|term| number(&term["value"])).sum();
        assert!(bound > 0.0 && (terms - bound).abs() <= 1e-12 * bound, "terms sum to {terms}, bound {bound}");
        let relative = bound / number(&line["second_moment"]).sqrt();
        assert!((number(&line["relative_bound"]) / relative - 1.0).abs() < 1e-12);
        assert!(line["empirical"].is_null() && line["stopped"].is_null());
    }
    let mixture = Tensors::read(place.path("run/mixture.safetensors")).expect("a file");
    let shape = |name: &str| mixture.tensors[name].shape.clone();
    assert_eq!([shape("weights"), shape("means"), shape("covariances")], [vec![7, 1], vec![7, 1, 2], vec![7, 1, 2, 2]]);
    let report = String::from_utf8(place.read("run/report.html")).expect("text");
    assert!(report.contains("<svg") && !report.contains("src=") && !report.contains("href="), "it stands alone");
    let verified = place.run("verify run").ok();
    assert!(verified.stdout.starts_with("verified: "), "{}", verified.stdout);
    // The same again gives the same bits, whatever the number of threads.
    let mut again = place.command(&format!("{CERTIFY} --out again"));
    let again = again.env("RAYON_NUM_THREADS", "1").output().expect("the program runs");
    assert!(again.status.success());
    for file in ["certificate.jsonl", "mixture.safetensors", "witness.safetensors", "manifest.json", "report.html"] {
        assert!(place.read(&format!("run/{file}")) == place.read(&format!("again/{file}")), "{file} differs");
    }
}

#[test]
fn the_papers_method_certifies_verifies_and_joins() {
    let place = place();
    place.run(&format!("{CERTIFY} --out tight")).ok();
    let run = place.run(&format!("{CERTIFY} --method paper --points 6 --components 2 --out paper")).ok();
    assert!(run.stdout.contains("paper bound"), "{}", run.stdout);
    for (tight, paper) in lines(&place, "tight").iter().zip(lines(&place, "paper")) {
        assert_eq!(paper["method"], "paper");
        assert!(number(&paper["bound"]) > number(&tight["bound"]), "the recursion is the looser one");
        assert!((1..=12).contains(&paper["components"].as_u64().expect("a count")));
        let kinds: BTreeSet<&str> =
            paper["terms"].as_array().expect("terms").iter().filter_map(|term| term["kind"].as_str()).collect();
        assert!(kinds.contains("signature") && !kinds.contains("linearisation"), "{kinds:?}");
    }
    place.run("verify paper").ok();
    place.run(&format!("{CERTIFY} --method paper --out fine --points 200 --components 30")).ok();
    let whole = |folder: &str| lines(&place, folder).iter().map(|line| number(&line["bound"])).sum::<f64>();
    assert!(whole("fine") < whole("paper"), "more points, a smaller bound");
    for (share, range) in [("a", "0..3"), ("b", "3..7")] {
        place.run(&format!("{CERTIFY} --method paper --points 6 --components 2 --out {share} --range {range}")).ok();
    }
    place.run("merge a b --out joined").ok();
    assert!(place.read("joined/certificate.jsonl") == place.read("paper/certificate.jsonl"));
    for (options, words) in [
        ("--method paper --epsilon 0.1", "epsilon"),
        ("--method paper --points 0", "points is 0"),
        ("--method paper --components 0", "components is 0"),
    ] {
        place.run(&format!("{CERTIFY} --out bad {options}")).refused(options, 2, words);
    }
}

#[test]
fn shares_join_to_what_one_run_makes() {
    let place = place();
    place.run(&format!("{CERTIFY} --out whole --range 1..7")).ok();
    for (share, range) in [("a", "1..3"), ("b", "3..4"), ("c", "4..7")] {
        place.run(&format!("{CERTIFY} --out {share} --range {range}")).ok();
    }
    place.run("merge c a b --out joined").ok();
    let names: BTreeSet<String> =
        place.files().into_iter().filter_map(|file| Some(file.strip_prefix("whole/")?.to_owned())).collect();
    assert!(names.len() >= 8, "{names:?}");
    for name in &names {
        assert!(place.read(&format!("whole/{name}")) == place.read(&format!("joined/{name}")), "{name} differs");
    }
    place.run("verify joined").ok();
    place.run("merge a b --out joined").refused("results are there", 2, "joined holds the results of a certification");
    place.run("merge a b --out joined --force").ok();
    // Other shares do not fit.
    place.run(&format!("{CERTIFY} --out b2 --range 2..4")).ok();
    place.run(&format!("{CERTIFY} --out d --range 3..7 --dropout 0.5")).ok();
    place.run(&format!("{CERTIFY} --out e --range 3..7 --epsilon 9")).ok();
    write(&place, "other.safetensors", &network(&WIDTHS, 2));
    place.run(&format!("{} --out f --range 3..7", CERTIFY.replace("net.", "other."))).ok();
    place.write("y.npy", &rows(8));
    place.run(&format!("{} --out g --range 3..7", CERTIFY.replace("x.npy", "y.npy"))).ok();
    for (shares, words) in [
        ("a c", "c: cannot be joined with a: inputs 3..4 are in no share"),
        ("a b2", "b2: cannot be joined with a: both hold input 2"),
        ("a a", "a: cannot be joined with a: both hold input 1"),
        ("a d", "d: cannot be joined with a: it is of another model"),
        ("a f", "f: cannot be joined with a: it is of another model"),
        ("a g", "g: cannot be joined with a: it is of other inputs"),
        ("a e", "e: cannot be joined with a: it was made with other settings"),
    ] {
        place.run(&format!("merge {shares} --out bad")).refused(shares, 1, words);
        assert!(!place.path("bad").exists(), "{shares} left a folder");
    }
    place.run("merge a missing --out bad").refused("no share", 1, "missing: no certificate");
    place.write("b/certificate.jsonl", b"");
    place.run("merge a b --out bad").refused("a damaged share", 1, "b/certificate.jsonl: does not verify");
}

/// The forms in which a network may be stored give the same certificate.
#[test]
fn models_of_other_programs() {
    let place = place();
    place.run(&format!("{CERTIFY} --out run")).ok();
    let net = network(&WIDTHS, 1);
    let renamed = |name: &dyn Fn(&str) -> String| {
        let tensors = net.tensors.iter().map(|(from, tensor)| (name(from), tensor.clone())).collect();
        Tensors { tensors, ..Tensors::default() }
    };
    // Sequential of dense layers alone, with activations, and with dropout as well.
    for step in 1..=3 {
        let sequential = |name: &str| {
            let (index, rest) = name["layers.".len()..].split_once('.').expect("a layer");
            format!("{}.{rest}", step * index.parse::<usize>().expect("a number"))
        };
        write(&place, "net.safetensors", &renamed(&sequential));
        place.run(&format!("{CERTIFY} --out step{step}")).ok();
        assert_eq!(
            lines(&place, "step3".replace('3', &step.to_string()).as_str()),
            lines(&place, "run"),
            "step {step}"
        );
    }
    let mut described = net.clone();
    let layers = r#"[{"type":"dense","activation":"relu","dropout":0.0},{"type":"dense","activation":"relu"},{"type":"dense","activation":"none"}]"#;
    let about = format!(r#"{{"format":1,"kind":"stochastic","layers":{layers},"normalize":{{"kind":"none"}}}}"#);
    described.metadata.insert("bures".to_owned(), about);
    write(&place, "net.safetensors", &described);
    place.run("certify net.safetensors --inputs x.npy --out described").ok();
    assert_eq!(lines(&place, "described"), lines(&place, "run"));
    // A deviation that is missing is 0, and so are those of a network without any.
    let zero = |file: &Tensors| {
        let mut file = file.clone();
        for (_, tensor) in file.tensors.iter_mut().filter(|(name, _)| name.ends_with("_std")) {
            let TensorData::F32(values) = &mut tensor.data else { panic!("f32") };
            values.fill(0.0);
        }
        file
    };
    write(&place, "net.safetensors", &zero(&net));
    place.run(&format!("{CERTIFY} --out zeros")).ok();
    let mut bare = net.clone();
    bare.tensors.retain(|name, _| !name.ends_with("_std"));
    write(&place, "net.safetensors", &bare);
    place.run(&format!("{CERTIFY} --out missing")).ok();
    let mut plain = renamed(&|name| name.replace("_mean", ""));
    plain.tensors.retain(|name, _| !name.ends_with("_std"));
    write(&place, "net.safetensors", &plain);
    place.run(&format!("{CERTIFY} --out plain")).ok();
    for run in ["missing", "plain"] {
        assert_eq!(lines(&place, run), lines(&place, "zeros"), "{run}");
    }
    // Nothing is random, so that the mixture is the output itself up to rounding.
    assert!(lines(&place, "zeros").iter().all(|line| number(&line["relative_bound"]) < 1e-6), "a fixed network");
    // The output of a tanh network without randomness is what predict computes.
    place.run("predict net.safetensors --activation tanh --inputs x.npy --out y.npy --adapter cpu").ok();
    place.run("certify net.safetensors --activation tanh --inputs x.npy --out tanh").ok();
    let y = bures::io::read_npy(place.path("y.npy")).expect("outputs");
    let y = y.finite_f32(&place.path("y.npy"), "outputs").expect("floats");
    let mixture = Tensors::read(place.path("tanh/mixture.safetensors")).expect("a file");
    let Tensor { data: TensorData::F64(means), .. } = &mixture.tensors["means"] else { panic!("f64") };
    for (got, want) in y.iter().zip(means) {
        assert!((f64::from(*got) - want).abs() < 1e-5, "{got} is not {want}");
    }
}

/// Inputs in each form, and the normalisation that a model asks for.
#[test]
fn inputs_of_every_kind() {
    let place = place();
    let pixels: Vec<u8> = (0..21).map(|i| 12 * i).collect();
    let floats: Vec<f32> = pixels.iter().map(|&p| f32::from(p) / 255.0).collect();
    place.write("bytes.npy", &npy("|u1", "(7, 3, 1)", &pixels));
    place.write("floats.npy", &npy("<f4", "(7, 3)", &f32s(&floats)));
    let array = npy("<f4", "(7, 3)", &f32s(&floats));
    place.write("one.npz", &npz(&vec![("rows", array.clone())]));
    place.write("two.npz", &npz(&vec![("x_test", array), ("y_test", npy("<f4", "(1,)", &f32s(&[0.0])))]));
    for given in ["bytes.npy", "floats.npy", "one.npz", "two.npz"] {
        place.run(&format!("{} --out {given}.run", CERTIFY.replace("x.npy", given))).ok();
        assert_eq!(lines(&place, &format!("{given}.run")), lines(&place, "bytes.npy.run"), "{given}");
    }
    let mut net = network(&WIDTHS, 1);
    let layers = r#"[{"type":"dense","activation":"relu"},{"type":"dense","activation":"relu"},{"type":"dense"}]"#;
    let normalize = r#"{"kind":"global","mean":0.5,"std":0.25}"#;
    let about = format!(r#"{{"format":1,"kind":"stochastic","layers":{layers},"normalize":{normalize}}}"#);
    net.metadata.insert("bures".to_owned(), about);
    write(&place, "normal.safetensors", &net);
    place.run("certify normal.safetensors --inputs bytes.npy --out normal").ok();
    let normal: Vec<f32> = floats.iter().map(|&x| ((f64::from(x) - 0.5) / 0.25) as f32).collect();
    place.write("normal.npy", &npy("<f4", "(7, 3)", &f32s(&normal)));
    place.run(&format!("{} --out by-hand", CERTIFY.replace("x.npy", "normal.npy"))).ok();
    assert_eq!(lines(&place, "normal"), lines(&place, "by-hand"));
    place.run("verify normal").ok();
}

#[test]
fn samples_stand_beside_the_bound() {
    let place = place();
    place.run(&format!("{CERTIFY} --out many --samples 60 --range 0..3")).ok();
    for line in lines(&place, "many") {
        let e = &line["empirical"];
        let [distance, floor, lower] = ["distance", "floor", "lower"].map(|name| number(&e[name]));
        assert!(distance > 0.0 && floor > 0.0 && lower <= number(&line["bound"]), "{line}");
        assert!(distance < 3.0 * floor, "equal laws but for the bound: {line}");
    }
    assert!(!place.path("many/samples.safetensors").exists());
    place.run(&format!("{CERTIFY} --out one --samples 60 --range 1..2")).ok();
    assert_eq!(lines(&place, "one")[0], lines(&place, "many")[1], "a share changes nothing");
    let samples = Tensors::read(place.path("one/samples.safetensors")).expect("a file");
    assert_eq!(samples.tensors["samples"].shape, [60, 2]);
    assert!(place.path("one/marginals.svg").exists() && place.path("one/marginals.png").exists());
    place.run("verify one").ok();
    place.run(&format!("{CERTIFY} --out one --force")).ok();
    assert!(!place.path("one/samples.safetensors").exists() && !place.path("one/marginals.svg").exists());
    place.run("verify one").ok();
}

/// Splits reach a bound that one Gaussian does not, or the run says why not.
#[test]
fn splitting_reaches_epsilon() {
    let place = Place::new();
    write(&place, "net.safetensors", &network(&[3, 2, 1], 4));
    place.write("x.npy", &rows(4));
    place.run(&format!("{CERTIFY} --out plain")).ok();
    let plain: Vec<f64> = lines(&place, "plain").iter().map(|line| number(&line["relative_bound"])).collect();
    let worst = plain.iter().copied().fold(0.0, f64::max);
    let epsilon = worst / 4.0;
    let run = place.run(&format!("{CERTIFY} --out split --epsilon {epsilon} --max-components 4000")).ok();
    assert!(run.stdout.contains("reached for 4 inputs"), "{}", run.stdout);
    let split = lines(&place, "split");
    for (line, plain) in split.iter().zip(&plain) {
        assert_eq!(line["stopped"], "epsilon");
        assert!(number(&line["relative_bound"]) <= epsilon);
        assert!((line["components"] == 1) == (*plain <= epsilon), "{line}");
    }
    assert!(split.iter().any(|line| line["components"] != 1));
    place.run("verify split").ok();
    let run = place.run(&format!("{CERTIFY} --out spent --epsilon 1e-9 --max-components 8")).ok();
    assert!(run.stdout.contains("reached for 0 inputs"), "{}", run.stdout);
    for line in lines(&place, "spent") {
        assert!(line["stopped"] != "epsilon" && number(&line["components"]) <= 8.0, "{line}");
    }
}

/// What is promised for the network of the fixtures: a median relative bound of 0.0075 on test images 0 to 999; and no
/// lower limit from samples is above its bound.
#[test]
fn the_mnist_network_of_the_fixtures() {
    let (Some(fixtures), Some(data)) = (folder_or_skip("BURES_FIXTURES"), folder_or_skip("BURES_DATA")) else { return };
    let place = Place::new();
    let net = fixtures.join("snn/nets/mnist_2x128_relu_vi.safetensors").canonicalize().expect("a network");
    let run = |args: &str| {
        let args = format!("certify {} --activation relu --inputs mnist --json {args}", net.display());
        let output = place.command(&args).env("BURES_DATA", data.canonicalize().expect("a folder")).output();
        crate::place::Outcome::from(output.expect("the program runs")).json()
    };
    let result = run("--range 0..1000 --out run");
    assert!(number(&result["median"]) <= 0.0075, "{result}");
    run("--range 0..5 --samples 200 --out sampled");
    for (sampled, line) in lines(&place, "sampled").iter().zip(lines(&place, "run")) {
        assert_eq!(sampled["bound"], line["bound"], "neither range nor samples change a bound");
        assert!(number(&sampled["empirical"]["lower"]) <= number(&line["bound"]), "{sampled}");
    }
}
