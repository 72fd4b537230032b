//! A certificate in which anything was changed does not verify.

use bures::io::{TensorData, Tensors, sha256_bytes};

use crate::certify_nets::{CERTIFY, WIDTHS, network, place, rows, write};
use crate::place::Place;

const FOLDER: &str = "run";

fn certified() -> Place {
    let place = place();
    place.run(&format!("{CERTIFY} --out {FOLDER} --range 2..4")).ok();
    place
}

fn contents(place: &Place) -> Vec<(String, Vec<u8>)> {
    let files = place.files().into_iter().filter(|file| file.starts_with(FOLDER));
    files.map(|file| (file.clone(), place.read(&file))).collect()
}

#[track_caller]
fn does_not_verify(place: &Place, case: &str, words: &str) {
    let run = place.run(&format!("verify {FOLDER}"));
    run.refused(case, 1, "does not verify");
    assert!(run.stderr.contains(words), "{case}: no {words:?} in {}", run.stderr);
}

/// Every file: a byte flipped at its start, middle and end, its end cut off, and the file gone.
#[test]
fn every_file_counts() {
    let place = certified();
    let files = contents(&place);
    assert!(files.len() >= 9, "{files:?}");
    for (name, good) in &files {
        for at in [0, good.len() / 2, good.len() - 1] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            place.write(name, &bad);
            let run = place.run(&format!("verify {FOLDER}"));
            assert_eq!(run.code, Some(1), "{name}, byte {at}: {}{}", run.stdout, run.stderr);
            assert!(run.stderr.contains("does not verify"), "{name}, byte {at}: {}", run.stderr);
        }
        place.write(name, &good[..good.len() - 1]);
        does_not_verify(&place, name, name);
        std::fs::remove_file(place.path(name)).expect("a file");
        let run = place.run(&format!("verify {FOLDER}"));
        let words = if name.ends_with("manifest.json") { "no certificate" } else { "the file is missing" };
        run.refused(name, 1, words);
        place.write(name, good);
    }
    place.run(&format!("verify {FOLDER}")).ok();
}

/// Puts a changed file into the folder and mends every sum, as somebody would who wants to be believed.
fn forge(place: &Place, name: &str, contents: &[u8]) {
    let old = sha256_bytes(&place.read(&format!("{FOLDER}/{name}")));
    place.write(&format!("{FOLDER}/{name}"), contents);
    let manifest = String::from_utf8(place.read(&format!("{FOLDER}/manifest.json"))).expect("text");
    assert!(manifest.contains(&old));
    let manifest = manifest.replace(&old, &sha256_bytes(contents));
    let (head, _) = manifest.rsplit_once("  \"sha256\": \"").expect("its own sum");
    let sum = sha256_bytes(format!("{head}  \"sha256\": \"\"\n}}\n").as_bytes());
    place.write(&format!("{FOLDER}/manifest.json"), format!("{head}  \"sha256\": \"{sum}\"\n}}\n").as_bytes());
}

/// Where the numbers of a line stand.
fn numbers(line: &str) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = line[at..].find(':').map(|colon| at + colon + 1) {
        let length = line[start..].find(|c: char| !"0123456789.e+-".contains(c)).unwrap_or(0);
        if length > 0 {
            found.push(start..start + length);
        }
        at = start;
    }
    found
}

/// Sums can be mended; the proof is computed again.
#[test]
fn every_number_of_a_line_counts() {
    let place = certified();
    let good = String::from_utf8(place.read("run/certificate.jsonl")).expect("text");
    forge(&place, "certificate.jsonl", good.as_bytes());
    place.run(&format!("verify {FOLDER}")).ok();
    let (first, second) = good.split_once('\n').expect("two lines");
    let numbers = numbers(second);
    assert!(numbers.len() >= 12, "{second}");
    for number in numbers {
        let text = &second[number.clone()];
        // The last digit of a long number may be beyond what a double tells apart; the one before is not.
        let changed = match text.parse::<u64>() {
            Ok(whole) => (whole + 1).to_string(),
            Err(_) => {
                let value: f64 = text.parse().expect("a number");
                // 0 is the first double below the next.
                if value == 0.0 { "5e-324".to_owned() } else { format!("{:e}", f64::from_bits(value.to_bits() - 1)) }
            }
        };
        let line = format!("{}{changed}{}", &second[..number.start], &second[number.end..]);
        forge(&place, "certificate.jsonl", format!("{first}\n{line}").as_bytes());
        let run = place.run(&format!("verify {FOLDER}"));
        assert_eq!(run.code, Some(1), "{text} became {changed} in {line}: {}", run.stdout);
    }
    for (from, to, words) in [
        ("\"tight\"", "\"paper\"", "input 3: the method is not what the proof gives"),
        ("\"linearisation\"", "\"noise\"", "input 3: the terms is not"),
    ] {
        let line = second.replacen(from, to, 1);
        assert!(line != second);
        forge(&place, "certificate.jsonl", format!("{first}\n{line}").as_bytes());
        does_not_verify(&place, to, words);
    }
    for (case, text) in [("a line less", format!("{first}\n")), ("a line twice", format!("{first}\n{second}{second}"))]
    {
        forge(&place, "certificate.jsonl", text.as_bytes());
        does_not_verify(&place, case, "its lines are not inputs 2..4 in order");
    }
}

#[test]
fn every_number_of_a_mixture_counts() {
    let place = certified();
    let good = Tensors::read(place.path("run/mixture.safetensors")).expect("a file");
    for name in ["weights", "means", "covariances"] {
        let mut bad = good.clone();
        let TensorData::F64(values) = &mut bad.tensors.get_mut(name).expect("a tensor").data else { panic!("f64") };
        let last = values.last_mut().expect("a number");
        *last = f64::from_bits(last.to_bits() + 1);
        forge(&place, "mixture.safetensors", &bad.to_bytes().expect("bytes"));
        does_not_verify(&place, name, &format!("input 3: the mixture's {name} is not what the proof gives"));
    }
}

#[test]
fn models_and_inputs_are_those_of_the_certificate() {
    let place = certified();
    let (net, x) = (place.read("net.safetensors"), place.read("x.npy"));
    write(&place, "net.safetensors", &network(&WIDTHS, 2));
    does_not_verify(
        &place,
        "another model",
        "net.safetensors: does not verify: this is not the model of the certificate",
    );
    place.write("net.safetensors", &net);
    // One more row than before, and one bit in a row that is not certified.
    place.write("x.npy", &rows(8));
    does_not_verify(&place, "more inputs", "x.npy: does not verify: these are not the inputs of the certificate");
    let mut flipped = x.clone();
    *flipped.last_mut().expect("a byte") ^= 1;
    place.write("x.npy", &flipped);
    does_not_verify(&place, "another input", "these are not the inputs of the certificate");
    // Moved, they are found by the options.
    place.write("there/net.safetensors", &net);
    place.write("there/x.npy", &x);
    for file in ["net.safetensors", "x.npy"] {
        std::fs::remove_file(place.path(file)).expect("a file");
    }
    place.run("verify run").refused(
        "moved",
        1,
        "net.safetensors: not there; the certificate is about it: say by --model",
    );
    let verify = "verify run --model there/net.safetensors";
    place.run(verify).refused("inputs moved", 1, "x.npy: not there; the certificate is about it: say by --inputs");
    place.run(&format!("{verify} --inputs there/x.npy")).ok();
}

/// The witness is what the proof is given: another one gives another proof, or none.
#[test]
fn every_number_of_a_witness_counts() {
    let place = place();
    write(&place, "net.safetensors", &network(&[3, 2, 1], 4));
    place.run(&format!("{CERTIFY} --out {FOLDER} --range 2..4 --epsilon 1e-9 --max-components 12")).ok();
    let good = Tensors::read(place.path("run/witness.safetensors")).expect("a file");
    let values = |name: &str| match &good.tensors[name].data {
        TensorData::U32(values) => values.len(),
        TensorData::U64(values) => values.len(),
        _ => 0,
    };
    assert!(values("splits") > 0, "nothing was split");
    for name in [
        "splits",
        "splits_offsets",
        "labels_offsets",
        "coupling_offsets",
        "shapes_offsets",
        "shape_lengths_offsets",
        "masks",
    ] {
        for at in 0..values(name) {
            let mut bad = good.clone();
            match &mut bad.tensors.get_mut(name).expect("a tensor").data {
                TensorData::U32(values) => values[at] += 1,
                TensorData::U64(values) => values[at] += 1,
                _ => {}
            }
            forge(&place, "witness.safetensors", &bad.to_bytes().expect("bytes"));
            let run = place.run(&format!("verify {FOLDER}"));
            assert_eq!(run.code, Some(1), "{name}[{at}]: {}{}", run.stdout, run.stderr);
        }
    }
    for (key, value) in [("method", "paper"), ("method", "guess"), ("hidden_layers", "2")] {
        let mut bad = good.clone();
        bad.metadata.insert(key.to_owned(), value.to_owned());
        forge(&place, "witness.safetensors", &bad.to_bytes().expect("bytes"));
        assert_eq!(place.run(&format!("verify {FOLDER}")).code, Some(1), "{key} = {value}");
    }
    forge(&place, "witness.safetensors", &good.to_bytes().expect("bytes"));
    place.run(&format!("verify {FOLDER}")).ok();
}
