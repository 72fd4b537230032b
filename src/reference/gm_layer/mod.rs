//! The Gaussian-mixture layer, Eq. 5 of Chewi, Rigollet and Yan.
//!
//! With `m = ⟨x, μ_k⟩`, `s² = ⟨x², σ_k²⟩` and the rectified moments `A`, `F` of `N(m, s²)`,
//!
//! `h_ℓ(x) = 1/K Σ_k [A_k r_kℓ + F_k c_kℓ]`, `r_kℓ = ⟨u_kℓ, μ_k⟩ + v_kℓ`, `c_kℓ = ⟨x, u_kℓ ⊙ σ_k²⟩`:
//! three skinny matrix products over the same input and an epilogue. Components are independent until the sum
//! over k, so the work is cut into chunks of components; a chunk owns its scratch and runs on any thread.
//! So much for diagonal covariances; `root` says what others add.
#![doc = "\n"]
#![doc = include_str!("../../docs/gm_layer.md")]

mod backward;
mod forward;
mod parts;
mod root;
mod step;
mod sweep;

pub use backward::backward;
pub use forward::forward;
pub use step::step;

use self::parts::{Parts, Tensors};
use self::root::Root;
use super::Real;
use super::normal::ReluMoments;
use crate::shape::GmDims;

/// Columns of a matrix product that one chunk aims at: wide enough for an efficient product, narrow enough that
/// a layer of 20 components and 9 outputs makes four chunks.
const CHUNK_COLUMNS: usize = 50;

fn components_per_chunk(dims: &GmDims) -> usize {
    (CHUNK_COLUMNS / (dims.outputs + 1)).clamp(1, dims.components.div_ceil(2).max(1))
}

/// What the forward pass leaves for the backward pass, and the scratch of both.
pub struct Workspace<T> {
    dims: GmDims,
    chunks_per_run: usize,
    /// `x²`, `[R, B, dp]`.
    squares: Vec<T>,
    /// `x` and `x²` with the minibatch last, `[R, dp, B]`.
    columns: [Vec<T>; 2],
    /// Run-major.
    chunks: Vec<Chunk<T>>,
    /// For covariances that are more than their diagonals.
    root: Option<Root<T>>,
}

/// One run's components `first .. first + count`.
struct Chunk<T> {
    run: usize,
    first: usize,
    count: usize,
    /// `μ_k`, then `u_kℓ ⊙ σ_k²`, of the component in work, `[L+1, dp]`: all of them would leave no room in the cache.
    weights: Vec<T>,
    /// `σ²`, `[count, dp]`.
    variances: Vec<T>,
    /// `[count, L+1, B]`: `m`, then `c_ℓ`. The minibatch comes last here and below, for vector units.
    products: Vec<T>,
    /// `s²`, `[count, B]`.
    s2: Vec<T>,
    /// Rectified moments, `[count, B]` each.
    moments: MomentArrays<T>,
    /// `r`, `[count, L]`.
    r: Vec<T>,
    /// This chunk's share of `K h`, `[L, B]`.
    h: Vec<T>,
    backward: BackwardScratch<T>,
}

/// [`ReluMoments`] as one array per quantity.
struct MomentArrays<T> {
    a: Vec<T>,
    f: Vec<T>,
    q: Vec<T>,
    w: Vec<T>,
}

/// Scratch that only a backward pass needs; empty until the first one.
#[derive(Default)]
struct BackwardScratch<T> {
    /// `G`, `[L, B]`.
    g: Vec<T>,
    /// `[count, L+1, B]`: `∂/∂m`, then `H_ℓ = F G_ℓ`.
    coefficients: Vec<T>,
    /// `∂/∂s²`, `[count, B]`.
    g_s2: Vec<T>,
    /// `gF` of one component, `[B]`.
    g_f: Vec<T>,
    /// `Xᵀ gm`, then `T_ℓ = Xᵀ H_ℓ`, of one component in one tile: `[L+1, TILE]`.
    sums: Vec<T>,
    /// `(X²)ᵀ gs²` in one tile, `[count, TILE]`.
    square_sums: Vec<T>,
    /// `ρ_kℓ = Σ_b A_bk G_bℓ`, `[count, L]`.
    rho: Vec<T>,
    /// The gradient of one component's μ, σ and `u_ℓ` in one tile, `[L+2, TILE]`.
    gradient: Vec<T>,
    /// This chunk's share of `∂/∂x`, `[B, dp]`, when asked for.
    dx: Vec<T>,
    /// This chunk's `gs² σ²`, `[B, dp]`, when `∂/∂x` is asked for.
    dx_square: Vec<T>,
}

impl<T: Real> Workspace<T> {
    /// Scratch for a layer of these sizes.
    pub fn new(dims: GmDims) -> Self {
        let per_chunk = components_per_chunk(&dims);
        let chunks = (0..dims.runs)
            .flat_map(|run| {
                (0..dims.components)
                    .step_by(per_chunk)
                    .map(move |first| Chunk::new(dims, run, first, per_chunk.min(dims.components - first)))
            })
            .collect();
        let per_x = || vec![T::ZERO; dims.x_len()];
        let (squares, columns) = (per_x(), [per_x(), per_x()]);
        Self {
            dims,
            chunks_per_run: dims.components.div_ceil(per_chunk),
            squares,
            columns,
            chunks,
            root: Root::new(&dims),
        }
    }

    /// The sizes that this scratch was made for.
    pub fn dims(&self) -> GmDims {
        self.dims
    }

    /// The rectified moments of row `b` and component `k` of a run, as the last forward pass left them.
    pub fn moments(&self, run: usize, b: usize, k: usize) -> ReluMoments<T> {
        let per_chunk = components_per_chunk(&self.dims);
        let chunk = &self.chunks[run * self.chunks_per_run + k / per_chunk];
        let at = (k - chunk.first) * self.dims.batch + b;
        let m = &chunk.moments;
        ReluMoments { a: m.a[at], f: m.f[at], q: m.q[at], w: m.w[at] }
    }
}

impl<T: Real> Chunk<T> {
    fn new(dims: GmDims, run: usize, first: usize, count: usize) -> Self {
        let (b, l, dp) = (dims.batch, dims.outputs, dims.input_stride());
        let per_row = || vec![T::ZERO; count * b];
        Self {
            run,
            first,
            count,
            weights: vec![T::ZERO; (l + 1) * dp],
            variances: vec![T::ZERO; count * dp],
            products: vec![T::ZERO; b * count * (l + 1)],
            s2: per_row(),
            moments: MomentArrays { a: per_row(), f: per_row(), q: per_row(), w: per_row() },
            r: vec![T::ZERO; count * l],
            h: vec![T::ZERO; b * l],
            backward: BackwardScratch::default(),
        }
    }
}
