//! Vectors of floats, whatever width this machine has.

use pulp::Simd;

/// A float type with the few vector operations that our own products are made of.
pub trait Lanes: Sized + Copy {
    /// As many values as a vector register of `S` holds.
    type Vector<S: Simd>: Copy;
    /// The same value in every lane.
    fn splat<S: Simd>(simd: S, value: Self) -> Self::Vector<S>;
    /// `a b + c`, fused where the machine can.
    fn mul_add<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>, c: Self::Vector<S>) -> Self::Vector<S>;
    /// `a b + c`, rounded once: the same bits on every machine. Where the instruction is missing (processors before 2013) it is slow.
    fn fused<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>, c: Self::Vector<S>) -> Self::Vector<S>;
    /// The sum of all lanes.
    fn sum_lanes<S: Simd>(simd: S, vector: Self::Vector<S>) -> Self;
    /// Whole vectors, and what is left over.
    fn vectors<S: Simd>(values: &[Self]) -> (&[Self::Vector<S>], &[Self]);
    /// Whole vectors to write, and what is left over.
    fn vectors_mut<S: Simd>(values: &mut [Self]) -> (&mut [Self::Vector<S>], &mut [Self]);
    /// Fewer values than a vector has, the other lanes 0.
    fn load_part<S: Simd>(simd: S, values: &[Self]) -> Self::Vector<S>;
    /// As many lanes as `values` has.
    fn store_part<S: Simd>(simd: S, values: &mut [Self], vector: Self::Vector<S>);
}

macro_rules! lanes {
    ($type:ty, $vector:ident, $splat:ident, $mul_add:ident, $fused:ident, $sum:ident, $cut:ident, $cut_mut:ident, $load:ident, $store:ident) => {
        impl Lanes for $type {
            type Vector<S: Simd> = S::$vector;
            #[inline(always)]
            fn splat<S: Simd>(simd: S, value: Self) -> S::$vector {
                simd.$splat(value)
            }
            #[inline(always)]
            fn mul_add<S: Simd>(simd: S, a: S::$vector, b: S::$vector, c: S::$vector) -> S::$vector {
                simd.$mul_add(a, b, c)
            }
            #[inline(always)]
            fn fused<S: Simd>(simd: S, a: S::$vector, b: S::$vector, c: S::$vector) -> S::$vector {
                simd.$fused(a, b, c)
            }
            #[inline(always)]
            fn sum_lanes<S: Simd>(simd: S, vector: S::$vector) -> Self {
                simd.$sum(vector)
            }
            #[inline(always)]
            fn vectors<S: Simd>(values: &[Self]) -> (&[S::$vector], &[Self]) {
                S::$cut(values)
            }
            #[inline(always)]
            fn vectors_mut<S: Simd>(values: &mut [Self]) -> (&mut [S::$vector], &mut [Self]) {
                S::$cut_mut(values)
            }
            #[inline(always)]
            fn load_part<S: Simd>(simd: S, values: &[Self]) -> S::$vector {
                simd.$load(values)
            }
            #[inline(always)]
            fn store_part<S: Simd>(simd: S, values: &mut [Self], vector: S::$vector) {
                simd.$store(values, vector);
            }
        }
    };
}
lanes!(
    f32,
    f32s,
    splat_f32s,
    mul_add_e_f32s,
    mul_add_f32s,
    reduce_sum_f32s,
    as_simd_f32s,
    as_mut_simd_f32s,
    partial_load_f32s,
    partial_store_f32s
);
lanes!(
    f64,
    f64s,
    splat_f64s,
    mul_add_e_f64s,
    mul_add_f64s,
    reduce_sum_f64s,
    as_simd_f64s,
    as_mut_simd_f64s,
    partial_load_f64s,
    partial_store_f64s
);
