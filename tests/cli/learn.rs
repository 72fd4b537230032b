//! Every kind of network learns, and the executors agree.

use crate::place::{Place, executors, f32s, npy, npz};
use crate::skip::folder_or_skip;

#[test]
fn networks_learn_alike_on_both_executors() {
    let place = Place::with_tiny();
    for (network, rate) in [
        ("-K 3", "0.04"),
        ("-K 3 --hidden 8", "0.04"),
        ("-K 3 --covariance low-rank:2 --weights learned", "0.04"),
        ("--model fc --hidden 16", "0.04"),
        ("--model fc --hidden 16 --mixture-init -K 2", "0.04"),
        ("--model fc --hidden 12,8", "0.04"),
        ("-K 3 --freeze-beta", "0.04"),
    ] {
        let mut first: Option<Vec<f64>> = None;
        for executor in executors() {
            let args = format!(
                "train --data tiny.npz {network} --lr {rate} --epochs 10 --batch-size 16 --log-every 1 {executor} --json \
                 --force --out run"
            );
            let result = place.run(&args).json();
            let error = result["error"][0].as_f64().expect("an error");
            assert!(error <= 0.05, "{network} on {executor}: test error {error}");
            let losses = place.losses("run");
            assert_eq!(losses.len(), 120);
            if let Some(other) = &first {
                // Rounding in f32, amplified by a dozen steps.
                for (step, (a, b)) in other.iter().zip(&losses).take(12).enumerate() {
                    assert!((a - b).abs() <= 1e-4 * a.abs().max(1e-2), "{network}, step {step}: {a} and {b}");
                }
            }
            first.get_or_insert(losses);
        }
    }
}

#[test]
fn beta_stays_where_it_is_frozen() {
    let place = Place::with_tiny();
    place.run("train --data tiny.npz -K 3 --epochs 2 --adapter cpu --out start --lr 0 --lr-sigma 0").ok();
    place.run("train --data tiny.npz -K 3 --epochs 2 --adapter cpu --out run --freeze-beta").ok();
    let read =
        |run: &str| bures::io::Tensors::read(place.path(run).join("model.safetensors")).expect("a model").tensors;
    let (start, end) = (read("start"), read("run"));
    for name in ["layers.0.mu", "layers.0.sigma"] {
        assert_eq!(start[name], end[name], "{name}");
    }
    assert_ne!(start["layers.0.u"], end["layers.0.u"]);
}

/// `y = 5 + 3 x₀ − |x₁|` and a second target of another scale.
fn values(n: usize, seed: u64) -> (Vec<u8>, Vec<u8>) {
    let (x, _) = crate::place::blobs(n, seed);
    let y = x.chunks_exact(6).flat_map(|x| [5.0 + 3.0 * x[0] - x[1].abs(), 100.0 * x[2]]);
    (npy("<f4", &format!("({n}, 6)"), &f32s(&x)), npy("<f4", &format!("({n}, 2)"), &f32s(&y.collect::<Vec<_>>())))
}

#[test]
fn regression_in_its_own_units() {
    let place = Place::new();
    let ((x_train, y_train), (x_test, y_test)) = (values(300, 3), values(50, 4));
    place.write("x.npy", &x_test);
    place.write("y.npy", &y_test);
    place.write(
        "r.npz",
        &npz(&vec![("x_train", x_train), ("y_train", y_train), ("x_test", x_test), ("y_test", y_test)]),
    );
    for executor in executors() {
        let args = format!("train --data r.npz -K 8 --epochs 40 --batch-size 30 --normalize per-feature {executor}");
        let result = place.run(&format!("{args} --json --force --out run")).json();
        assert!(result["error"].is_null() && result["rmse"].is_null(), "{result}");
        let loss = result["loss"][0].as_f64().expect("a loss");
        assert!(loss < 0.1, "{executor}: normalised squared error {loss}");
        place.run(&format!("predict run/model.safetensors --inputs x.npy --out out.npy {executor}")).ok();
        let read = |name: &str| {
            let array = bures::io::read_npy(place.path(name)).expect("an array");
            array.finite_f32(&place.path(name), name).expect("floats")
        };
        let (got, want) = (read("out.npy"), read("y.npy"));
        let squares = got.iter().zip(&want).skip(1).step_by(2).map(|(g, w)| (g - w) * (g - w));
        let rmse = (squares.sum::<f32>() / 50.0).sqrt();
        assert!(rmse < 40.0, "{executor}: the second target, spread over 120, is off by {rmse}");
        let again = place.run(&format!("eval run/model.safetensors --data r.npz --json {executor}")).json();
        assert!((again["loss"].as_f64().expect("a loss") - loss).abs() < 1e-5 * loss.max(0.1), "{again} {loss}");
    }
}

#[test]
fn noisy_sines_are_fitted() {
    let place = Place::new();
    let result =
        place.run("train --data noisy-sines -K 20 --epochs 60 --lr 0.02 --adapter cpu --json --out run").json();
    let rmse = result["rmse"][0].as_f64().expect("an RMSE");
    assert!(rmse < 0.35, "RMSE {rmse}");
}

#[test]
fn kin8nm_is_learnt() {
    let Some(data) = folder_or_skip("BURES_DATA") else { return };
    let place = Place::new();
    let args = "train --data kin8nm --model fc --hidden 32 --epochs 6 --lr 0.01 --adapter cpu --json --out run";
    let mut command = place.command(args);
    command.env("BURES_DATA", data.canonicalize().expect("a folder"));
    let result = crate::place::Outcome::from(command.output().expect("the program runs")).json();
    let rmse = result["rmse"][0].as_f64().expect("an RMSE");
    // The targets' standard deviation is 0.26; a linear fit leaves 0.20.
    assert!(rmse < 0.15, "RMSE {rmse}");
}
