//! Small networks and inputs to certify.

use bures::io::{TensorData, Tensors};
use bures::reference::philox::Philox;

use crate::place::{Place, f32s, npy};

/// Widths of the network that most tests use.
pub(crate) const WIDTHS: [usize; 4] = [3, 5, 4, 2];

/// Tensors `layers.i.{weight,bias}_{mean,std}` of a network with these widths.
pub(crate) fn network(widths: &[usize], seed: u64) -> Tensors {
    let mut random = Philox::new(seed, 0);
    let mut file = Tensors::default();
    for (i, pair) in widths.windows(2).enumerate() {
        let [inputs, outputs] = [pair[0], pair[1]];
        for (name, shape) in [("weight", &[outputs, inputs][..]), ("bias", &[outputs])] {
            let count: usize = shape.iter().product();
            let mean = (0..count).map(|_| (0.7 * random.normal()) as f32).collect();
            let std = (0..count).map(|_| (0.1 * random.uniform()) as f32).collect();
            file.insert(format!("layers.{i}.{name}_mean"), shape, TensorData::F32(mean));
            file.insert(format!("layers.{i}.{name}_std"), shape, TensorData::F32(std));
        }
    }
    file
}

pub(crate) fn write(place: &Place, name: &str, file: &Tensors) {
    file.write(place.path(name)).expect("a file");
}

/// `n` rows of three numbers.
pub(crate) fn rows(n: usize) -> Vec<u8> {
    let mut random = Philox::new(9, 0);
    let values: Vec<f32> = (0..3 * n).map(|_| random.normal() as f32).collect();
    npy("<f4", &format!("({n}, 3)"), &f32s(&values))
}

/// A folder with `net.safetensors` and the seven rows of `x.npy`.
pub(crate) fn place() -> Place {
    let place = Place::new();
    write(&place, "net.safetensors", &network(&WIDTHS, 1));
    place.write("x.npy", &rows(7));
    place
}

/// What certifies them.
pub(crate) const CERTIFY: &str = "certify net.safetensors --activation relu --inputs x.npy";
