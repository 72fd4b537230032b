//! Random numbers of the generated data sets: integer arithmetic and `libm` only, so that every
//! platform makes the same bits.

/// A SplitMix64 stream. Streams with different `(seed, stream)` are independent for all purposes
/// of a generated data set, so images can be made in any order and by any number of threads.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    state: u64,
}

/// The odd increment of SplitMix64: the golden ratio in 64 bits.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Stream {
    /// The stream number `stream` of `seed`.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        Self { state: mix(mix(seed.wrapping_add(GOLDEN)) ^ stream.wrapping_mul(GOLDEN)) }
    }

    /// The next 64 bits.
    pub(crate) fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        mix(self.state)
    }

    /// Uniform on [0, 1), a multiple of 2⁻²⁴ and so exact in f32.
    pub(crate) fn unit(&mut self) -> f32 {
        (self.next_u64() >> 40) as f32 * (1.0 / 16_777_216.0)
    }

    /// Uniform on [0, 1), a multiple of 2⁻⁵³ and so exact in f64.
    pub(crate) fn unit_f64(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Uniform between `low` and `high`.
    pub(crate) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// Uniform on `0..bound`; `bound` is small, so the bias of the remainder is below 2⁻⁵⁰.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        match bound as u64 {
            0 => 0,
            bound => (self.next_u64() % bound) as usize,
        }
    }

    /// True with probability `p`.
    pub(crate) fn chance(&mut self, p: f32) -> bool {
        self.unit() < p
    }

    /// A standard normal variate (Box–Muller; `libm`, so the same everywhere).
    pub(crate) fn normal(&mut self) -> f64 {
        // 1 − unit lies in (0, 1], where the logarithm is finite.
        let radius = (-2.0 * libm::log(1.0 - self.unit_f64())).sqrt();
        radius * libm::cos(2.0 * std::f64::consts::PI * self.unit_f64())
    }
}
