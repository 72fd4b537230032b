//! Data and model files that are damaged or do not fit: one clear line, and nothing is written.

use bures::io::{TensorData, Tensors};

use crate::place::{Arrays, Place, f32s, gzip, i64s, idx, npy, npz, tiny_with};

#[test]
fn a_missing_data_set_says_where_to_put_it() {
    let place = Place::new();
    let run = place.run("train --data mnist --out run --adapter cpu");
    run.refused("mnist", 1, "data set mnist not found");
    let text = "error: data set mnist not found: looked for train-images-idx3-ubyte[.gz] in ./data/mnist\n  \
                Put the four IDX files there, or set BURES_DATA to the folder that holds mnist/. They are published at the \
                address that `bures data mnist` prints.\n";
    #[cfg(unix)]
    assert_eq!(run.stderr, text);
    #[cfg(not(unix))]
    let _ = text;
    for args in ["train --data kin8nm", "train --data cifar10", "data mnist", "train --data missing.npz"] {
        assert_eq!(place.run(args).code, Some(1), "{args}");
    }
    assert_eq!(place.files(), Vec::<String>::new());
}

#[test]
fn damaged_image_sets() {
    let good = idx(&[6, 2, 2], &[8; 24]);
    let packed = gzip(&idx(&[600, 28, 28], &(0..600 * 784).map(|i| (i * i % 251) as u8).collect::<Vec<_>>()));
    let train = |images: Vec<u8>, labels: Vec<u8>| (images, labels);
    let labels = idx(&[6], &[0, 1, 2, 3, 4, 5]);
    for (case, (images, labels), words) in [
        ("truncated gzip", train(packed[..packed.len() / 2].to_vec(), labels.clone()), "it ends too early"),
        ("wrong magic", train([&[7, 7], &good[2..]].concat(), labels.clone()), "not with 00 00 08"),
        ("overflow", train(idx(&[u32::MAX; 3], &[0; 8]), labels.clone()), "more bytes than the file can hold"),
        ("too few pixels", train(good[..good.len() - 1].to_vec(), labels.clone()), "cut off"),
        ("no images", train(idx(&[0, 2, 2], &[]), idx(&[0], &[])), "no examples"),
        ("a label of 10", train(good.clone(), idx(&[6], &[0, 1, 2, 10, 4, 5])), "10"),
        ("fewer labels", train(good.clone(), idx(&[5], &[0, 1, 2, 3, 4])), "5 labels for the 6 images"),
    ] {
        let place = Place::new();
        place.write("data/mnist/train-images-idx3-ubyte", &images);
        place.write("data/mnist/train-labels-idx1-ubyte", &labels);
        place.write("data/mnist/t10k-images-idx3-ubyte", &good);
        place.write("data/mnist/t10k-labels-idx1-ubyte", &idx(&[6], &[0, 1, 2, 3, 4, 5]));
        place.run("train --data mnist --out run --batch-size 2 --adapter cpu").refused(case, 1, words);
        assert!(!place.path("run").exists(), "{case} left a folder");
    }
}

#[test]
fn damaged_arrays() {
    let mut nan = vec![0.5_f32; 190 * 6];
    nan[700] = f32::NAN;
    let header = |shape: &str| npy("<f4", shape, &f32s(&[0.0; 6]));
    let with = |name: &'static str, array: Vec<u8>| tiny_with(name, array);
    let whole = npz(&crate::place::tiny());
    for (case, bytes, words) in [
        ("no archive", b"hello".to_vec(), "not a readable .npz archive"),
        ("cut off", whole[..whole.len() / 2].to_vec(), "not a readable .npz archive"),
        ("an array is missing", npz(&Arrays::from([("x_train", header("(1, 6)"))])), "y_train"),
        ("NaN", with("x_train", npy("<f4", "(190, 6)", &f32s(&nan))), "x_train"),
        ("no rows", with("x_test", npy("<f4", "(0, 6)", &[])), "it holds no examples"),
        ("no columns", with("x_train", npy("<f4", "(190, 0)", &[])), "it holds no examples"),
        ("objects", with("x_train", npy("|O", "(190, 6)", &[0; 64])), "x_train"),
        ("more than the file", with("x_train", header("(190, 6)")), "x_train"),
        ("overflow", with("x_train", header("(9223372036854775807, 9)")), "x_train"),
        ("another width", with("x_test", npy("<f4", "(60, 1)", &[0; 240])), "they must agree"),
        ("a negative label", with("y_test", npy("<i8", "(60,)", &i64s(&[-1; 60]))), "y_test[0] is -1"),
        ("a huge label", with("y_test", npy("<i8", "(60,)", &i64s(&[1 << 40; 60]))), "label"),
        (
            "one class",
            {
                let zeros = |n: usize| npy("<i8", &format!("({n},)"), &i64s(&vec![0; n]));
                let mut arrays = crate::place::tiny();
                (arrays[1].1, arrays[3].1) = (zeros(190), zeros(60));
                npz(&arrays)
            },
            "two classes are needed",
        ),
        ("labels and values", with("y_test", npy("<f4", "(60,)", &[0; 240])), "the other floats"),
    ] {
        let place = Place::new();
        place.write("bad.npz", &bytes);
        let run = place.run("train --data bad.npz --out run -K 2 --epochs 1 --adapter cpu");
        run.refused(case, 1, words);
        assert!(run.stderr.contains("bad.npz"), "{case}: {}", run.stderr);
        assert_eq!(place.files(), ["bad.npz"], "{case}");
    }
}

#[test]
fn inputs_to_predict_from() {
    let place = Place::with_tiny();
    place.run("train --data tiny.npz -K 2 --epochs 1 --adapter cpu --out run").ok();
    let before = place.files();
    for (case, bytes, words) in [
        ("another width", npy("<f4", "(2, 5)", &[0; 40]), "the model takes [n, 6]"),
        ("one dimension", npy("<f4", "(6,)", &[0; 24]), "the model takes [n, 6]"),
        ("no rows", npy("<f4", "(0, 6)", &[]), "the model takes [n, 6]"),
        ("NaN", npy("<f4", "(1, 6)", &f32s(&[f32::NAN; 6])), "inputs"),
        ("objects", npy("|O", "(1, 6)", &[0; 48]), "Python objects"),
        ("huge values", npy("<f4", "(1, 6)", &f32s(&[3e38; 6])), "row 0"),
        ("empty", Vec::new(), "x.npy"),
    ] {
        place.write("x.npy", &bytes);
        let run = place.run("predict run/model.safetensors --inputs x.npy --out y.npy --adapter cpu");
        run.refused(case, 1, words);
        std::fs::remove_file(place.path("x.npy")).expect("a file");
        assert_eq!(place.files(), before, "{case}");
    }
}

/// A safetensors file with any header.
fn safetensors(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
}

#[test]
fn damaged_models() {
    let place = Place::with_tiny();
    place.run("train --data tiny.npz -K 2 --epochs 1 --adapter cpu --out run").ok();
    let good = place.read("run/model.safetensors");
    let model = Tensors::read(place.path("run/model.safetensors")).expect("a model");
    let changed = |from: &str, to: &str| {
        let mut model = model.clone();
        let text = model.metadata.get_mut("bures").expect("metadata");
        assert!(text.contains(from), "no {from} in {text}");
        *text = text.replacen(from, to, 1);
        model.write(place.path("changed")).expect("a file");
        place.read("changed")
    };
    let mut nan = model.clone();
    nan.insert("layers.0.v", &[2, 2], TensorData::F32(vec![f32::NAN; 4]));
    nan.write(place.path("nan")).expect("a file");
    let lying = r#"{"layers.0.u":{"dtype":"F32","shape":[2,2,6],"data_offsets":[0,9600]}}"#;
    let overflow = r#"{"layers.0.u":{"dtype":"F32","shape":[9223372036854775807,9,9],"data_offsets":[0,96]}}"#;
    let backwards = r#"{"layers.0.u":{"dtype":"F32","shape":[2,2,6],"data_offsets":[96,0]}}"#;
    for (case, bytes, words) in [
        ("empty", Vec::new(), "bad.safetensors"),
        ("cut off", good[..good.len() - 3].to_vec(), "bad.safetensors"),
        ("a header of 2^60 bytes", [&(1_u64 << 60).to_le_bytes()[..], &good[8..]].concat(), "header"),
        ("lying offsets", safetensors(lying, &[0; 96]), "layers.0.u"),
        ("overflowing shape", safetensors(overflow, &[0; 96]), "layers.0.u"),
        ("backward offsets", safetensors(backwards, &[0; 96]), "layers.0.u"),
        ("no tensors", safetensors("{}", &[]), "bad.safetensors"),
        ("NaN", place.read("nan"), "layers.0.v"),
        ("another format", changed("\"format\":1", "\"format\":9"), "format 9 is not known"),
        ("a huge layer", changed("\"components\":2", "\"components\":1000000000"), "layers.0.mu has shape [2, 6]"),
        ("a layer beyond counting", changed("\"outputs\":2", "\"outputs\":18446744073709551615"), "too large"),
        ("no components", changed("\"components\":2", "\"components\":0"), "size of 0"),
        ("an unknown layer", changed("\"type\":\"gm\"", "\"type\":\"fold\""), "fold"),
        ("classes that do not fit", changed("\"classes\":3", "\"classes\":7"), "classes"),
    ] {
        place.write("bad.safetensors", &bytes);
        for command in
            ["eval bad.safetensors --data tiny.npz", "train --init bad.safetensors --data tiny.npz --out new"]
        {
            place.run(&format!("{command} --adapter cpu")).refused(case, 1, words);
            assert!(!place.path("new").exists(), "{case}");
        }
    }
}

#[test]
fn models_that_do_not_fit_the_data() {
    let place = Place::with_tiny();
    place.run("train --data tiny.npz -K 2 --epochs 1 --adapter cpu --out run").ok();
    place.run("train --data noisy-sines -K 2 --epochs 1 --adapter cpu --out sines").ok();
    let model = "run/model.safetensors";
    place.run(&format!("eval {model} --data strokes --adapter cpu")).refused("width", 1, "the model takes 6 inputs");
    let init = place.run(&format!("train --init {model} --data strokes --adapter cpu --out new"));
    init.refused("--init", 1, "the model takes 6 inputs");
    assert!(!place.path("new").exists());
    let run = place.run("eval sines/model.safetensors --data tiny.npz --adapter cpu");
    run.refused("another width", 1, "the model takes 1 inputs");
    // A regression evaluated on two classes of the same width.
    let n = |n: usize| npy("<f4", &format!("({n}, 1)"), &vec![0; 4 * n]);
    let y = |n: usize| npy("<i8", &format!("({n},)"), &i64s(&(0..n as i64).map(|i| i % 2).collect::<Vec<_>>()));
    place.write("two.npz", &npz(&vec![("x_train", n(8)), ("y_train", y(8)), ("x_test", n(4)), ("y_test", y(4))]));
    let run = place.run("eval sines/model.safetensors --data two.npz --adapter cpu");
    run.refused("a regression", 1, "do not fit");
    place.run("eval missing.safetensors --data tiny.npz").refused("no model", 1, "missing.safetensors");
    // Dense layers of another program do not say what follows them.
    let mut dense = Tensors::default();
    for (name, shape) in [("0.weight", &[4, 6][..]), ("0.bias", &[4]), ("2.weight", &[3, 4]), ("2.bias", &[3])] {
        dense.insert(name, shape, TensorData::F32(vec![0.1; shape.iter().product()]));
    }
    dense.write(place.path("torch.safetensors")).expect("a file");
    let eval = "eval torch.safetensors --data tiny.npz --adapter cpu";
    place.run(eval).refused("no activation", 2, "give --activation relu, tanh or none");
    place.run(&format!("{eval} --activation relu")).ok();
    place.run(&format!("{eval} --activation tanh")).ok();
    place.run(&format!("{eval} --activation gelu")).refused("gelu", 2, "an activation is relu, tanh or none");
}
