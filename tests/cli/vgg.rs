//! Convolutional networks: they learn, on both executors alike, and equal runs write equal files.

use crate::place::{Arrays, Outcome, Place, executors, i64s, npy, npz};

/// Pictures of 8 × 8 pixels in three channels: noise, and stripes that lie, stand or cross in one of them.
pub(crate) fn stripes() -> Arrays {
    let part = |n: usize, seed: u64| {
        let mut random = bures::reference::philox::Philox::new(seed, 0);
        let labels: Vec<i64> = (0..n).map(|i| (i % 3) as i64).collect();
        let mut pixels = Vec::new();
        for &label in &labels {
            let (channel, phase) = (random.below(3), random.below(4));
            for at in 0..3 * 64_u32 {
                let (c, y, x) = (at / 64, at / 8 % 8, at % 8);
                let along = [y, x, x + y][label as usize];
                let lit = c == channel && (along + phase) % 4 < 2;
                pixels.push((random.below(60) + if lit { 150 } else { 40 }) as u8);
            }
        }
        (npy("|u1", &format!("({n}, 3, 8, 8)"), &pixels), npy("<i8", &format!("({n},)"), &i64s(&labels)))
    };
    let ((x_train, y_train), (x_test, y_test)) = (part(240, 1), part(90, 2));
    vec![("x_train", x_train), ("y_train", y_train), ("x_test", x_test), ("y_test", y_test)]
}

fn place() -> Place {
    let place = Place::new();
    place.write("stripes.npz", &npz(&stripes()));
    place
}

#[test]
fn both_heads_learn_alike_on_both_executors() {
    let place = place();
    for head in ["dense --narrow 16 --lr 0.01", "gm -K 5 --narrow 8 --lr 0.003"] {
        let mut first: Option<Vec<f64>> = None;
        for executor in executors() {
            let args = format!(
                "train --data stripes.npz --model vgg --head {head} --epochs 5 --batch-size 24 \
                 --log-every 1 {executor} --json --force --out run"
            );
            let result = place.run(&args).json();
            let error = result["error"][0].as_f64().expect("an error");
            assert!(error <= 0.1, "{head} on {executor}: test error {error}");
            let losses = place.losses("run");
            assert_eq!(losses.len(), 50);
            if let Some(other) = &first {
                // Rounding in f32: Adam's first steps are the signs of gradients, some of which are next to 0.
                for (step, (a, b)) in other.iter().zip(&losses).take(4).enumerate() {
                    assert!((a - b).abs() <= 1e-3 * a.abs().max(1e-2), "{head}, step {step}: {a} and {b}");
                }
            }
            first.get_or_insert(losses);
            // The model's running statistics are what the test error was measured with.
            let again = place.run(&format!("eval run/model.safetensors --data stripes.npz --json {executor}")).json();
            assert_eq!(again["error"].as_f64(), Some(error), "{head} on {executor}");
        }
    }
}

#[test]
fn equal_runs_write_equal_models() {
    let place = place();
    for executor in executors() {
        let shared = format!(
            "train --data stripes.npz --model vgg --head gm -K 2 --narrow 32 --epochs 2 --batch-size 48 {executor} --force"
        );
        let runs = [("1", "a"), ("2", "b"), ("3", "c")];
        // A GPU's adapter does not ask for the number of threads: there it is the repeat that counts.
        let runs = if executor == "--software" { &runs[..2] } else { &runs[..] };
        for (threads, out) in runs {
            let run = place
                .command(&format!("{shared} --augment --seed 1 --out {out}"))
                .env("RAYON_NUM_THREADS", threads)
                .output();
            Outcome::from(run.expect("the program runs")).ok();
        }
        place.run(&format!("{shared} --augment --seeds 0,1 --out two")).ok();
        let model = |run: &str| place.read(&format!("{run}/model.safetensors"));
        for other in runs[1..].iter().map(|(_, out)| *out).chain(["two/seed-1"]) {
            assert!(model("a") == model(other), "{executor}: runs a and {other} differ");
        }
        place.run(&format!("{shared} --seed 1 --out plain")).ok();
        assert!(model("a") != model("plain"), "{executor}: augmentation changes nothing");
    }
}

#[test]
fn what_cannot_be_is_said() {
    let place = place();
    place.write("tiny.npz", &npz(&crate::place::tiny()));
    place.run("train --data tiny.npz --model vgg").refused("no pictures", 2, "the data are no pictures");
    place.run("train --data tiny.npz --augment").refused("no pictures", 2, "the data are no pictures");
    place.run("train --data stripes.npz --model vgg --narrow 0").refused("narrow", 2, "narrow is 0");
    let train = "train --data stripes.npz --model vgg --narrow 64 --max-steps 2 --adapter cpu --out run";
    place.run(train).ok();
    let path = place.path("run/model.safetensors");
    let mut model = bures::io::Tensors::read(&path).expect("a model");
    let Some(bures::io::TensorData::F32(variances)) =
        model.tensors.get_mut("layers.1.running_var").map(|tensor| &mut tensor.data)
    else {
        panic!("a running variance")
    };
    variances[0] = -1.0;
    model.write(&path).expect("a file");
    let eval = place.run("eval run/model.safetensors --data stripes.npz --adapter cpu");
    eval.refused("a variance", 1, "layers.1.running_var, value 0: -1; a variance cannot be negative");
}
