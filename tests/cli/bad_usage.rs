//! Settings that no run can have: refused with exit code 2 (3 where an adapter is missing), and nothing is written.

use crate::place::{Place, f32s, i64s, npy};

#[test]
fn options_that_make_no_sense() {
    let place = Place::with_tiny();
    let order = |name: &str, descr: &str, shape: &str, data: &[u8]| place.write(name, &npy(descr, shape, data));
    order("wide.npy", "<i8", "(2, 3)", &i64s(&[0; 6]));
    order("beyond.npy", "<i8", "(1, 2)", &i64s(&[3, 190]));
    order("below.npy", "<i8", "(1, 2)", &i64s(&[3, -1]));
    order("floats.npy", "<f4", "(1, 2)", &f32s(&[0.0, 1.0]));
    order("none.npy", "<i8", "(0, 2)", &[]);
    place.write("unknown.toml", b"epochs = 3\ndepth = 4\n");
    place.write("broken.toml", b"epochs = 3\nlr = = 4\n");
    place.write("type.toml", b"epochs = \"many\"\n");
    place.write("negative.toml", b"lr = -0.5\n");
    let before = place.files();
    let huge = u64::MAX.to_string();
    let over = format!("--epochs {huge}");
    let seed = format!("--seed {huge}");
    for (args, code, words) in [
        ("-K 0", 2, "components is 0"),
        ("-K -3", 2, "-3"),
        ("-K 900000 --hidden 5000", 2, "GiB of memory"),
        ("-K 900000 --hidden 900000", 2, "too large"),
        ("--hidden 0", 2, "hidden has a width of 0"),
        ("--hidden 100000000", 2, "GiB of memory"),
        ("--hidden 18446744073709551615", 2, "too large"),
        ("--hidden 3,x", 2, "--hidden"),
        ("--batch-size 191", 2, "batch-size 191 is larger than the training set, which has 190 rows"),
        ("--batch-size 0", 2, "batch-size is 0"),
        ("--lr -0.1", 2, "lr is -0.1"),
        ("--lr nan", 2, "lr is NaN"),
        ("--lr inf", 2, "lr is inf"),
        ("--lr-sigma -1", 2, "lr-sigma is -1"),
        ("--lr fast", 2, "--lr"),
        ("--momentum 1", 2, "momentum must be below 1"),
        ("--l2 -1", 2, "l2 is -1"),
        ("--gamma -1", 2, "init-mean-std is -1"),
        ("--gamma nan", 2, "init-mean-std is NaN"),
        ("--epochs 0", 2, "epochs is 0"),
        (&over, 2, "epochs is above"),
        (&seed, 2, "a seed is above"),
        ("--max-steps 0", 2, "max-steps is 0"),
        ("--log-every 0", 2, "log-every is 0"),
        ("--seeds 1,1", 2, "a seed is given twice"),
        ("--seeds 1,2 --seed 3", 2, "cannot be used with"),
        ("--seeds", 2, "--seeds"),
        ("--checkpoint-every -1", 2, "checkpoint-every is -1"),
        ("--normalize most", 2, "--normalize"),
        ("--optimizer newton", 2, "newton"),
        ("--validation 190", 2, "190"),
        ("--split 3", 2, "has one fixed split"),
        ("--mixture-init", 2, "mixture-init is for"),
        ("--order missing.npy", 1, "missing.npy"),
        ("--order wide.npy --batch-size 2", 1, "shape [steps, 2]"),
        ("--order beyond.npy --batch-size 2", 1, "step 0, row 1: index 190 is not in 0..190"),
        ("--order below.npy --batch-size 2", 1, "index -1 is not in 0..190"),
        ("--order floats.npy --batch-size 2", 1, "must hold integers"),
        ("--order none.npy --batch-size 2", 1, "shape"),
        ("--config missing.toml", 1, "cannot read missing.toml"),
        ("--config unknown.toml", 2, "unknown.toml: unknown field `depth`"),
        ("--config broken.toml", 2, "broken.toml: line 2"),
        ("--config type.toml", 2, "epochs"),
        ("--config negative.toml", 2, "lr is -0.5"),
        ("--resume run --force", 2, "cannot be used with"),
        ("--depth 3", 2, "--depth"),
        ("--adapter 99", 3, "no adapter"),
        ("--adapter nonsuch", 3, "no adapter"),
        ("--adapter cpu --software", 2, "cannot be used with"),
    ] {
        let executor = if args.contains("--adapter") { "" } else { "--adapter cpu" };
        place.run(&format!("train --data tiny.npz {args} {executor} --out run")).refused(args, code, words);
        assert_eq!(place.files(), before, "{args} left files");
        assert!(!place.path("run").exists(), "{args} left a folder");
    }
    for (args, words) in
        [("train --data nonsuch", "data set nonsuch is not known; choose"), ("", "Usage"), ("learn", "learn")]
    {
        let run = place.run(args);
        assert_eq!(run.code, Some(2), "{args}");
        assert!(run.stderr.contains(words), "{args}: {}", run.stderr);
    }
}

#[test]
fn no_software_adapter() {
    let place = Place::with_tiny();
    for args in ["train --data tiny.npz --out run", "eval m --data tiny.npz", "info"] {
        let mut command = place.command(&format!("{args} --software"));
        command.env("VK_ICD_FILENAMES", "/nonexistent").env("VK_DRIVER_FILES", "/nonexistent");
        let run = crate::place::Outcome::from(command.output().expect("the program runs"));
        // Elsewhere than on Linux these variables mean nothing.
        if cfg!(target_os = "linux") && !args.starts_with("eval") {
            run.refused(args, 3, "no adapter");
            assert!(place.files().is_empty());
        }
    }
}

#[test]
fn results_are_not_replaced_unasked() {
    let place = Place::with_tiny();
    let new = "train --data tiny.npz -K 2 --epochs 1 --adapter cpu --out run";
    place.run(new).ok();
    let model = place.read("run/model.safetensors");
    place.write("run/notes.txt", b"mine");
    place.run(new).refused("again", 2, "run holds the results of a run (model.safetensors)");
    // Not even by a run that fails before it starts.
    place.run(&format!("{new} --force --order missing.npy")).refused("a slip", 1, "missing.npy");
    assert!(place.read("run/model.safetensors") == model);
    place.run(&format!("{new} --force --seeds 0,1")).ok();
    assert!(!place.path("run/model.safetensors").exists() && place.path("run/seed-1/model.safetensors").exists());
    place.run(new).refused("results of several seeds", 2, "holds the results of a run");
    place.run(&format!("{new} --force")).ok();
    assert!(!place.path("run/seed-1/model.safetensors").exists());
    assert_eq!(place.read("run/notes.txt"), b"mine");
    assert!(place.read("run/model.safetensors") == model);
}

/// A configuration file may say part of the settings; options go before it; a run's own file gives the run again.
#[test]
fn configuration_files() {
    let place = Place::with_tiny();
    place.write("part.toml", b"data = \"tiny.npz\"\nmodel = \"fc\"\nhidden = [7]\nepochs = 2\n");
    place.run("train --config part.toml --epochs 3 --adapter cpu --out run").ok();
    let config = String::from_utf8(place.read("run/config.toml")).expect("text");
    for line in ["model = \"fc\"", "epochs = 3", "lr = 0.001", "hidden = [7]"] {
        assert!(config.replace("[\n    7,\n]", "[7]").contains(line), "no {line} in {config}");
    }
    place.run("train --config run/config.toml --adapter cpu --out again").ok();
    assert!(place.read("run/model.safetensors") == place.read("again/model.safetensors"));
    assert!(place.read("run/config.toml") == place.read("again/config.toml"));
}
