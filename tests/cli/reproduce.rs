//! A paper's experiments on small budgets, and networks of drawn neurons.

use serde_json::Value;

use crate::place::Place;

/// Every figure of the paper on Gaussian-mixture layers: files are there, rows are whole, and a second call trains nothing.
#[test]
fn the_experiments_on_gm_layers() {
    let place = Place::new();
    let first = place.run("reproduce gm --quick --out out --adapter cpu --json").json();
    let rows = first["rows"].as_array().expect("rows").clone();
    let of = |number: &str| {
        let name = format!("Figure {number}");
        rows.iter().filter(|row| row["figure"] == name).map(|row| &row["row"]).collect::<Vec<_>>()
    };
    for figure in ["2", "3", "4", "5", "6", "7"] {
        assert!(!of(figure).is_empty(), "figure {figure} has no rows");
        for ending in ["svg", "png"] {
            assert!(place.path(&format!("out/figure-{figure}.{ending}")).exists());
        }
    }
    assert_eq!(&place.read("out/figure-4.gif")[..6], b"GIF89a");
    let flows = rows.iter().find(|row| row["figure"] == "Theorem 1").expect("a row of Theorem 1");
    assert_eq!(flows["row"]["verdict"], "found", "{flows}");
    // Two epochs on generated digits are enough to learn from, and for the drawn neurons to come nearer like 1/√m.
    let error = of("2")[0]["ours"].as_f64().expect("an error");
    assert!(error < 0.6, "{error}");
    let slope =
        of("6").iter().find(|row| row["what"].as_str().is_some_and(|what| what.starts_with("slope"))).expect("a slope")
            ["ours"]
            .as_f64();
    assert!(slope.is_some_and(|slope| (-0.7..-0.3).contains(&slope)), "{slope:?}");
    assert!(
        rows.iter().all(|row| row["figure"] == "Theorem 1" || row["row"]["verdict"] == "untold"),
        "small budgets tell nothing"
    );

    let page = String::from_utf8(place.read("out/report.html")).expect("text");
    for words in ["Figure 2.", "Figure 7.", "<svg", "small budgets"] {
        assert!(page.contains(words), "the report has no {words:?}");
    }
    let lines = String::from_utf8(place.read("out/results.jsonl")).expect("text");
    assert_eq!(lines.lines().count(), rows.len());
    assert!(lines.lines().all(|line| serde_json::from_str::<Value>(line).is_ok_and(|row| row["figure"].is_string())));

    let again = place.run("reproduce gm --quick --out out --adapter cpu --json").json();
    assert_eq!(again["rows"], first["rows"]);
    assert!(again["seconds"].as_f64() < first["seconds"].as_f64());

    // A folder with a run of other settings is not written over.
    let config = String::from_utf8(place.read("out/data/strokes-gm-K5/config.toml")).expect("text");
    place.write("out/data/strokes-gm-K5/config.toml", config.replace("batch_size = 64", "batch_size = 32").as_bytes());
    place.run("reproduce gm --quick --out out --adapter cpu").refused("other settings", 1, "other settings");
}

/// Figure 8, which is not among them: both heads of narrow networks begin to learn.
#[test]
fn convolutional_networks_of_figure_8() {
    let place = Place::new();
    let done = place.run("reproduce gm-figure8 --quick --out out --adapter cpu --json").json();
    let rows = done["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 3, "{rows:?}");
    for row in &rows[..2] {
        let error = row["row"]["ours"].as_f64().expect("an error");
        // Ten classes, and eighty steps.
        assert!(error < 0.8, "{row}");
    }
    assert!(place.path("out/figure-8.svg").exists() && place.path("out/report.html").exists());
}

/// A network of drawn neurons is evaluated like any other, and is nearer to its layer the more neurons it has.
#[test]
fn neurons_drawn_from_a_layer() {
    let place = Place::with_tiny();
    place.run("train --data tiny.npz -K 3 --epochs 5 --batch-size 16 --snapshot-every 2 --adapter cpu --out run").ok();
    for epoch in [0, 2, 4] {
        assert!(place.path(&format!("run/snapshots/epoch-{epoch:05}.safetensors")).exists());
    }
    let loss = |model: &str| {
        let json = place.run(&format!("eval {model} --data tiny.npz --adapter cpu --json")).json();
        json["loss"].as_f64().expect("a loss")
    };
    let layer = loss("run/model.safetensors");
    let drawn = |neurons: usize, seed: u64| {
        let args =
            format!("sample run/model.safetensors --neurons {neurons} --seed {seed} --out drawn.safetensors --json");
        assert_eq!(place.run(&args).json()["neurons"], neurons);
        (loss("drawn.safetensors") - layer).abs()
    };
    let mean = |neurons| (0..4).map(|seed| drawn(neurons, seed)).sum::<f64>() / 4.0;
    let (few, many) = (mean(10), mean(10_000));
    assert!(many < 0.2 * few, "10 neurons {few}, 10,000 neurons {many}");
    place.run("sample run/model.safetensors --neurons 0 --out x").refused("no neurons", 2, "at least 1");
    place.run("sample drawn.safetensors --neurons 5 --out x").refused("no GM layer", 2, "no GM layer");
    assert!(!place.path("x").exists());
}
