//! Runs killed at any moment and resumed end as if nothing had happened.

use std::process::Stdio;
use std::time::Duration;

use crate::place::{Place, executors, npz};

/// When a run is killed.
#[derive(Clone, Copy)]
enum Kill {
    /// So many milliseconds after its start.
    After(u64),
    /// So many microseconds after it was seen to have written so many checkpoints.
    Checkpoints(u32, u64),
}

fn executor(settings: &str) -> &'static str {
    if settings.contains("--software") { "--software" } else { "--adapter cpu" }
}

/// Starts or resumes the run `broken` and kills it; `true` when it came to its end before.
fn live(place: &Place, new: &str, seeds: usize, kill: Kill) -> bool {
    let every = "--checkpoint-every 0";
    let args = if place.path("broken/config.toml").exists() {
        // The executor of a resumed run is chosen anew.
        format!("train {every} --resume broken {}", executor(new))
    } else {
        format!("{new} {every} --out broken")
    };
    let mut child = place.command(&args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("a start");
    match kill {
        Kill::After(milliseconds) => std::thread::sleep(Duration::from_millis(milliseconds)),
        Kill::Checkpoints(count, microseconds) => {
            let folder = if seeds > 1 { "broken/seed-0" } else { "broken" };
            let path = place.path(folder).join("checkpoint.safetensors");
            let written = || std::fs::metadata(&path).and_then(|file| file.modified()).ok();
            let mut last = written();
            let mut seen = 0;
            while seen < count && child.try_wait().expect("a look").is_none() {
                let now = written();
                // Between the checkpoints of two seeds there may be none for a moment.
                if now.is_some() && now != last {
                    (seen, last) = (seen + 1, now);
                }
                std::thread::sleep(Duration::from_micros(100));
            }
            std::thread::sleep(Duration::from_micros(microseconds));
        }
    }
    // It may have ended by itself.
    let _ = child.kill();
    let outcome = crate::place::Outcome::from(child.wait_with_output().expect("an end"));
    match outcome.code {
        Some(0) => true,
        None => false,
        Some(_) => {
            // Killed before its first checkpoint: there is nothing to lose.
            outcome.refused("resuming", 1, "no checkpoint to resume from");
            std::fs::remove_dir_all(place.path("broken")).expect("a folder");
            false
        }
    }
}

#[track_caller]
fn same(place: &Place, seeds: usize, a: &str, b: &str) {
    for seed in 0..seeds {
        let part = if seeds > 1 { format!("seed-{seed}/") } else { String::new() };
        let model = |run: &str| place.read(&format!("{run}/{part}model.safetensors"));
        assert!(model(a) == model(b), "seed {seed}: the models of {a} and {b} differ");
    }
    assert_eq!(place.metrics(a), place.metrics(b));
    let stray: Vec<_> = place.files().into_iter().filter(|name| name.contains(".tmp")).collect();
    assert_eq!(stray, Vec::<String>::new());
}

/// Kills before the first checkpoint, right after one (which with several seeds is in the middle of writing them), and at
/// moments between.
const KILLS: [Kill; 7] = [
    Kill::After(15),
    Kill::Checkpoints(1, 0),
    Kill::Checkpoints(1, 0),
    Kill::Checkpoints(2, 700),
    Kill::Checkpoints(1, 150),
    Kill::Checkpoints(1, 2100),
    Kill::Checkpoints(2, 5000),
];

fn killed_and_resumed(settings: &str, seeds: usize, kills: &[Kill]) {
    killed_and_resumed_in(&Place::with_tiny(), settings, seeds, kills);
}

/// In a place that holds `tiny.npz`.
fn killed_and_resumed_in(place: &Place, settings: &str, seeds: usize, kills: &[Kill]) {
    let new = format!("train --data tiny.npz --batch-size 16 {settings}");
    place.run(&format!("{new} --out whole")).ok();
    let kills = kills.iter().take_while(|&&kill| !live(place, &new, seeds, kill)).count();
    assert!(kills >= 2, "only {kills} kills");
    // The rest in peace; a finished run then has nothing left to do.
    for _ in 0..2 {
        place.run(&format!("train --resume broken {}", executor(settings))).ok();
        same(place, seeds, "whole", "broken");
    }
}

#[test]
fn momentum() {
    let sgd = "--optimizer sgd --lr 0.05 --lr-sigma 0.2 --momentum 0.9";
    killed_and_resumed(&format!("-K 4 --epochs 100 {sgd} --adapter cpu"), 1, &KILLS);
}

#[test]
fn two_seeds_with_adam_and_a_line_a_step() {
    killed_and_resumed("-K 4 --epochs 100 --seeds 0,1 --log-every 1 --adapter cpu", 2, &KILLS);
}

#[test]
fn two_seeds_of_a_stack_with_momentum() {
    let sgd = "--optimizer sgd --lr 0.02 --lr-sigma 0.1 --momentum 0.5 --schedule cosine";
    killed_and_resumed(&format!("-K 2 --hidden 4 --epochs 80 --seeds 0,1 {sgd} --adapter cpu"), 2, &KILLS);
}

#[test]
fn two_seeds_with_low_rank_covariances() {
    let settings = "-K 3 --covariance low-rank:2 --epochs 60 --seeds 0,1 --adapter cpu";
    killed_and_resumed(settings, 2, &KILLS[1..5]);
}

#[test]
fn full_covariances_with_learned_weights() {
    killed_and_resumed("-K 3 --covariance full --weights learned --epochs 60 --adapter cpu", 1, &KILLS[1..5]);
}

#[test]
fn two_seeds_on_the_software_adapter() {
    if executors().contains(&"--software") {
        killed_and_resumed("-K 4 --epochs 24 --seeds 0,1 --software", 2, &KILLS[1..5]);
    }
}

/// Running statistics, dropout and augmentation go on as well.
#[test]
fn two_seeds_of_a_convolutional_network() {
    let place = Place::new();
    place.write("tiny.npz", &npz(&crate::vgg::stripes()));
    let vgg = "--model vgg --head gm -K 2 --narrow 32 --augment --lr 0.005 --epochs 12 --seeds 0,1 --adapter cpu";
    killed_and_resumed_in(&place, vgg, 2, &KILLS);
}

/// A kill between the checkpoints of two seeds, and another kill at the same place of the resumed run.
#[test]
fn seeds_at_different_steps_go_on_from_the_last_common_one() {
    let place = Place::with_tiny();
    let new = "train --data tiny.npz --batch-size 16 -K 3 --epochs 6 --seeds 0,1 --checkpoint-every 0 --adapter cpu";
    for out in ["whole", "broken"] {
        place.run(&format!("{new} --out {out}")).ok();
    }
    let seed_1 = place.path("broken/seed-1");
    let (current, previous) = (seed_1.join("checkpoint.safetensors"), seed_1.join("checkpoint.previous.safetensors"));
    std::fs::rename(previous, current).expect("a previous checkpoint");
    std::fs::remove_file(seed_1.join("model.safetensors")).expect("a model");
    place.write("broken/seed-1/.checkpoint.safetensors.77-1.tmp", b"half a file");
    place.run("train --resume broken --adapter cpu").ok();
    same(&place, 2, "whole", "broken");
}

#[test]
fn nothing_to_resume_is_said() {
    let place = Place::with_tiny();
    place.run("train --resume nowhere").refused("no folder", 1, "no run to resume");
    place.run("train --data tiny.npz -K 2 --epochs 2 --out run --adapter cpu").ok();
    place.run("train --resume run --lr 0.5").refused("a setting", 2, "cannot be used with");
    let checkpoint = place.read("run/checkpoint.safetensors");
    place.write("run/checkpoint.safetensors", &checkpoint[..checkpoint.len() / 2]);
    place.run("train --resume run --adapter cpu").refused("half a checkpoint", 1, "checkpoint.safetensors");
    place.write("run/checkpoint.safetensors", &place.read("run/model.safetensors"));
    place.run("train --resume run --adapter cpu").refused("a model", 1, "not a checkpoint");
    std::fs::remove_file(place.path("run/checkpoint.safetensors")).expect("a checkpoint");
    place.run("train --resume run --adapter cpu").refused("no checkpoint", 1, "no checkpoint to resume from");
    let config = String::from_utf8(place.read("run/config.toml")).expect("text");
    for (case, text, words) in [
        ("no TOML", "epochs = = 2".to_owned(), "line 1"),
        ("a key is missing", config.replace("epochs = 2\n", ""), "epochs"),
        ("an unknown key", format!("depth = 3\n{config}"), "unknown field `depth`"),
    ] {
        place.write("run/config.toml", text.as_bytes());
        place.run("train --resume run --adapter cpu").refused(case, 1, words);
    }
    place.write("run/config.toml", config.replace("batch_size = 64", "batch_size = 0").as_bytes());
    place.run("train --resume run").refused("a setting that cannot be", 2, "batch-size is 0");
}
