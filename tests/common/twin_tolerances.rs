//! How close a host twin must come to what it is compared with, and where each bound comes from.

/// f64 twins against golden values made in f64 by other code, relative to the largest entry of a tensor: the two
/// differ by the order of their sums, some tens of roundings of 1e-16 times the conditioning.
pub(crate) const F64_GOLDEN: f64 = 1e-11;

/// f32 twins, relative to the largest entry of a tensor, in units of `ε κ`. `ε κ` is by how much the exact result
/// moves when every input moves by one unit of f32 rounding (worst of eight random draws); a stable
/// algorithm in f32 behaves as a few such moves, one for each operation that an input goes through.
pub(crate) const F32_MOVES: f64 = 8.0;

/// Rectified moments, entry by entry, relative, in units of `ε (1 + t²)`: a relative error `ε` of `t` or of `t²/2`
/// changes `φ(t)`, and in the lower tail `Φ(t)` and `A`, by `t² ε`. A few operations stand before each, and near
/// `t = −2.5` the textbook form of `A` loses a factor of 9 to cancellation.
pub(crate) const MOMENTS: f64 = 8.0;

/// Gradients against five-point differences in f64, relative to the norm of the gradient: rounding `1e-16/h` and
/// truncation `h⁴` meet at `h = 1e-3`, where both are 1e-13 times the size of high derivatives.
pub(crate) const DIFFERENCES: f64 = 1e-9;

/// The rounding unit of a type.
pub(crate) fn epsilon<T>() -> f64 {
    if size_of::<T>() == 8 { f64::EPSILON } else { f64::from(f32::EPSILON) }
}
