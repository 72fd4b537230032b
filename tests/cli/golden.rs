//! Training, evaluation and prediction against golden values computed independently in f64.

use bures::data::{Features, LoadOptions, Normalization, load};
use bures::io::{Tensor, TensorData, Tensors};
use bures::nn::{Covariance, LayerSpec, Model, NetworkSpec, Provenance, Weights};

use crate::place::{Place, executors, i64s, npy};
use crate::skip::folder_or_skip;

struct Golden {
    tensors: Tensors,
    data: std::path::PathBuf,
}

impl Golden {
    fn read(name: &str) -> Option<Self> {
        let (fixtures, data) = (folder_or_skip("BURES_FIXTURES")?, folder_or_skip("BURES_DATA")?);
        let tensors = Tensors::read(fixtures.join("gm").join(name)).expect("a fixture");
        Some(Self { tensors, data: data.canonicalize().expect("a folder") })
    }

    fn tensor(&self, name: &str) -> &Tensor {
        self.tensors.tensors.get(name).unwrap_or_else(|| panic!("no tensor {name}"))
    }

    fn f64s(&self, name: &str) -> Vec<f64> {
        match &self.tensor(name).data {
            TensorData::F64(values) => values.clone(),
            TensorData::F32(values) => values.iter().map(|&x| f64::from(x)).collect(),
            other => panic!("{name}: {other:?}"),
        }
    }

    fn i64s(&self, name: &str) -> Vec<i64> {
        match &self.tensor(name).data {
            TensorData::I64(values) => values.clone(),
            other => panic!("{name}: {other:?}"),
        }
    }

    /// The GM layer of the tensors `mu… sigma… U… v…` as bare tensors.
    fn bare(&self, suffix: &str) -> Tensors {
        let mut file = Tensors::default();
        for (name, of) in [("mu", "mu"), ("sigma", "sigma"), ("u", "U"), ("v", "v")] {
            let of = format!("{of}{suffix}");
            let values = self.f64s(&of).iter().map(|&x| x as f32).collect();
            file.insert(format!("layers.0.{name}"), &self.tensor(&of).shape, TensorData::F32(values));
        }
        file
    }

    fn run(&self, place: &Place, args: &str) -> crate::place::Outcome {
        place.command(args).env("BURES_DATA", &self.data).output().expect("the program runs").into()
    }
}

/// The same as a model file of bures.
fn described(bare: &Tensors, normalize: Normalization) -> Model {
    let &[components, outputs, inputs] = &bare.tensors["layers.0.u"].shape[..] else { panic!("u") };
    let layer =
        LayerSpec::Gm { components, inputs, outputs, covariance: Covariance::Diagonal, weights: Weights::Equal };
    let mut flat = vec![0.0; layer.params_len()];
    for tensor in layer.tensors() {
        let TensorData::F32(values) = &bare.tensors[&format!("layers.0.{}", tensor.name)].data else { panic!("f32") };
        tensor.pack(values, &mut flat);
    }
    Model {
        spec: NetworkSpec { layers: vec![layer] },
        classes: Some(outputs + 1),
        normalize,
        targets: None,
        provenance: Provenance::default(),
        params: vec![flat],
    }
}

/// 200 steps of SGD on MNIST. Losses agree to 1e-5; parameters to 2e-5 of their tensor's largest value (an independent
/// f32 run is 5e-6 away in σ, 2e-6 elsewhere).
#[test]
fn two_hundred_steps_follow_the_golden_trajectory() {
    let Some(golden) = Golden::read("sgd_mnist_K5.safetensors") else { return };
    let place = Place::new();
    let start = golden.bare("0");
    start.write(place.path("bare.safetensors")).expect("a file");
    described(&start, Normalization::None).write(place.path("bures.safetensors")).expect("a file");
    place.write("order.npy", &npy("<i8", "(200, 64)", &i64s(&golden.i64s("indices"))));
    for (run, executor) in executors().into_iter().enumerate() {
        for start in ["bare", "bures"] {
            let out = format!("{start}-{run}");
            let args = format!(
                "train {executor} --init {start}.safetensors --data mnist --order order.npy --normalize per-image \
                 --max-steps 200 --log-every 1 --recipe paper --out {out}"
            );
            golden.run(&place, &args).ok();
            let (got, want) = (place.losses(&out), golden.f64s("loss_f64"));
            assert_eq!(got.len(), 200);
            for (step, (got, want)) in got.iter().zip(&want).enumerate() {
                assert!((got - want).abs() <= 1e-5 * want.abs(), "{executor} {start}, step {step}: {got} not {want}");
            }
            let model = Tensors::read(place.path(&out).join("model.safetensors")).expect("a model");
            for (name, of) in [("mu", "mu_final"), ("sigma", "sigma_final"), ("u", "U_final"), ("v", "v_final")] {
                let TensorData::F32(got) = &model.tensors[&format!("layers.0.{name}")].data else { panic!("f32") };
                let want = golden.f64s(of);
                let largest = want.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
                let worst = got.iter().zip(&want).map(|(&g, w)| (f64::from(g) - w).abs()).fold(0.0, f64::max);
                assert!(worst <= 2e-5 * largest, "{executor} {start}: {name} is off by {worst:e} of {largest}");
            }
        }
    }
}

#[test]
fn a_trained_model_is_evaluated_and_predicts() {
    let Some(golden) = Golden::read("gm_trained_K20.safetensors") else { return };
    let place = Place::new();
    described(&golden.bare(""), Normalization::PerImage).write(place.path("model.safetensors")).expect("a file");
    let data = load("mnist", &LoadOptions { folders: vec![golden.data.clone()], ..LoadOptions::default() });
    let Features::U8(pixels) = data.expect("MNIST").test.features else { panic!("pixels are bytes") };
    place.write("x.npy", &npy("|u1", "(256, 28, 28)", &pixels[..256 * 784]));
    // Where two logits all but tie, rounding to f32 may turn the class; logits agree to 1e-4 as below.
    let near = golden.f64s("margin").iter().filter(|&&margin| margin < 2e-4).count() as f64;
    for executor in executors() {
        let result = golden.run(&place, &format!("eval model.safetensors --data mnist --json {executor}")).json();
        let wrong = (result["error"].as_f64().expect("an error") * 10_000.0).round();
        let want = golden.i64s("test_errors")[0] as f64;
        assert!((wrong - want).abs() <= near, "{executor}: {wrong} errors, not {want}");
        let (loss, want) = (result["loss"].as_f64().expect("a loss"), golden.f64s("test_loss")[0]);
        assert!((loss - want).abs() <= 1e-5 * want, "{executor}: loss {loss}, not {want}");
        golden.run(&place, &format!("predict model.safetensors --inputs x.npy --out y.npy {executor}")).ok();
        let y = bures::io::read_npy(place.path("y.npy")).expect("outputs");
        assert_eq!(y.shape, [256, 9]);
        let y = y.finite_f32(&place.path("y.npy"), "outputs").expect("floats");
        for (i, (&got, want)) in y.iter().zip(golden.f64s("h_first256")).enumerate() {
            assert!((f64::from(got) - want).abs() <= 1e-4, "{executor}: logit {i} is {got}, not {want}");
        }
    }
}
