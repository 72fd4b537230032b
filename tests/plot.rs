//! Figures of training: what is drawn for the runs that can occur, and that nothing is drawn from bad files.

use std::fs;
use std::path::Path;

use bures::Error;
use bures::plot::{Record, Split, curves, read_metrics};

fn record(seed: u64, epoch: u64, split: Split, loss: f64, error: Option<f64>) -> Record {
    Record { seed, step: 938 * epoch, epoch, split, loss: Some(loss), error, seconds: epoch as f64 }
}

/// A run like those of training: errors that fall from 12 % to 2.5 %, a little different for each seed.
fn run(seeds: u64, epochs: u64) -> Vec<Record> {
    let mut records = Vec::new();
    for seed in 0..seeds {
        for epoch in 1..=epochs {
            let wobble = 1.0 + 0.08 * ((7 * seed + 3 * epoch) as f64).sin();
            let falling = (-(epoch as f64) / 6.0).exp();
            let (train, test) = ((0.008 + 0.11 * falling) * wobble, (0.025 + 0.1 * falling) * wobble);
            records.push(record(seed, epoch, Split::Train, 3.0 * train, Some(train)));
            records.push(record(seed, epoch, Split::Test, 3.2 * test, Some(test)));
        }
    }
    records
}

/// Draws into a scratch folder and returns the SVG's text and the PNG's size.
fn draw(records: &[Record], title: &str) -> (String, (u32, u32)) {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    // BURES_PLOT_DIR keeps the pictures for a look at them.
    let kept = std::env::var_os("BURES_PLOT_DIR").map(|dir| Path::new(&dir).join(title.replace(' ', "-")));
    let folder = kept.unwrap_or_else(|| scratch.path().to_owned());
    fs::create_dir_all(&folder).expect("the folder");
    curves(records, title, &folder).expect("drawn");
    let mut names: Vec<_> = fs::read_dir(&folder).expect("listed").map(|f| f.expect("a file").file_name()).collect();
    names.sort();
    assert_eq!(names, ["curves.png", "curves.svg"], "no temporary file stays");
    let size = image::image_dimensions(folder.join("curves.png")).expect("a PNG file");
    (fs::read_to_string(folder.join("curves.svg")).expect("text"), size)
}

#[test]
fn one_seed_is_a_plain_line() {
    let (svg, size) = draw(&run(1, 25), "strokes, one seed");
    assert_eq!(size, (2000, 840));
    assert!(svg.contains("width=\"1000\" height=\"420\" viewBox=\"0 0 4000 1680\""));
    assert!(!svg.contains("<polygon") && svg.contains("<polyline"));
    for label in ["strokes, one seed", "epoch", "error (%)", "loss", "train", "test"] {
        assert!(svg.contains(&format!("{label}\n")), "{label} is missing");
    }
    assert!(svg.contains("font-family=\"sans-serif\""));
}

#[test]
fn several_seeds_get_a_band() {
    let (svg, _) = draw(&run(5, 40), "mnist, five seeds");
    assert_eq!(svg.matches("<polygon").count(), 4);
    assert!(svg.contains("mean of 5 seeds, band: ± one standard error"));
}

#[test]
fn titles_are_escaped() {
    let (svg, _) = draw(&run(1, 2), "a < b & c");
    assert!(svg.contains("a &lt; b &amp; c"));
}

#[test]
fn a_regression_has_no_error_panel() {
    let records: Vec<_> = run(1, 9).into_iter().map(|r| Record { error: None, ..r }).collect();
    let (svg, size) = draw(&records, "kin8nm");
    assert_eq!(size, (1000, 840));
    assert!(!svg.contains("error (%)"));
}

#[test]
fn one_epoch_is_drawn_as_dots() {
    let (svg, _) = draw(&run(1, 1), "one epoch");
    assert_eq!(svg.matches("<circle").count(), 4);
}

#[test]
fn runs_with_steps_only_are_drawn_by_step() {
    let records: Vec<_> = (1..=200)
        .map(|step| Record { step, error: None, ..record(0, 1, Split::Train, 400.0 / step as f64, None) })
        .collect();
    let (svg, _) = draw(&records, "steps only");
    assert!(svg.contains("step\n") && !svg.contains("epoch\n"));
}

#[test]
fn values_that_are_not_finite_are_left_out() {
    let mut records = run(1, 5);
    records[4].loss = Some(f64::NAN);
    records[6].error = Some(f64::INFINITY);
    records[8].loss = None;
    let (svg, _) = draw(&records, "with gaps");
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
}

#[test]
fn nothing_to_draw_is_an_error_and_leaves_no_file() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    assert!(matches!(curves(&[], "empty", folder.path()), Err(Error::Data { .. })));
    let missing = folder.path().join("missing");
    assert!(matches!(curves(&run(1, 2), "no folder", &missing), Err(Error::Io { .. })));
    assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 0);
}

#[test]
fn metrics_are_read_as_they_are_written() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().join("metrics.jsonl");
    let line = r#"{"seed":0,"step":938,"epoch":1,"split":"train","loss":0.5,"error":null,"seconds":1.5}"#;
    fs::write(&path, format!("{line}\n\n{line}\n{}", &line[..40])).expect("written");
    let records = read_metrics(&path).expect("records");
    assert_eq!(records.len(), 2, "the line cut short by a kill is left out");
    assert_eq!(serde_json::to_string(&records[0]).expect("json"), line);

    fs::write(&path, format!("{line}\n{{\"seed\":true}}\n")).expect("written");
    let why = read_metrics(&path).expect_err("a bad line").to_string();
    assert!(why.contains("line 2"), "{why}");
    assert!(matches!(read_metrics(folder.path().join("none")), Err(Error::Io { .. })));
}
