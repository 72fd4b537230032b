//! Random words and gathers: the same bits on host and device.

use bures::device::Device;
use bures::kernels::gather::{Gather, GatherRowsArgs, Normalization, Source};
use bures::kernels::philox::{PhiloxFill, PhiloxFillArgs};
use bures::reference::philox::Philox;

use crate::device::{Bench, assert_close, widen};
use crate::tolerances;

#[test]
fn philox_words_are_the_hosts() {
    let (seed, stream_id) = (0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210);
    let mut bench = Bench::gpu();
    let mut words = bench.zeros::<u32>(4099);
    let kernel = PhiloxFill::new(&bench.device).expect("a kernel");
    let args = PhiloxFillArgs { seed, stream_id, first_block: 0, words: &mut words };
    kernel.record(&mut bench.stream, args).expect("a dispatch");
    let mut host = Philox::new(seed, stream_id);
    let want: Vec<u32> = (0..4099).map(|_| host.next_u32()).collect();
    assert_eq!(bench.get(&words), want);
    // Blocks whose number does not fit 32 bits.
    let first_block = u64::from(u32::MAX) - 1;
    let mut both = [Bench::gpu(), Bench::on(Device::Cpu)].into_iter().map(|mut bench| {
        let mut words = bench.zeros::<u32>(16);
        let kernel = PhiloxFill::new(&bench.device).expect("a kernel");
        let args = PhiloxFillArgs { seed, stream_id, first_block, words: &mut words };
        kernel.record(&mut bench.stream, args).expect("a dispatch");
        bench.get(&words)
    });
    assert_eq!(both.next(), both.next());
}

#[test]
fn gathers_agree_with_the_host() {
    for inputs in [1, 3, 785] {
        let (n, dp) = (9, usize::next_multiple_of(inputs, 4));
        let bytes: Vec<u8> = (0..n * dp).map(|i| (i * 37 % 256) as u8).collect();
        let floats: Vec<f32> = (0..n * dp).map(|i| (i * 37 % 256) as f32 * 0.01).collect();
        let per_row: Vec<f32> = (0..2 * n).map(|i| 0.01 * i as f32 - 0.02).collect();
        let per_column: Vec<f32> = (0..2 * dp).map(|i| 0.01 * i as f32 - 0.02).collect();
        for variant in 0..6 {
            let run = |mut bench: Bench| {
                let (bytes, floats) = (bench.put(&bytes), bench.put(&floats));
                let (per_row, per_column) = (bench.put(&per_row), bench.put(&per_column));
                let indices = bench.put(&[3u32, 0, 8, 8, 1]);
                let mut x = bench.zeros(5 * dp);
                let source = if variant % 2 == 0 { Source::Bytes(&bytes) } else { Source::Floats(&floats) };
                let normalization = match variant / 2 {
                    0 => Normalization::Global(0.004, -0.1),
                    1 => Normalization::PerRow(&per_row),
                    _ => Normalization::PerColumn(&per_column),
                };
                let gather = Gather::new(&bench.device).expect("kernels");
                let args = GatherRowsArgs { inputs, source, normalization, indices: &indices, x: &mut x };
                gather.rows(&mut bench.stream, args).expect("a dispatch");
                bench.get(&x)
            };
            let want = widen(&run(Bench::on(Device::Cpu)));
            assert_close("x", &run(Bench::gpu()), &want, |want| 1e-6 + tolerances::elementwise(want));
        }
    }
}

#[test]
fn labels_and_targets_are_copied() {
    let mut bench = Bench::gpu();
    let indices = bench.put(&[2u32, 2, 0]);
    let labels = bench.put(&[7u32, 8, 9]);
    let targets = bench.put(&[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let (mut taken, mut values) = (bench.zeros::<u32>(3), bench.zeros::<f32>(6));
    let gather = Gather::new(&bench.device).expect("kernels");
    gather.copies(&mut bench.stream, 1, &labels, &indices, &mut taken).expect("a dispatch");
    gather.copies(&mut bench.stream, 2, &targets, &indices, &mut values).expect("a dispatch");
    assert_eq!(bench.get(&taken), [9, 9, 7]);
    assert_eq!(bench.get(&values), [5.0, 6.0, 5.0, 6.0, 1.0, 2.0]);
}
