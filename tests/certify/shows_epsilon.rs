//! Adaptive splitting: any relative bound that is asked for is reached on small networks, and what was proved for it holds.

use bures::certify::core::{Prepared, prove};
use bures::certify::{Inputs, Settings, Stop, Subject, run};
use bures::io::{TensorData, Tensors, write_npy_f32};
use bures::nn::Activation;
use bures::reference::philox::Philox;

use crate::core_support::check_proof;

/// Writes a network with wide posteriors and the input 1 into the folder.
fn write(folder: &std::path::Path, widths: &[usize], activation: Activation) -> (Subject, Inputs) {
    let mut random = Philox::new(3, widths.len() as u64);
    let mut file = Tensors::default();
    for (k, pair) in widths.windows(2).enumerate() {
        for (name, shape, spread) in [("weight", &[pair[1], pair[0]][..], 0.4), ("bias", &pair[1..], 0.3)] {
            let count: usize = shape.iter().product();
            let means = (0..count).map(|_| (0.7 * random.normal()) as f32).collect();
            file.insert(format!("layers.{k}.{name}_mean"), shape, TensorData::F32(means));
            file.insert(format!("layers.{k}.{name}_std"), shape, TensorData::F32(vec![spread; count]));
        }
    }
    let (model, input) = (folder.join("net.safetensors"), folder.join("x.npy"));
    file.write(&model).expect("a model");
    write_npy_f32(&input, &[1, widths[0]], &vec![1.0; widths[0]]).expect("an input");
    let subject = Subject::read(&model, Some(activation), None).expect("a subject");
    let given = input.to_str().expect("a name in UTF-8");
    let inputs = Inputs::read(given, None, widths[0], &subject.model.normalize, None).expect("inputs");
    (subject, inputs)
}

#[test]
fn splitting_reaches_what_is_asked() {
    use Activation::{Relu, Tanh};
    let folder = tempfile::tempdir().expect("a folder");
    for (widths, activation, parts) in [
        (&[1, 1, 1][..], Relu, &[0.3, 0.1, 0.03, 0.01, 0.003][..]),
        (&[1, 1, 1], Tanh, &[0.3, 0.1, 0.03, 0.01]),
        (&[1, 1, 1, 1], Relu, &[0.3, 0.1, 0.03]),
        (&[1, 2, 1], Relu, &[0.3, 0.1]),
        (&[1, 2, 1], Tanh, &[0.3]),
        (&[1, 3, 1], Relu, &[0.3]),
    ] {
        let (subject, inputs) = write(folder.path(), widths, activation);
        let certified = |epsilon: Option<f64>| {
            let settings = Settings { epsilon, max_components: 20_000, ..Settings::default() };
            run(&subject, &inputs, &settings, &mut |_| ()).expect("a certificate").certified.remove(0)
        };
        let plain = certified(None).proof.relative_bound;
        let prepared = Prepared::new(&subject.network).expect("a network");
        let mut components = 1;
        for part in parts {
            let epsilon = part * plain;
            let found = certified(Some(epsilon));
            check_proof(&found.proof);
            let (reached, count) = (found.proof.relative_bound / plain, found.proof.mixture.weights.len());
            eprintln!("{widths:?} {activation:?}: {reached:.4} of {plain:.4} for {part} with {count} components");
            assert_eq!(found.stopped, Some(Stop::Epsilon), "{widths:?} {activation:?}: {reached} for {part}");
            assert!(found.proof.relative_bound <= epsilon && count >= components);
            // More is asked, more is spent; and the witness alone proves it again.
            components = count;
            assert_eq!(prove(&prepared, &inputs.row(0), &found.witness).expect("a proof"), found.proof);
        }
        assert!(components > 1);
    }
}
