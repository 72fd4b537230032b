//! The JSON that commands print has the fields of `docs/json.md`.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::place::{Place, executors};

/// The examples under the heading `## COMMAND`.
fn examples(command: &str) -> Vec<Value> {
    let text = include_str!("../../docs/json.md");
    let heading = format!("\n## `bures {command}`\n");
    let section = text.split_once(&heading).unwrap_or_else(|| panic!("no heading for {command}")).1;
    let section = section.split("\n## ").next().unwrap_or_default();
    let blocks = section.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.map(|block| serde_json::from_str(block).expect("the example is JSON")).collect()
}

/// The kinds and names of all fields, also those of objects inside lists.
fn shape(prefix: &str, value: &Value, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                out.insert(format!("{prefix}.{name}"));
                shape(&format!("{prefix}.{name}"), value, out);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| shape(&format!("{prefix}[]"), item, out)),
        _ => {}
    }
}

fn fields(value: &Value) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    shape("", value, &mut out);
    out
}

#[track_caller]
fn documented(command: &str, which: usize, got: &Value) {
    let example = &examples(command)[which];
    assert_eq!(fields(got), fields(example), "{command}: {got}");
    for (name, value) in got.as_object().expect("an object") {
        let kinds = [value, &example[name]].map(std::mem::discriminant);
        assert!(kinds[0] == kinds[1], "{command}: {name} is {value}, in the example {}", example[name]);
    }
    // Each field of the object has a row in the table of fields.
    let text = include_str!("../../docs/json.md");
    for name in got.as_object().expect("an object").keys() {
        assert!(text.contains(&format!("| `{name}` |")), "{command}: {name} is not explained");
    }
}

#[test]
fn json_has_the_documented_fields() {
    let place = Place::with_tiny();
    documented(
        "train",
        0,
        &place.run("train --data tiny.npz -K 2 --epochs 1 --seeds 0,1 --json --adapter cpu --out a").json(),
    );
    documented("train", 1, &place.run("train --data noisy-sines -K 2 --epochs 1 --json --adapter cpu --out b").json());
    let eval = |args: &str| place.run(&format!("eval {args} --json --adapter cpu")).json();
    documented("eval", 0, &eval("a/seed-0/model.safetensors --data tiny.npz"));
    documented("eval", 1, &eval("b/model.safetensors --data noisy-sines"));
    place.write("x.npy", &crate::place::npy("<f4", "(2, 6)", &[0; 48]));
    let predict = "predict a/seed-0/model.safetensors --inputs x.npy --out y.npy --json --adapter cpu";
    documented("predict", 0, &place.run(predict).json());
    let nets = crate::certify_nets::place();
    let certify = |args: &str| nets.run(&format!("{} {args} --json", crate::certify_nets::CERTIFY)).json();
    documented("certify", 0, &certify("--out a --range 0..3"));
    certify("--out b --range 3..7");
    documented("verify", 0, &nets.run("verify a --json").json());
    documented("merge", 0, &nets.run("merge a b --out c --json").json());
    documented("data", 0, &place.run("data --json").json());
    place.write("data/mnist/train-images-idx3-ubyte", b"");
    documented("data", 1, &place.run("data mnist --json").json());
    let info = place.run("info --json").json();
    if executors().contains(&"--software") {
        documented("info", 0, &info);
    } else {
        assert!(fields(&info).is_subset(&fields(&examples("info")[0])), "{info}");
    }
}
