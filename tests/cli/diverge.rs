//! A learning rate that is far too large.

use crate::place::{Place, executors};

#[test]
fn divergence_stops_the_run_with_step_and_quantity() {
    let place = Place::with_tiny();
    for executor in executors() {
        let new = format!(
            "train --data tiny.npz -K 4 --optimizer sgd --batch-size 16 --epochs 3 {executor} --force --out run"
        );
        let run = place.run(&format!("{new} --lr 1e4"));
        run.refused("lr 1e4", 1, "the training loss of seed 0 became NaN at step ");
        assert!(run.stderr.contains("try a smaller --lr"), "{}", run.stderr);
        assert!(run.stderr.contains("no checkpoint had been written"), "{}", run.stderr);
        assert!(!place.path("run/model.safetensors").exists());

        // What goes wrong later keeps the checkpoint of before: a good run goes on at a rate that is too large, and diverges
        // within an epoch. (A checkpoint is good when all in it is finite.)
        place.run(&new).ok();
        let kept = place.read("run/checkpoint.safetensors");
        let config = String::from_utf8(place.read("run/config.toml")).expect("text");
        let wild = config.replace("epochs = 3", "epochs = 9").replace("lr = 0.1", "lr = 10000.0");
        place.write("run/config.toml", wild.as_bytes());
        let run = place.run(&format!("train --resume run --checkpoint-every 0 {executor}"));
        run.refused("lr 1e4 later", 1, "the last good checkpoint is run");
        assert!(place.read("run/checkpoint.safetensors") == kept, "{executor}: the checkpoint changed");
        let calm = config.replace("epochs = 3", "epochs = 9");
        place.write("run/config.toml", calm.as_bytes());
        place.run(&format!("train --resume run {executor}")).ok();
    }
}
