//! Disks that are full and folders that cannot be written.

use crate::place::Place;

/// Runs the program in a shell that first does `before`.
#[cfg(unix)]
fn under(place: &Place, before: &str, args: &str) -> crate::place::Outcome {
    let mut shell = std::process::Command::new("sh");
    shell.arg("-c").arg(format!("{before}; exec \"$0\" {args}")).arg(env!("CARGO_BIN_EXE_bures"));
    place.settle(&mut shell);
    shell.output().expect("a shell").into()
}

/// Files may not grow beyond 64 or 128 KiB (shells count in different blocks), which a checkpoint does.
#[cfg(unix)]
const SMALL_FILES: &str = "trap '' XFSZ; ulimit -f 128";

#[cfg(unix)]
#[test]
fn a_disk_that_fills_up_leaves_the_earlier_checkpoint() {
    let place = Place::with_tiny();
    let new = "train --data tiny.npz -K 2000 --batch-size 16 --epochs 12 --checkpoint-every 0 --adapter cpu";
    place.run(&format!("{new} --out whole")).ok();
    // A run with a checkpoint in its middle: two seeds' worth of files keep the one before the last.
    place.run(&format!("{new} --seeds 0,1 --out run")).ok();
    for seed in ["seed-0", "seed-1"] {
        let folder = place.path("run").join(seed);
        std::fs::remove_file(folder.join("model.safetensors")).expect("a model");
        std::fs::rename(folder.join("checkpoint.previous.safetensors"), folder.join("checkpoint.safetensors"))
            .expect("a previous checkpoint");
    }
    let before = place.read("run/seed-0/checkpoint.safetensors");
    let full = under(&place, SMALL_FILES, "train --resume run --checkpoint-every 0 --adapter cpu");
    full.refused("a full disk", 1, "cannot write");
    let kept = ["checkpoint.safetensors", "checkpoint.previous.safetensors"]
        .map(|name| std::fs::read(place.path("run/seed-0").join(name)).unwrap_or_default());
    assert!(kept.contains(&before), "the earlier checkpoint is gone");
    assert!(place.files().iter().all(|name| !name.contains(".tmp") && name != "run/seed-0/model.safetensors"));
    place.run("train --resume run --adapter cpu").ok();
    assert!(place.read("run/seed-0/model.safetensors") == place.read("whole/model.safetensors"));
}

#[cfg(unix)]
#[test]
fn results_that_cannot_be_written_leave_nothing() {
    let place = Place::with_tiny();
    let new = "train --data tiny.npz -K 2000 --epochs 1 --adapter cpu";
    under(&place, SMALL_FILES, &format!("{new} --out small")).refused("a small disk", 1, "cannot write");
    assert!(!place.files().iter().any(|name| name.contains("safetensors")), "{:?}", place.files());
    place.run(&format!("{new} --out whole")).ok();
    let x: Vec<f32> = vec![0.5; 6 * 20_000];
    place.write("x.npy", &crate::place::npy("<f4", "(20000, 6)", &crate::place::f32s(&x)));
    let predict = "predict whole/model.safetensors --inputs x.npy --out y.npy --adapter cpu";
    under(&place, SMALL_FILES, predict).refused("outputs", 1, "cannot write y.npy");
    assert!(!place.files().iter().any(|name| name.contains("y.npy")), "{:?}", place.files());
    // A result that nobody could be told.
    if std::path::Path::new("/dev/full").exists() {
        under(&place, "exec >/dev/full", "data").refused("standard output", 1, "standard output");
        under(&place, "exec >/dev/full", &format!("{new} --out told --json")).refused("JSON", 1, "standard output");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_small_file_system_is_reported() {
    let place = Place::with_tiny();
    std::fs::create_dir(place.path("disk")).expect("a folder");
    // The mount lives in a name space of its own and ends with the shell.
    let script = "mount -t tmpfs -o size=300k none disk 2>/dev/null || exit 99; \
                  \"$0\" train --data tiny.npz -K 2000 --epochs 2 --out disk/run --adapter cpu >/dev/null; code=$?; \
                  ls -A disk/run; exit $code";
    let mut shell = std::process::Command::new("unshare");
    shell.args(["-m", "sh", "-c", script, env!("CARGO_BIN_EXE_bures")]);
    place.settle(&mut shell);
    let Ok(output) = shell.output() else { return };
    let outcome = crate::place::Outcome::from(output);
    // Mounting needs rights that few have; the limits of the other tests take the same way through the program.
    if outcome.code == Some(1) && outcome.stderr.starts_with("error: ") {
        outcome.refused("a small file system", 1, "No space left");
        assert!(!outcome.stdout.contains(".tmp") && !outcome.stdout.contains("model"), "{}", outcome.stdout);
    } else {
        assert_ne!(outcome.code, Some(0), "a model of 400 KiB went into 300 KiB");
    }
}

#[test]
fn folders_that_cannot_be_made_or_written() {
    let place = Place::with_tiny();
    place.write("file", b"not a folder");
    for out in ["file", "file/run"] {
        let run = place.run(&format!("train --data tiny.npz -K 2 --epochs 1 --out {out} --adapter cpu"));
        run.refused(out, 1, "cannot");
    }
    place.run("train --data tiny.npz -K 2 --epochs 1 --out run --adapter cpu").ok();
    place.write("x.npy", &crate::place::npy("<f4", "(1, 6)", &[0; 24]));
    for out in ["missing/y.npy", "file/y.npy"] {
        let run = place.run(&format!("predict run/model.safetensors --inputs x.npy --out {out} --adapter cpu"));
        run.refused(out, 1, "cannot create");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let folder = place.path("locked");
        std::fs::create_dir(&folder).expect("a folder");
        let allow = |mode| std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(mode)).expect("rights");
        allow(0o555);
        // The administrator may write everywhere.
        if std::fs::write(folder.join("probe"), b"").is_err() {
            let run = place.run("train --data tiny.npz -K 2 --epochs 1 --out locked/run --adapter cpu");
            run.refused("a read-only folder", 1, "cannot create");
        }
        allow(0o755);
    }
}
