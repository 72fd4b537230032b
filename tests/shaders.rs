//! Every shader, in every variant, parses, validates with the portable capabilities and translates to SPIR-V, MSL and
//! HLSL. Needs no GPU.
#![cfg(feature = "gpu")]

use bures::gpu::{PipelineSpec, shaders};
use naga::back::{hlsl, msl, spv};
use naga::valid::{Capabilities, ValidationFlags, Validator};

/// Values of every constant that some kernel puts in front of a shader; shaders ignore those that they do not use.
const VARIANTS: &[&[(&str, u32)]] = &[
    &[
        ("LANES", 64),
        ("ROWS", 4),
        ("QUADS", 1),
        ("COLS", 10),
        ("TILED", 1),
        ("OUTS", 9),
        ("SPLITS_FIRST", 1),
        ("MODE", 0),
        ("AFFINE", 0),
        ("BYTES", 1),
    ],
    &[
        ("LANES", 8),
        ("ROWS", 16),
        ("QUADS", 4),
        ("COLS", 3),
        ("TILED", 0),
        ("OUTS", 1),
        ("SPLITS_FIRST", 0),
        ("MODE", 1),
        ("AFFINE", 1),
        ("BYTES", 0),
    ],
    &[
        ("LANES", 32),
        ("ROWS", 4),
        ("QUADS", 1),
        ("COLS", 12),
        ("TILED", 0),
        ("OUTS", 10),
        ("SPLITS_FIRST", 1),
        ("MODE", 2),
        ("AFFINE", 2),
        ("BYTES", 1),
    ],
    &[
        ("LANES", 64),
        ("ROWS", 4),
        ("QUADS", 1),
        ("COLS", 10),
        ("TILED", 1),
        ("OUTS", 100),
        ("SPLITS_FIRST", 1),
        ("MODE", 3),
        ("AFFINE", 2),
        ("BYTES", 0),
    ],
];

#[test]
fn every_shader_is_portable() {
    let mut count = 0;
    for name in shaders::names() {
        for consts in VARIANTS {
            let source = PipelineSpec::new(name, consts).source().expect("a registered shader has a text");
            translate(name, &source);
            count += 1;
        }
    }
    assert!(count >= VARIANTS.len() * 20, "only {count} shaders are registered");
}

fn translate(name: &str, source: &str) {
    let module =
        naga::front::wgsl::parse_str(source).unwrap_or_else(|e| panic!("{name}: {}", e.emit_to_string(source)));
    let info = Validator::new(ValidationFlags::all(), Capabilities::empty())
        .validate(&module)
        .unwrap_or_else(|e| panic!("{name}: {}", e.emit_to_string(source)));
    spv::write_vec(&module, &info, &spv::Options::default(), None).unwrap_or_else(|e| panic!("{name} to SPIR-V: {e}"));
    let options = msl::Options { fake_missing_bindings: true, ..Default::default() };
    msl::write_string(&module, &info, &options, &msl::PipelineOptions::default())
        .unwrap_or_else(|e| panic!("{name} to MSL: {e}"));
    let options = hlsl::Options { fake_missing_bindings: true, ..Default::default() };
    let mut text = String::new();
    hlsl::Writer::new(&mut text, &options, &hlsl::PipelineOptions::default())
        .write(&module, &info, None)
        .unwrap_or_else(|e| panic!("{name} to HLSL: {e}"));
}

/// At most 8 storage buffers: WebGPU's default limit.
#[test]
fn storage_buffers_stay_within_the_default_limit() {
    for name in shaders::names() {
        let text = shaders::resolved(name).expect("a registered shader has a text");
        let buffers = text.matches("var<storage").count();
        assert!(buffers <= 8, "{name} binds {buffers} storage buffers");
    }
}
