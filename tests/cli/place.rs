//! A scratch folder to run the program in, and small files to feed it.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

pub(crate) use crate::files::{f32s, gzip, i64s, idx, npy};

/// What a finished program left.
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("text in UTF-8");
        let stderr = text(output.stderr);
        // Mesa's device selection asks for Wayland and says so itself where there is none.
        let stderr = stderr.lines().filter(|l| !l.contains("XDG_RUNTIME_DIR")).map(|l| format!("{l}\n")).collect();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr }
    }
}

impl Outcome {
    /// Asserts success.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{}{}", self.stdout, self.stderr);
        self
    }

    /// The one object on standard output.
    #[track_caller]
    pub(crate) fn json(self) -> serde_json::Value {
        let outcome = self.ok();
        assert_eq!(outcome.stdout.lines().count(), 1, "{}", outcome.stdout);
        serde_json::from_str(&outcome.stdout).expect("JSON on standard output")
    }

    /// Asserts the exit code and one clear error line, perhaps with indented advice below, that holds `words`.
    #[track_caller]
    pub(crate) fn refused(&self, case: &str, code: i32, words: &str) {
        let Self { stderr, stdout, .. } = self;
        assert_eq!(self.code, Some(code), "{case}: {stdout}{stderr}");
        assert!(!stderr.contains("panicked"), "{case}: {stderr}");
        let mut lines = stderr.lines();
        let first = lines.next().unwrap_or_default();
        assert!(first.starts_with("error: "), "{case}: {stderr}");
        assert!(stderr.contains(words), "{case}: no {words:?} in {stderr}");
        // The parser of arguments adds paragraphs on usage of its own.
        let usage = stderr.contains("For more information, try '--help'");
        assert!(usage || lines.all(|line| line.starts_with("  ")), "{case}: more than a line: {stderr}");
    }
}

/// A scratch folder, removed at the end.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a scratch folder") }
    }

    /// A folder that holds `tiny.npz`.
    pub(crate) fn with_tiny() -> Self {
        let place = Self::new();
        place.write("tiny.npz", &npz(&tiny()));
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, contents: &[u8]) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, contents).expect("a file");
    }

    #[track_caller]
    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|why| panic!("{name}: {why}"))
    }

    /// The program, in this folder, with arguments separated by blanks.
    pub(crate) fn command(&self, args: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bures"));
        command.args(args.split_whitespace());
        self.settle(&mut command);
        command
    }

    /// Runs `command` here and without what the surroundings say about data.
    pub(crate) fn settle(&self, command: &mut Command) {
        command.current_dir(self.folder.path()).env_remove("BURES_DATA").stdin(Stdio::null());
    }

    pub(crate) fn run(&self, args: &str) -> Outcome {
        self.command(args).output().expect("the program runs").into()
    }

    /// The lines of a metrics file without the time they took.
    #[track_caller]
    pub(crate) fn metrics(&self, run: &str) -> Vec<serde_json::Value> {
        let text = String::from_utf8(self.read(&format!("{run}/metrics.jsonl"))).expect("text");
        let line = |line: &str| {
            let mut line: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
            line.as_object_mut().expect("an object").remove("seconds").expect("seconds");
            line
        };
        text.lines().map(line).collect()
    }

    /// The training losses of a run, in order.
    pub(crate) fn losses(&self, run: &str) -> Vec<f64> {
        let lines = self.metrics(run);
        let train = lines.iter().filter(|line| line["split"] == "train");
        train.map(|line| line["loss"].as_f64().expect("a loss")).collect()
    }

    /// Every file below the folder, but for `tiny.npz`.
    pub(crate) fn files(&self) -> Vec<String> {
        let (mut found, mut folders) = (Vec::new(), vec![self.folder.path().to_owned()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
                let path = entry.path();
                let name = path.strip_prefix(self.folder.path()).expect("below").display().to_string();
                if path.is_dir() {
                    folders.push(path);
                } else if name != "tiny.npz" {
                    found.push(name);
                }
            }
        }
        found.sort();
        found
    }
}

/// Arguments that choose an executor: the CPU, and the software adapter where this build has GPU code.
pub(crate) fn executors() -> Vec<&'static str> {
    static SOFTWARE: OnceLock<bool> = OnceLock::new();
    let has = *SOFTWARE.get_or_init(|| {
        let info = Place::new().run("info --json").json();
        let adapters = info["adapters"].as_array().expect("adapters").clone();
        adapters.iter().any(|adapter| adapter["kind"] == "software adapter")
    });
    if !cfg!(feature = "gpu") {
        return vec!["--adapter cpu"];
    }
    if !has {
        // On Linux `make test` installs it: its absence must not pass for a test that ran.
        if cfg!(target_os = "linux") {
            panic!("the software adapter is missing (Debian: mesa-vulkan-drivers libvulkan1)");
        }
        crate::skip::skip("no software adapter");
        return vec!["--adapter cpu"];
    }
    vec!["--adapter cpu", "--software"]
}

pub(crate) type Arrays = Vec<(&'static str, Vec<u8>)>;

/// Three well separated classes in six dimensions: 190 rows to learn from, 60 to test.
pub(crate) fn tiny() -> Arrays {
    let (x_train, y_train) = blobs(190, 1);
    let (x_test, y_test) = blobs(60, 2);
    vec![
        ("x_train", npy("<f4", "(190, 6)", &f32s(&x_train))),
        ("y_train", npy("<i8", "(190,)", &i64s(&y_train))),
        ("x_test", npy("<f4", "(60, 6)", &f32s(&x_test))),
        ("y_test", npy("<i8", "(60,)", &i64s(&y_test))),
    ]
}

/// Rows around three corners, and which corner.
pub(crate) fn blobs(n: usize, seed: u64) -> (Vec<f32>, Vec<i64>) {
    let mut random = bures::reference::philox::Philox::new(seed, 0);
    let labels: Vec<i64> = (0..n).map(|i| (i % 3) as i64).collect();
    let corner = |label: i64, j: usize| if j % 3 == label as usize { 2.0 } else { -0.5 };
    let row = |&label: &i64| (0..6).map(move |j| (label, j)).collect::<Vec<_>>();
    let x = labels.iter().flat_map(row).map(|(label, j)| (corner(label, j) + 0.6 * random.normal()) as f32).collect();
    (x, labels)
}

/// A packed `.npz` archive.
pub(crate) fn npz(arrays: &Arrays) -> Vec<u8> {
    crate::files::npz(arrays, zip::CompressionMethod::Deflated)
}

/// [`tiny`] with one array replaced.
pub(crate) fn tiny_with(name: &'static str, array: Vec<u8>) -> Vec<u8> {
    let mut arrays = tiny();
    for (of, bytes) in &mut arrays {
        if *of == name {
            bytes.clone_from(&array);
        }
    }
    npz(&arrays)
}
