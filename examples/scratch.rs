//! scratch
use bures::reference::*;
use bures::shape::GmDims;
use std::time::Instant;
fn main() {
    rayon::scope(|_| run())
}
fn run() {
    let dims = GmDims { runs: 1, batch: 64, components: 20, inputs: 784, outputs: 9 };
    let mut rng = philox::Philox::new(0, 0);
    let data: Vec<u8> = (0..6000 * 784).map(|_| (rng.next_u32() & 255) as u8).collect();
    let mut params: Vec<f32> = (0..dims.params_len()).map(|_| 0.15 * rng.normal() as f32).collect();
    let mut x = vec![0f32; dims.x_len()];
    let mut h = vec![0f32; dims.h_len()];
    let mut dh = h.clone();
    let mut grads = params.clone();
    let mut ws = gm_layer::Workspace::new(dims);
    let labels: Vec<u32> = (0..64).map(|_| rng.below(10)).collect();
    let (mut m1, mut m2) = (vec![0f32; params.len()], vec![0f32; params.len()]);
    let n = 1000;
    let mut t = [0f64; 6];
    let groups = [optimizer::Group { range: 0..dims.params_len(), rate: 1e-4, l2: 1e-5 }];
    for step in 0..n + 100 {
        if step == 100 {
            t = [0.0; 6];
        }
        let idx: Vec<u32> = (0..64).map(|_| rng.below(6000)).collect();
        let mut c = Instant::now();
        let mut lap = |i: usize| {
            t[i] += c.elapsed().as_secs_f64();
            c = Instant::now();
        };
        gather::rows(
            784,
            gather::Rows::Bytes(&data),
            gather::Affine::Global { scale: 0.0127, shift: -0.42 },
            &idx,
            &mut x,
        )
        .unwrap();
        lap(0);
        gm_layer::forward(&x, &params, &mut ws, &mut h).unwrap();
        lap(1);
        let ld = loss::LossDims { runs: 1, batch: 64, outputs: 9, valid: 64 };
        loss::logistic(ld, true, &h, &labels, &mut dh, &mut [0.0], &mut [0]).unwrap();
        lap(2);
        gm_layer::backward(&x, &params, &dh, &mut ws, &mut grads, None).unwrap();
        lap(3);
        optimizer::sgd(dims.params_len(), &groups, &mut params, &grads, None).unwrap();
        lap(4);
        optimizer::adam(
            dims.params_len(),
            &groups,
            Default::default(),
            step as u64 + 1,
            &mut params,
            &grads,
            &mut m1,
            &mut m2,
        )
        .unwrap();
        lap(5);
    }
    println!("gather {:.3} fwd {:.3} loss {:.3} bwd {:.3} sgd {:.3} adam {:.3} ms", t[0], t[1], t[2], t[3], t[4], t[5]);
}
