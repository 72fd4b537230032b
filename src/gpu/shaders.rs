//! The text of every shader, embedded in the program, with includes resolved.

/// Line that pulls in another file of `shaders/`: `//!include common/normal.wgsl`.
const INCLUDE: &str = "//!include ";

macro_rules! registry {
    ($($name:literal),* $(,)?) => {
        /// Every shader with its text, by file name without `.wgsl`; those in `common/` are only included.
        const FILES: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../shaders/", $name, ".wgsl")))),*];
    };
}

registry![
    "common/activation",
    "common/activation_backward",
    "common/dense",
    "common/gm",
    "common/gm_coefficients",
    "common/gm_output",
    "common/gm_tiles",
    "common/grid",
    "common/normal",
    "common/optimizer",
    "common/softmax",
    "common/unit_norm",
    "dense_backward",
    "dense_forward",
    "dense_input_gradient",
    "gather_copies",
    "gather_rows",
    "gm_coefficients",
    "gm_contract",
    "gm_forward",
    "gm_head",
    "gm_input_gradient",
    "gm_output",
    "gm_reduce",
    "gm_update",
    "logistic",
    "loss_total",
    "optimizer",
    "philox",
    "relu",
    "relu_backward",
    "relu_moments",
    "squared",
    "tanh",
    "tanh_backward",
    "unit_norm",
    "unit_norm_backward",
];

/// Names of the shaders that have an entry point.
pub fn names() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, _)| *name).filter(|name| !name.starts_with("common/"))
}

/// The text of `name` with its includes in place, or `None` where it, or one that it includes, does not exist.
pub fn resolved(name: &str) -> Option<String> {
    let mut text = String::new();
    for line in raw(name)?.lines() {
        match line.strip_prefix(INCLUDE) {
            Some(file) => text.push_str(&resolved(file.trim().strip_suffix(".wgsl")?)?),
            None => text.push_str(line),
        }
        text.push('\n');
    }
    Some(text)
}

fn raw(name: &str) -> Option<&'static str> {
    FILES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
