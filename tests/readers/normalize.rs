//! Normalisation: fitted in f64, stored as JSON, applied row by row.

use bures::data::{Features, Normalization, NormalizationKind, TargetScale};

#[test]
fn global_and_per_feature_on_known_numbers() {
    let features = Features::F32(vec![1.0, 5.0, 3.0, 5.0]);
    let global = Normalization::fit(NormalizationKind::Global, &features, 2);
    let Normalization::Global { mean, std } = global else { panic!("wrong kind") };
    assert!((mean - 3.5).abs() < 1e-15 && (std - 2.75f64.sqrt()).abs() < 1e-15);
    let columns = Normalization::fit(NormalizationKind::PerFeature, &features, 2);
    assert_eq!(columns, Normalization::PerFeature { mean: vec![2.0, 5.0], std: vec![1.0, 0.0] });
    let mut row = [3.0, 9.0];
    columns.apply(&mut row);
    assert_eq!(row, [1.0, 0.0], "a constant column gives 0");
}

#[test]
fn pixels_are_divided_by_255_first() {
    let features = Features::U8(vec![0, 255]);
    let global = Normalization::fit(NormalizationKind::Global, &features, 1);
    assert_eq!(global, Normalization::Global { mean: 0.5, std: 0.5 });
    assert_eq!(features.row(1, 1), Some(vec![1.0]));
    assert_eq!(features.row(2, 1), None);
}

#[test]
fn per_image_uses_the_rows_own_moments() {
    let mut row = [1.0, 2.0, 3.0, 4.0];
    Normalization::PerImage.apply(&mut row);
    let root = 1.25f32.sqrt();
    for (x, want) in row.iter().zip([-1.5, -0.5, 0.5, 1.5]) {
        assert!((x - want / root).abs() < 1e-6);
    }
    let mut constant = [0.1; 784];
    Normalization::PerImage.apply(&mut constant);
    assert_eq!(constant, [0.0; 784]);
}

#[test]
fn stored_as_the_documented_json() {
    let global = Normalization::Global { mean: 0.1307, std: 0.3081 };
    let text = serde_json::to_string(&global).unwrap();
    assert_eq!(text, r#"{"kind":"global","mean":0.1307,"std":0.3081}"#);
    assert_eq!(serde_json::from_str::<Normalization>(&text).unwrap(), global);
    assert_eq!(serde_json::to_string(&Normalization::PerImage).unwrap(), r#"{"kind":"per-image"}"#);
    assert_eq!(serde_json::to_string(&Normalization::None).unwrap(), r#"{"kind":"none"}"#);
    let scale = TargetScale { mean: vec![1.0], std: vec![2.0] };
    assert_eq!(serde_json::to_string(&scale).unwrap(), r#"{"mean":[1.0],"std":[2.0]}"#);
    for kind in ["none", "global", "per-image", "per-feature"] {
        assert!(kind.parse::<NormalizationKind>().is_ok());
    }
    assert!("batch".parse::<NormalizationKind>().unwrap_err().to_string().contains("per-image"));
}

#[test]
fn refuses_stored_numbers_that_cannot_be_used() {
    let bad = [
        Normalization::Global { mean: f64::NAN, std: 1.0 },
        Normalization::Global { mean: 0.0, std: -1.0 },
        Normalization::PerFeature { mean: vec![0.0], std: vec![1.0] },
        Normalization::PerFeature { mean: vec![0.0, 0.0], std: vec![1.0] },
    ];
    assert!(bad.iter().all(|n| n.validate(2).is_err()));
    assert!(Normalization::PerFeature { mean: vec![0.0; 2], std: vec![0.0; 2] }.validate(2).is_ok());
    assert!(TargetScale { mean: vec![0.0], std: vec![0.0] }.validate(1).is_err());
}

#[test]
fn targets_go_there_and_back() {
    let values = [1.0, 10.0, 3.0, 10.0];
    let scale = TargetScale::fit(&values, 2);
    assert_eq!(scale, TargetScale { mean: vec![2.0, 10.0], std: vec![1.0, 1.0] });
    let mut copy = values;
    scale.apply(&mut copy);
    assert_eq!(copy, [-1.0, 0.0, 1.0, 0.0]);
    scale.restore(&mut copy);
    assert_eq!(copy, values);
}
