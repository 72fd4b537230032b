//! A learning rate that is far too large.

use crate::place::{Place, executors};

#[test]
fn divergence_stops_the_run_with_step_and_quantity() {
    let place = Place::with_tiny();
    for executor in executors() {
        let new = format!("train --data tiny.npz -K 4 --batch-size 16 --epochs 200 --checkpoint-every 0 {executor}");
        let run = place.run(&format!("{new} --optimizer sgd --lr 1e30 --lr-sigma 1 --force --out away"));
        run.refused("lr 1e30", 1, " at step ");
        assert!(run.stderr.contains("try a smaller --lr"), "{}", run.stderr);
        assert!(!place.path("away/model.safetensors").exists());
        // What goes wrong later keeps the checkpoint of before.
        let run =
            place.run(&format!("{new} --optimizer sgd --lr 1e4 --lr-sigma 1e4 --momentum 0.99 --force --out late"));
        if run.code == Some(1) {
            run.refused("lr 1e4", 1, " at step ");
            if place.path("late/checkpoint.safetensors").exists() {
                assert!(run.stderr.contains("the last good checkpoint is"), "{}", run.stderr);
                let kept = bures::io::Tensors::read(place.path("late/checkpoint.safetensors")).expect("a checkpoint");
                for name in kept.tensors.keys() {
                    kept.finite_f32(name, &place.path("late")).expect("finite");
                }
                place.run(&format!("train --resume late {executor}")).refused("again", 1, " at step ");
            }
        }
    }
}
