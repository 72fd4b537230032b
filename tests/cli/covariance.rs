//! Covariances other than diagonal ones, and the joint layer, as people train them.

use bures::io::{TensorData, Tensors};

use crate::place::{Place, executors, f32s, npy, npz};

fn tensors(place: &Place, file: &str) -> Tensors {
    Tensors::read(place.path(file)).expect("a model")
}

fn floats<'a>(file: &'a Tensors, name: &str) -> &'a [f32] {
    let TensorData::F32(values) = &file.tensors[name].data else { panic!("{name} holds no f32") };
    values
}

#[test]
fn every_covariance_learns_the_digits() {
    let place = Place::new();
    // A step of the full layer takes as long as ten of the others. Of ten classes, 0.9 is chance.
    for (layer, steps, most, names) in [
        ("--covariance low-rank:2 --weights learned", "200 --lr 0.01", 0.3, "mu root sigma u v weights"),
        ("--covariance full", "60 --lr 0.03", 0.6, "c mu u v"),
    ] {
        let args =
            format!("train -K 3 {layer} --max-steps {steps} --log-every 1 --adapter cpu --force --out run --json");
        let result = place.run(&args).json();
        let losses = place.losses("run");
        let (first, last) = (losses[..5].iter().sum::<f64>(), losses[losses.len() - 5..].iter().sum::<f64>());
        assert!(last < 0.6 * first, "{layer}: losses from {first} to {last}");
        let error = result["error"][0].as_f64().expect("an error");
        assert!(error < most, "{layer}: error {error}");
        let model = tensors(&place, "run/model.safetensors");
        let got: Vec<&str> = model.tensors.keys().map(|name| name.trim_start_matches("layers.0.")).collect();
        assert_eq!(got.join(" "), names);
        let again = place.run("eval run/model.safetensors --data strokes --json --adapter cpu").json();
        assert_eq!(again["error"].as_f64(), Some(error), "{layer}");
    }
}

/// With rank 0 the layer has no root, and its bits are those of the diagonal layer.
#[test]
fn rank_0_is_the_diagonal_layer() {
    let place = Place::with_tiny();
    let train = "train --data tiny.npz -K 3 --epochs 3 --adapter cpu";
    place.run(&format!("{train} --out a")).ok();
    place.run(&format!("{train} --covariance low-rank:0 --out b")).ok();
    let [a, b] = ["a", "b"].map(|run| tensors(&place, &format!("{run}/model.safetensors")).tensors);
    assert!(a == b);
}

/// μ, U and v start the same whatever the covariance, and a full one starts as the diagonal one.
#[test]
fn covariances_start_alike() {
    let place = Place::with_tiny();
    let mut first = Vec::new();
    for covariance in ["diagonal", "low-rank:2", "full"] {
        place.run(&format!("train --data tiny.npz -K 3 --covariance {covariance} --max-steps 1 --lr 0 --adapter cpu --force --out run")).ok();
        let model = tensors(&place, "run/model.safetensors");
        let mine: Vec<Vec<f32>> =
            ["mu", "u", "v"].map(|name| floats(&model, &format!("layers.0.{name}")).to_vec()).into();
        if first.is_empty() {
            first = mine;
        } else {
            assert!(first == mine, "{covariance}");
        }
        if covariance == "full" {
            for (at, &c) in floats(&model, "layers.0.c").iter().enumerate() {
                assert_eq!(c, if at / 6 % 6 == at % 6 { 0.5 } else { 0.0 });
            }
        }
    }
}

/// `y = ⟨w, x⟩ relu(x_0)`-like targets of six inputs.
fn regression(place: &Place) {
    let rows = |n: usize, seed: u64| {
        let (x, _) = crate::place::blobs(n, seed);
        let y: Vec<f32> = x.chunks_exact(6).map(|x| 3.0 + x[0].max(0.0) * 2.0 - x[3] * x[1]).collect();
        (f32s(&x), f32s(&y))
    };
    let ((x_train, y_train), (x_test, y_test)) = (rows(300, 3), rows(60, 4));
    place.write(
        "r.npz",
        &npz(&vec![
            ("x_train", npy("<f4", "(300, 6)", &x_train)),
            ("y_train", npy("<f4", "(300,)", &y_train)),
            ("x_test", npy("<f4", "(60, 6)", &x_test)),
            ("y_test", npy("<f4", "(60,)", &y_test)),
        ]),
    );
    place.write("x.npy", &npy("<f4", "(60, 6)", &x_test));
}

#[test]
fn regressions_are_learnt_by_every_layer() {
    let place = Place::with_tiny();
    regression(&place);
    for model in [
        "--covariance diagonal",
        "--covariance low-rank:3",
        "--covariance full",
        "--model gm-joint",
        "--model gm-joint --hidden 5",
    ] {
        let train = format!(
            "train --data r.npz -K 4 {model} --loss squared --batch-size 20 --lr 0.05 --log-every 1 --json --force --out"
        );
        let result = place.run(&format!("{train} run --epochs 30 --adapter cpu")).json();
        let rmse = result["rmse"][0].as_f64().expect("an RMSE");
        // The targets' standard deviation is 2.4; the means of the three groups of rows leave 1.3.
        assert!(rmse < 1.15, "{model}: RMSE {rmse}");
        let again = place.run("eval run/model.safetensors --data r.npz --json --adapter cpu").json();
        let again = again["rmse"].as_f64().expect("an RMSE");
        assert!((again - rmse).abs() < 1e-5, "{model}: {again} not {rmse}");
    }
}

#[test]
fn the_joint_layer_behind_others_learns_alike_on_both_executors() {
    let place = Place::with_tiny();
    regression(&place);
    let losses: Vec<Vec<f64>> = executors()
        .into_iter()
        .map(|executor| {
            let train = "train --data r.npz -K 2 --model gm-joint --hidden 5 --covariance low-rank:2 --max-steps 12";
            place.run(&format!("{train} --batch-size 20 --lr 0.05 --log-every 1 {executor} --force --out run")).ok();
            place.losses("run")
        })
        .collect();
    for other in &losses[1..] {
        // Rounding in f32, amplified by a dozen steps.
        for (step, (a, b)) in losses[0].iter().zip(other).enumerate() {
            assert!((a - b).abs() <= 1e-4 * a.abs(), "step {step}: {a} and {b}");
        }
    }
}

/// Many neurons of a layer predict what the layer does, the joint one too.
#[test]
fn sampled_neurons_predict_what_their_layer_does() {
    let place = Place::with_tiny();
    regression(&place);
    for model in ["--covariance low-rank:3 --weights learned", "--covariance full", "--model gm-joint"] {
        place
            .run(&format!("train --data r.npz -K 4 {model} --epochs 10 --lr 0.02 --adapter cpu --force --out run"))
            .ok();
        place.run("sample run/model.safetensors --neurons 40000 --out many.safetensors").ok();
        let predict = |file: &str| {
            place.run(&format!("predict {file} --inputs x.npy --out y.npy --adapter cpu")).ok();
            match bures::io::read_npy(place.path("y.npy")).expect("an array").data {
                bures::io::ArrayData::F32(values) => values,
                other => panic!("{other:?}"),
            }
        };
        let (layer, many) = (predict("run/model.safetensors"), predict("many.safetensors"));
        let size = layer.iter().map(|y| f64::from(*y).powi(2)).sum::<f64>();
        let off: f64 = layer.iter().zip(&many).map(|(a, b)| f64::from(a - b).powi(2)).sum();
        // 1/√40,000 times a spread of neurons that is a few times the output.
        assert!((off / size).sqrt() < 0.03, "{model}: off by {:.3} of the outputs", (off / size).sqrt());
    }
}

/// Tensors without metadata say themselves what layer they are.
#[test]
fn layers_are_told_from_their_tensors() {
    let place = Place::with_tiny();
    regression(&place);
    for model in ["--covariance low-rank:3", "--covariance full", "--model gm-joint"] {
        place
            .run(&format!(
                "train --data r.npz -K 2 {model} --epochs 1 --normalize none --adapter cpu --force --out run"
            ))
            .ok();
        let mut bare = tensors(&place, "run/model.safetensors");
        bare.metadata.clear();
        bare.write(place.path("bare.safetensors")).expect("a file");
        let described = bures::nn::Model::read(place.path("run/model.safetensors"), None).expect("a model");
        let inferred = bures::nn::Model::read(place.path("bare.safetensors"), None).expect("a model");
        assert_eq!(described.spec, inferred.spec, "{model}");
        assert_eq!(described.params, inferred.params, "{model}");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let place = Place::with_tiny();
    regression(&place);
    for (args, words) in [
        ("tiny.npz --covariance low-rank", "low-rank:R"),
        ("tiny.npz --covariance round", "low-rank:R"),
        ("tiny.npz --model fc --covariance full", "dense layers"),
        ("tiny.npz --model gm-joint", "one target value"),
        ("tiny.npz --loss squared", "its loss is logistic"),
        ("r.npz --loss logistic", "its loss is squared"),
        ("r.npz --model gm-joint --freeze-beta", "freeze-beta"),
        ("tiny.npz --covariance low-rank:100000000000", "too large"),
        ("tiny.npz --covariance low-rank:900000000", "GiB of memory"),
    ] {
        place.run(&format!("train --adapter cpu --out run --data {args}")).refused(args, 2, words);
        assert!(!place.path("run").exists(), "{args} left a folder");
    }
}

/// A layer that fits the machine and not a binding of the device: named, with what to do.
#[test]
fn a_layer_too_large_for_the_device_is_said() {
    if executors().contains(&"--software") {
        let place = Place::new();
        let run = place.run("train -K 60 --covariance full --max-steps 1 --software --out run");
        run.refused("147 MB of parameters", 1, "layer 0 is too large");
        assert!(run.stderr.contains("smaller rank"), "{}", run.stderr);
    }
}
