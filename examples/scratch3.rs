//! scratch
use faer::*;
use std::time::Instant;
fn time(name: &str, flops: f64, mut f: impl FnMut()) {
    for _ in 0..50 {
        f();
    }
    let mut best = f64::MAX;
    for _ in 0..10 {
        let t = Instant::now();
        for _ in 0..50 {
            f();
        }
        best = best.min(t.elapsed().as_secs_f64() / 50.0);
    }
    println!("{name:40} {:.4} ms {:.1} GF", best * 1e3, flops / best * 1e-9);
}
fn mm(m: usize, n: usize, k: usize, mode: u8) {
    let a = vec![0.5f32; m * k];
    let b = vec![0.25f32; n * k];
    let mut c = vec![0f32; m * n];
    time(&format!("{m}x{n}x{k} mode {mode}"), 2.0 * (m * n * k) as f64, || {
        // mode bit0: lhs stored transposed (k x m); bit1: rhs stored (k x n) [else n x k]; bit2: dst col-major
        let lhs = if mode & 1 == 0 {
            MatRef::from_row_major_slice(&a, m, k)
        } else {
            MatRef::from_column_major_slice(&a, m, k)
        };
        let rhs = if mode & 2 == 0 {
            MatRef::from_column_major_slice(&b, k, n)
        } else {
            MatRef::from_row_major_slice(&b, k, n)
        };
        let dst = if mode & 4 == 0 {
            MatMut::from_row_major_slice_mut(&mut c, m, n)
        } else {
            MatMut::from_column_major_slice_mut(&mut c, m, n)
        };
        linalg::matmul::matmul(dst, Accum::Replace, lhs, rhs, 1.0, Par::Seq);
    });
}
fn main() {
    println!("forward m,c: x[64,784] w[n,784]");
    for n in [50, 100, 200, 220] {
        for mode in [0, 4, 1, 5, 2, 6] {
            mm(64, n, 784, mode);
        }
    }
    println!("s2");
    for n in [5, 10, 20] {
        for mode in [0, 4] {
            mm(64, n, 784, mode);
        }
    }
    println!("backward: coef[64,n]^T x[64,784] -> [n,784]");
    for n in [50, 100, 200] {
        for mode in [3, 7, 2, 6] {
            mm(n, 784, 64, mode);
        }
    }
    for n in [5, 10, 20] {
        for mode in [3, 7] {
            mm(n, 784, 64, mode);
        }
    }
    let m: Vec<f32> = (0..1280).map(|i| (i as f32 - 640.0) / 300.0).collect();
    let mut s = 0.0;
    time("moments 1280", 1280.0, || {
        for &m in &m {
            s += bures::reference::normal::relu_moments(m, 1.0f32).a;
        }
    });
    println!("{s}");
}
