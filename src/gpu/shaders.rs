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
    "common/batch_norm",
    "common/clusters",
    "common/conv",
    "common/conv_tile",
    "common/dense",
    "common/eigen_scale",
    "common/gm",
    "common/gm_coefficients",
    "common/gm_output",
    "common/gm_root",
    "common/gm_root_rows",
    "common/gm_tiles",
    "common/gm_weights",
    "common/grid",
    "common/hestenes",
    "common/identity_orders",
    "common/max_pool",
    "common/normal",
    "common/normals",
    "common/optimizer",
    "common/pairs",
    "common/philox",
    "common/propagation",
    "common/relu_orders",
    "common/softmax",
    "common/tanh_orders",
    "common/unit_norm",
    "activation_moments",
    "assign_clusters",
    "augment",
    "conv_forward",
    "conv_total",
    "conv_turn",
    "conv_weights",
    "dense_backward",
    "dense_forward",
    "dense_input_gradient",
    "dropout",
    "eigen_finish",
    "eigen_start",
    "eigen_sweep",
    "gather_copies",
    "gather_rows",
    "gaussian_draws",
    "gaussian_w2_diagonal",
    "gaussian_w2_finish",
    "gaussian_w2_start",
    "gm_coefficients",
    "gm_contract",
    "gm_forward",
    "gm_head",
    "gm_input_gradient",
    "gm_output",
    "gm_reduce",
    "gm_root_coefficients",
    "gm_root_gradient",
    "gm_root_input_gradient",
    "gm_root_project",
    "gm_root_sums",
    "gm_update",
    "gm_weigh",
    "gm_weight_gradient",
    "logistic",
    "loss_total",
    "max_pool",
    "max_pool_backward",
    "merge_covariances",
    "merge_means",
    "norm_apply",
    "norm_input_gradient",
    "norm_running",
    "norm_statistics",
    "norm_sums",
    "optimizer",
    "philox",
    "propagation_covariance",
    "propagation_half",
    "relu",
    "relu_backward",
    "relu_moments",
    "shift_columns",
    "signature",
    "simplex_step",
    "singular_sweep",
    "squared",
    "stochastic_law",
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
