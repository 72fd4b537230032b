//! Equal runs write equal files, and a seed gives the same bits alone and beside others.

use crate::place::{Place, executors};

const NETWORKS: [&str; 4] = [
    "-K 3",
    "-K 3 --hidden 5 --covariance low-rank:2",
    "-K 2 --covariance full --weights learned",
    "--model fc --hidden 16",
];

#[test]
fn twice_the_same_run_writes_the_same_model() {
    let place = Place::with_tiny();
    for executor in executors() {
        for network in NETWORKS {
            for (threads, out) in [("1", "a"), ("1", "b"), ("2", "c"), ("3", "d")] {
                let args = format!(
                    "train --data tiny.npz {network} --epochs 3 --batch-size 20 {executor} --force --out {out}"
                );
                let run = place.command(&args).env("RAYON_NUM_THREADS", threads).output().expect("the program runs");
                crate::place::Outcome::from(run).ok();
            }
            let model = |run: &str| place.read(&format!("{run}/model.safetensors"));
            for other in ["b", "c", "d"] {
                assert!(model("a") == model(other), "{executor} {network}: runs a and {other} differ");
                assert_eq!(place.metrics("a"), place.metrics(other));
            }
        }
    }
}

#[test]
fn a_seed_gives_the_same_bits_alone_and_beside_others() {
    let place = Place::with_tiny();
    for executor in executors() {
        for network in NETWORKS {
            for optimizer in ["--optimizer adam", "--optimizer sgd --momentum 0.5 --lr 0.02 --lr-sigma 0.1"] {
                let shared = format!(
                    "train --data tiny.npz {network} {optimizer} --epochs 3 --batch-size 20 {executor} --force"
                );
                place.run(&format!("{shared} --seeds 0,1,2 --out three")).ok();
                place.run(&format!("{shared} --seed 1 --out one")).ok();
                let (among, alone) =
                    (place.read("three/seed-1/model.safetensors"), place.read("one/model.safetensors"));
                assert!(among == alone, "{executor} {network} {optimizer}: seed 1 differs");
                let of_seed =
                    |run: &str| -> Vec<_> { place.metrics(run).into_iter().filter(|line| line["seed"] == 1).collect() };
                assert_eq!(of_seed("three"), of_seed("one"));
            }
        }
    }
}

/// Generated data must not follow the first seed of the list.
#[test]
fn generated_data_are_the_same_for_every_seed() {
    let place = Place::new();
    let shared = "train --data noisy-sines -K 2 --epochs 1 --adapter cpu";
    place.run(&format!("{shared} --seeds 0,1 --out two")).ok();
    place.run(&format!("{shared} --seed 1 --out one")).ok();
    assert!(place.read("two/seed-1/model.safetensors") == place.read("one/model.safetensors"));
}
