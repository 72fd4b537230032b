//! The tight method against golden values.

use bures::certify::core::{Prepared, prove};

use bures::data::{Features, LoadOptions, load};

use crate::core_support::{Golden, check_proof, distance, fixtures, plain_witness};

#[test]
fn mnist_network_agrees_with_the_golden_values() {
    let Some(folder) = fixtures() else { return };
    let network = Golden::read(folder.join("nets/mnist_2x128_relu_vi.safetensors")).network("", "relu", 0.0);
    let golden = Golden::read(folder.join("mnist_2x128.safetensors"));
    let prepared = Prepared::new(&network).expect("a network");
    for (point, input) in golden.floats("X").chunks_exact(784).enumerate() {
        let proof = prove(&prepared, input, &plain_witness(&network)).expect("a proof");
        check_proof(&proof);
        let want = golden.floats(&format!("pt{point}.LG.bound"))[0];
        eprintln!("{point}: {:e} golden {want:e} relative {:e} {:?}", proof.bound, proof.relative_bound, proof.terms);
        let mean = distance(&proof.mixture.means, &golden.floats(&format!("pt{point}.LG.mean")));
        let covariance = distance(&proof.mixture.covariances, &golden.floats(&format!("pt{point}.LG.cov")));
        assert!(mean <= 1e-9 && covariance <= 1e-9, "{mean:e}, {covariance:e}");
        assert!(proof.bound <= want, "{} above {want}", proof.bound);
    }
}

#[test]
fn tiny_networks_agree_with_the_golden_values() {
    let Some(folder) = fixtures() else { return };
    let golden = Golden::read(folder.join("tiny_net.safetensors"));
    for activation in ["relu", "tanh"] {
        let network = golden.network(&format!("{activation}.net."), activation, 0.0);
        let prepared = Prepared::new(&network).expect("a network");
        let input = &golden.floats(&format!("{activation}.X"))[..2];
        let proof = prove(&prepared, input, &plain_witness(&network)).expect("a proof");
        check_proof(&proof);
        let want = golden.floats(&format!("{activation}.single.LG.bound"))[0];
        eprintln!("{activation}: {:e} golden {want:e} {:?}", proof.bound, proof.terms);
        eprintln!("{:?}", golden.floats(&format!("{activation}.single.LG.parts_trR_noise_T")));
        let mean = distance(&proof.mixture.means, &golden.floats(&format!("{activation}.single.LG.mean")));
        let covariance = distance(&proof.mixture.covariances, &golden.floats(&format!("{activation}.single.LG.cov")));
        assert!(mean <= 1e-9 && covariance <= 1e-9, "{mean:e}, {covariance:e}");
        assert!(proof.bound <= want, "{} above {want}", proof.bound);
    }
}

/// The first thousand test images: what issue 3 asks of the tight method.
#[test]
fn mnist_bounds_are_small() {
    let Some(folder) = fixtures() else { return };
    if crate::skip::folder_or_skip("BURES_DATA").is_none() {
        return;
    }
    let network = Golden::read(folder.join("nets/mnist_2x128_relu_vi.safetensors")).network("", "relu", 0.0);
    let prepared = Prepared::new(&network).expect("a network");
    let data = load("mnist", &LoadOptions::default()).expect("MNIST");
    let Features::U8(pixels) = &data.test.features else { panic!("pixels") };
    let start = std::time::Instant::now();
    let relative = |image: &[u8]| {
        let input: Vec<f64> = image.iter().map(|&v| f64::from(f32::from(v) / 255.0)).collect();
        prove(&prepared, &input, &plain_witness(&network)).expect("a proof").relative_bound
    };
    let mut bounds: Vec<f64> = pixels.chunks_exact(784).take(1000).map(relative).collect();
    eprintln!("1000 inputs: {:?}", start.elapsed());
    bounds.sort_by(f64::total_cmp);
    eprintln!("median {} worst {}", bounds[500], bounds[999]);
    assert!(bounds[500] <= 0.0075, "median {}", bounds[500]);
}
