//! scratch
use faer::*;
fn main() {
    let mut rng = bures::reference::philox::Philox::new(1, 0);
    let mut bad = std::collections::BTreeMap::new();
    for case in 0..2000 {
        let (m, n, k) = (1 + rng.below(130) as usize, 1 + rng.below(130) as usize, 1 + rng.below(200) as usize);
        let kind = rng.below(3);
        let guard = 400000;
        let ld = n + rng.below(9) as usize;
        let a: Vec<f32> = (0..m * k).map(|_| rng.uniform() as f32).collect();
        let b: Vec<f32> = (0..k * n).map(|_| rng.uniform() as f32).collect();
        let len = (m - 1) * ld + n;
        let mut out = vec![-7f32; len + 2 * guard];
        {
            let (_, rest) = out.split_at_mut(guard);
            let (d, _) = rest.split_at_mut(len);
            // row-major with stride, via subslice padded
            let mut dd = d.to_vec();
            dd.resize(m * ld, 0.0);
            let _ = dd;
        }
        let am = |i: usize, l: usize| a[i * k + l];
        let bm = |l: usize, j: usize| b[l * n + j];
        let at: Vec<f32> = (0..k * m).map(|x| am(x % m, x / m)).collect();
        let bt: Vec<f32> = (0..k * n).map(|x| bm(x % k, x / k)).collect();
        let lhs = if kind == 1 {
            MatRef::from_row_major_slice(&at, k, m).transpose()
        } else {
            MatRef::from_row_major_slice(&a, m, k)
        };
        let rhs = if kind == 0 {
            MatRef::from_row_major_slice(&bt, n, k).transpose()
        } else {
            MatRef::from_row_major_slice(&b, k, n)
        };
        let full = m * ld;
        let mut buf = vec![-7f32; full + 2 * guard];
        let dst =
            MatMut::from_column_major_slice_with_stride_mut(&mut buf[guard..guard + full], n, m, ld).transpose_mut();
        linalg::matmul::matmul(dst, Accum::Replace, lhs, rhs, 1.0f32, Par::Seq);
        let mut ok = true;
        for (i, &v) in buf.iter().enumerate() {
            let inside = i >= guard && i < guard + full && (i - guard) % ld < n;
            if !inside && v != -7.0 {
                ok = false;
            }
        }
        let mut err = false;
        for i in 0..m {
            for j in 0..n {
                let s: f64 = (0..k).map(|l| am(i, l) as f64 * bm(l, j) as f64).sum();
                if (buf[guard + i * ld + j] as f64 - s).abs() > 1e-3 * s.abs().max(1.0) {
                    err = true;
                }
            }
        }
        if !ok || err {
            let e = bad.entry((kind, ok, err)).or_insert((0, (m, n, k, ld)));
            e.0 += 1;
            e.1 = e.1.min((m, n, k, ld));
        }
        let _ = case;
    }
    println!("{bad:?}");
}
